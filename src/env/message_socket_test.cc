#include "env/message_socket.h"

#include <future>
#include <string_view>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace akidb::env {
namespace {

using Kind = ReceivedMessage::Kind;
using std::chrono::steady_clock;

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

class MessageSocketTest : public testing::Test {
 protected:
  // What came; the test fails when nothing can be received.
  ReceivedMessage Receive(const MessageSocket& socket, const ReceiveOptions& options = {}) {
    Result<ReceivedMessage> received = socket.Receive(buffer_, options);
    EXPECT_TRUE(received.ok()) << received.status().ToString();
    return received.ok() ? *std::move(received) : ReceivedMessage{};
  }
  static std::string TextOf(const ReceivedMessage& message) {
    return {reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
  }

  MessageSocket::Pair pair_ = MessageSocket::MakePair().value();
  std::vector<std::byte> buffer_ = std::vector<std::byte>(MessageSocket::kMessageBytesMax);
};

TEST_F(MessageSocketTest, KeepsMessagesWholeAndInOrder) {
  const std::string large(MessageSocket::kMessageBytesMax, 'x');
  for (const std::string& text : {std::string("a"), large, std::string("bc")}) {
    ASSERT_TRUE(pair_.first.Send(BytesOf(text)).ok());
  }
  EXPECT_EQ(TextOf(Receive(pair_.second)), "a");
  EXPECT_EQ(TextOf(Receive(pair_.second)), large);
  EXPECT_EQ(TextOf(Receive(pair_.second)), "bc");
  EXPECT_EQ(pair_.first.Send(BytesOf(large + "y")).code(), ErrorCode::kTooLarge);
}

TEST_F(MessageSocketTest, NeverWaitsToSend) {
  Status status;
  while (status.ok()) status = pair_.first.Send(BytesOf("nobody reads"));
  EXPECT_EQ(status.code(), ErrorCode::kResourceExhausted);
}

TEST_F(MessageSocketTest, TellsWhereTheOtherEndIsClosed) {
  ASSERT_TRUE(pair_.second.Send(BytesOf("last words")).ok());
  pair_.second.Close();
  EXPECT_EQ(TextOf(Receive(pair_.first)), "last words");
  EXPECT_EQ(Receive(pair_.first).kind, Kind::kEnded);
  EXPECT_EQ(pair_.first.Send(BytesOf("a")).code(), ErrorCode::kUnavailable);
}

TEST_F(MessageSocketTest, EndsWithTheOtherSideThatLeavesMessagesUnread) {
  ASSERT_TRUE(pair_.first.Send(BytesOf("unread")).ok());
  pair_.second.Close();
  EXPECT_EQ(Receive(pair_.first).kind, Kind::kEnded);
}

TEST_F(MessageSocketTest, WaitsUntilTheDeadlineOrTheSignal) {
  const auto now = steady_clock::now();
  EXPECT_EQ(Receive(pair_.first, {.deadline = now}).kind, Kind::kTimedOut);
  EXPECT_EQ(Receive(pair_.first, {.deadline = now + std::chrono::milliseconds(2)}).kind,
            Kind::kTimedOut);
  EXPECT_GE(steady_clock::now(), now + std::chrono::milliseconds(2));
  const WakeSignal signal = WakeSignal::Create().value();
  auto woken =
      std::async(std::launch::async, [&] { return Receive(pair_.first, {.wake = &signal}).kind; });
  signal.Raise();
  EXPECT_EQ(woken.get(), Kind::kWoken);
  // It stays raised; a message goes before.
  ASSERT_TRUE(pair_.second.Send(BytesOf("a")).ok());
  EXPECT_EQ(Receive(pair_.first, {.wake = &signal}).kind, Kind::kMessage);
  EXPECT_EQ(Receive(pair_.first, {.wake = &signal}).kind, Kind::kWoken);
  signal.Clear();
  EXPECT_EQ(Receive(pair_.first, {.deadline = now, .wake = &signal}).kind, Kind::kTimedOut);
}

// Whether the end of a pipe that `write_end` was given to is the only one left.
bool IsLastOne(int read_end) {
  std::array<char, 1> byte{};
  return ::read(read_end, byte.data(), byte.size()) == 0;
}

TEST_F(MessageSocketTest, CarriesDescriptors) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  ASSERT_TRUE(pair_.first.Send(BytesOf("two"), {&write_end, &read_end}).ok());
  write_end.Close();
  {
    const ReceivedMessage message = Receive(pair_.second, {.take_descriptors = true});
    ASSERT_EQ(message.descriptors.size(), 2u);
    EXPECT_NE(::fcntl(message.descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(::write(message.descriptors[0].get(), "x", 1), 1);
    std::array<char, 1> byte{};
    EXPECT_EQ(::read(message.descriptors[1].get(), byte.data(), 1), 1);
    EXPECT_FALSE(IsLastOne(read_end.get()));
  }
  EXPECT_TRUE(IsLastOne(read_end.get()));
}

TEST_F(MessageSocketTest, DescriptorsThatNobodyTakesAreClosed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  ASSERT_TRUE(pair_.first.Send(BytesOf("a"), {&write_end}).ok());
  write_end.Close();
  EXPECT_TRUE(Receive(pair_.second).descriptors.empty());
  EXPECT_TRUE(IsLastOne(read_end.get()));
}

TEST_F(MessageSocketTest, RefusesAMessageThatDoesNotFit) {
  ASSERT_TRUE(pair_.first.Send(BytesOf("long")).ok());
  const Result<ReceivedMessage> received = pair_.second.Receive(std::span(buffer_).first(3), {});
  EXPECT_EQ(received.status().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace akidb::env
