#include "env/message_socket.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/check.h"
#include "env/posix_calls.h"

namespace akidb::env {
namespace {

using Kind = ReceivedMessage::Kind;

constexpr size_t kControlBytes = CMSG_SPACE(MessageSocket::kDescriptorsMax * sizeof(int));

// What sendmsg and recvmsg take: one piece of bytes, and room for descriptors.
struct Envelope {
  explicit Envelope(std::span<std::byte> bytes) : piece{bytes.data(), bytes.size()} {
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  iovec piece;
  msghdr header = {};
  alignas(cmsghdr) std::array<char, kControlBytes> control = {};
};

void PutDescriptors(std::initializer_list<const Descriptor*> descriptors, Envelope& envelope) {
  AKIDB_CHECK(descriptors.size() <= MessageSocket::kDescriptorsMax);
  const size_t bytes = descriptors.size() * sizeof(int);
  envelope.header.msg_control = envelope.control.data();
  envelope.header.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* head = CMSG_FIRSTHDR(&envelope.header);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(bytes);
  size_t at = 0;
  for (const Descriptor* descriptor : descriptors) {
    const int fd = descriptor->get();
    std::memcpy(CMSG_DATA(head) + at, &fd, sizeof fd);
    at += sizeof fd;
  }
}

std::vector<Descriptor> TakeDescriptors(msghdr& header) {
  std::vector<Descriptor> taken;
  for (cmsghdr* head = CMSG_FIRSTHDR(&header); head != nullptr; head = CMSG_NXTHDR(&header, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

// In milliseconds, rounded up, for poll; -1: forever.
int TimeoutOf(const ReceiveOptions& options) {
  if (!options.deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*options.deadline -
                                                                 std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

// kMessage: there is something to be read, or the end.
Result<Kind> WaitFor(const Descriptor& socket, int wake, const ReceiveOptions& options) {
  for (;;) {
    // poll passes over negative descriptors.
    std::array<pollfd, 2> polled = {pollfd{socket.get(), POLLIN, 0}, pollfd{wake, POLLIN, 0}};
    const int ready = ::poll(polled.data(), polled.size(), TimeoutOf(options));
    if (ready < 0 && errno != EINTR) return ErrnoStatus("can't wait for", "a message", errno);
    if (ready == 0) return Kind::kTimedOut;
    if (ready < 0) continue;
    return polled[0].revents != 0 ? Kind::kMessage : Kind::kWoken;
  }
}

}  // namespace

Result<WakeSignal> WakeSignal::Create() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return ErrnoStatus("can't make", "an event", errno);
  return WakeSignal(Descriptor(fd));
}

void WakeSignal::Raise() const {
  // Fails only when it is raised 2^64 - 1 times, and then is raised.
  (void)Retry([&] { return ::eventfd_write(descriptor_.get(), 1); });
}

void WakeSignal::Clear() const {
  eventfd_t count = 0;
  (void)Retry([&] { return ::eventfd_read(descriptor_.get(), &count); });
}

Result<MessageSocket::Pair> MessageSocket::MakePair() {
  std::array<int, 2> ends = {};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoStatus("can't make", "a pair of sockets", errno);
  }
  return Pair{MessageSocket(Descriptor(ends[0])), MessageSocket(Descriptor(ends[1]))};
}

Status MessageSocket::Send(std::span<const std::byte> bytes,
                           std::initializer_list<const Descriptor*> descriptors) const {
  if (bytes.size() > kMessageBytesMax) {
    return TooLargeError("a message of " + std::to_string(bytes.size()) +
                         " bytes is larger than the " + std::to_string(kMessageBytesMax) +
                         " that can be sent to another process");
  }
  // sendmsg doesn't write to what it is given.
  Envelope envelope({const_cast<std::byte*>(bytes.data()), bytes.size()});
  if (descriptors.size() > 0) PutDescriptors(descriptors, envelope);
  const ssize_t sent = Retry(
      [&] { return ::sendmsg(descriptor_.get(), &envelope.header, MSG_NOSIGNAL | MSG_DONTWAIT); });
  if (sent >= 0) return OkStatus();
  switch (errno) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return UnavailableError("the other process has closed its end");
    case EAGAIN:
    case ENOBUFS:
      return ResourceExhaustedError("the other process doesn't read what it is sent");
    default:
      return ErrnoStatus("can't send", "a message", errno);
  }
}

Result<ReceivedMessage> MessageSocket::Receive(std::span<std::byte> buffer,
                                               const ReceiveOptions& options) const {
  const int wake = options.wake == nullptr ? -1 : options.wake->descriptor_.get();
  if (options.deadline || wake >= 0) {
    AKIDB_ASSIGN_OR_RETURN(const Kind kind, WaitFor(descriptor_, wake, options));
    if (kind != Kind::kMessage) return ReceivedMessage{kind, {}, {}};
  }
  Envelope envelope(buffer);
  if (options.take_descriptors) {
    envelope.header.msg_control = envelope.control.data();
    envelope.header.msg_controllen = envelope.control.size();
  }
  const ssize_t count =
      Retry([&] { return ::recvmsg(descriptor_.get(), &envelope.header, MSG_CMSG_CLOEXEC); });
  if (count < 0 && errno != ECONNRESET) return ErrnoStatus("can't receive", "a message", errno);
  if (count <= 0) return ReceivedMessage{};
  ReceivedMessage message{Kind::kMessage, buffer.first(static_cast<size_t>(count)), {}};
  if (options.take_descriptors) message.descriptors = TakeDescriptors(envelope.header);
  if ((envelope.header.msg_flags & MSG_TRUNC) != 0) {
    return CorruptionError("a message of another process is larger than " +
                           std::to_string(buffer.size()) + " bytes");
  }
  return message;
}

}  // namespace akidb::env
