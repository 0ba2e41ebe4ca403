// The bounds of the HTTP server: sizes, time, memory; and how it stops.
#include <poll.h>

#include "api/rest/http_server_fixture.h"

namespace akidb::rest {
namespace {

TEST_F(HttpServerTest, RefusesABodyOverTheLimitBeforeItArrives) {
  Start({.body_bytes_max = 1000});
  std::string head = "PUT / HTTP/1.1\r\nhost: x\r\n";
  EXPECT_TRUE(Ask(head + "content-length: 1001\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(
      Ask(head + "content-length: 99999999999999999999999\r\n\r\n").starts_with("HTTP/1.1 400 "));
  std::string chunk = "1f4\r\n" + std::string(500, 'c') + "\r\n";
  EXPECT_TRUE(Ask(head + "transfer-encoding: chunked\r\n\r\n" + chunk + chunk + chunk)
                  .starts_with("HTTP/1.1 413 "));
  // A client that sends all the same still sees the answer.
  EXPECT_TRUE(Ask(head + "content-length: 5000000\r\n\r\n" + std::string(5000000, 'b'))
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, BoundsTheMemoryOfAllBodies) {
  Start({.body_bytes_max = 1000, .buffered_bytes_max = 1500});
  std::string put = "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
  Client first(server_->port());
  // The interim answer proves that the first body has been reserved.
  first.Send("PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n");
  first.Head();
  EXPECT_TRUE(Ask(put).starts_with("HTTP/1.1 429 "));
  first.Send(std::string(1000, 'b'));
  EXPECT_TRUE(first.Answer().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(put + std::string(1000, 'b')).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, RefusesAHeaderOverTheLimit) {
  Start();
  std::string large = "GET / HTTP/1.1\r\nhost: x\r\nx-large: ";
  EXPECT_TRUE(Ask(large + std::string(1u << 20, 'a') + "\r\n\r\n").starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Ask(large + std::string(15000, 'a') + "\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(
      Ask("GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, CutsOffSlowAndIdleClients) {
  Start({.idle_timeout = milliseconds(60),
         .head_timeout = milliseconds(60),
         .transfer_timeout = milliseconds(60),
         .sweep_interval = milliseconds(10)});
  Client idle(server_->port());
  Client head(server_->port());
  Client body(server_->port());
  head.Send("GET / HT");
  body.Send("PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
  EXPECT_TRUE(head.Answer().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(body.Answer().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(idle.Ended());
  EXPECT_TRUE(head.Ended());
  EXPECT_TRUE(body.Ended());
}

TEST_F(HttpServerTest, BytesNowAndThenDoNotKeepASlowClient) {
  Start({.head_timeout = milliseconds(80), .sweep_interval = milliseconds(10)});
  Client client(server_->port());
  std::atomic<bool> refused{false};
  client.Send("GET / HTTP/1.1\r\nx: ");
  std::thread trickle([&] {
    while (!refused && client.Send("a")) std::this_thread::yield();
  });
  std::string answer = client.Answer();
  refused = true;
  trickle.join();
  // The header limit may be reached first on a fast machine; either way it ends.
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ") || answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST_F(HttpServerTest, CutsOffAClientThatDoesNotRead) {
  Start({.answer_window = milliseconds(50), .sweep_interval = milliseconds(10)});
  Client client(server_->port(), kWindow);
  client.Send(Get("/huge"));
  Client other(server_->port());  // served meanwhile
  other.Send(Get("/"));
  EXPECT_TRUE(other.Answer().starts_with("HTTP/1.1 200 "));
  server_->Stop(std::chrono::seconds(60));  // returns once the client has been cut off
  EXPECT_TRUE(client.Ended());
}

TEST_F(HttpServerTest, CutsOffAClientThatDoesNotReadASource) {
  Start({.answer_window = milliseconds(50), .sweep_interval = milliseconds(10)});
  Client client(server_->port(), kWindow);
  client.Send(Get("/source") + Get("/source") + Get("/source") + Get("/huge"));
  server_->Stop(std::chrono::seconds(600));
  EXPECT_TRUE(client.Ended());
}

// However long it takes, as long as it goes on.
TEST_F(HttpServerTest, KeepsAClientThatReadsSlowly) {
  constexpr milliseconds kAnswerWindow{1000};
  Start({.answer_window = kAnswerWindow, .answer_rate_min = 1, .sweep_interval = milliseconds(10)});
  Client client(server_->port(), kWindow);
  client.Send(Get("/huge"));
  const std::string head = client.Head();
  const auto start = std::chrono::steady_clock::now();
  for (milliseconds time{0}; time < 5 * kAnswerWindow / 2;) {
    // 8 KiB a millisecond: a third of the answer.
    const size_t arrived = client.Take(0);
    if (arrived < static_cast<size_t>(time.count()) << 13) client.Take(arrived + 1);
    std::this_thread::yield();
    time = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }
  EXPECT_EQ(client.Body(head).size(), 64u << 20);
}

TEST_F(HttpServerTest, BoundsTheMemoryOfAnswersThatAreNotTaken) {
  Start({.answer_bytes_max = 1u << 20});
  Client slow(server_->port(), kWindow);
  slow.Send(Get("/huge"));  // larger than the bound, but alone
  const std::string head = slow.Head();
  Client other(server_->port());
  other.Send(Get("/large"));
  EXPECT_TRUE(other.Answer().starts_with("HTTP/1.1 503 "));
  other.Send(Get("/small") + "HEAD /large HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(other.Answer().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(other.Head().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(slow.Body(head).size(), 64u << 20);
  slow.Send(Get("/large"));
  EXPECT_TRUE(slow.Answer().starts_with("HTTP/1.1 200 "));
  // One that goes gives its share back.
  {
    Client gone(server_->port(), kWindow);
    gone.Send(Get("/huge"));
    gone.Head();
  }
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200 ")) {
    answer = Ask(Get("/large"));
    ASSERT_FALSE(answer.empty());
  }
}

TEST_F(HttpServerTest, BoundsConnections) {
  Start({.connections_max = 1});
  Client first(server_->port());
  first.Send(Get("/"));
  EXPECT_TRUE(first.Answer().starts_with("HTTP/1.1 200 "));
  Client second(server_->port());
  EXPECT_TRUE(second.Answer().starts_with("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, AFullPoolIsTooManyRequests) {
  Start();
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<pollfd> sockets;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(server_->port()));
    clients.back()->Send(Get("/wait"));
    sockets.push_back({clients.back()->socket(), POLLIN, 0});
  }
  // Two run, two stand in the queue: at least one is refused, whichever, and no other answered.
  ASSERT_GT(::poll(sockets.data(), sockets.size(), 20'000), 0);
  size_t refused = 0;
  for (size_t i = 0; i < clients.size(); ++i) {
    if (sockets[i].revents == 0) continue;
    EXPECT_TRUE(clients[i]->Answer().starts_with("HTTP/1.1 429 "));
    ++refused;
  }
  EXPECT_GE(refused, 1u);
  echo_.Release();
  for (size_t i = 0; i < clients.size(); ++i) {
    if (sockets[i].revents == 0) EXPECT_TRUE(clients[i]->Answer().starts_with("HTTP/1.1 "));
  }
}

TEST_F(HttpServerTest, DrainFinishesWhatHasBegunAndClosesTheRest) {
  Start({.io_threads = 2, .drain_timeout = std::chrono::seconds(60)});
  Client idle(server_->port());
  idle.Send(Get("/"));
  idle.Answer();
  Client running(server_->port());
  running.Send(Get("/wait"));
  echo_.AwaitWaiting();
  Client half(server_->port());
  half.Send("PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
  half.Head();
  Client unaccepted(server_->port());
  unaccepted.Send(Get("/unaccepted"));
  std::thread stopper([&] { server_->Stop(std::chrono::seconds(60)); });
  EXPECT_TRUE(idle.Ended());
  EXPECT_TRUE(Contains(unaccepted.Answer(), "/unaccepted"));
  half.Send("abc");
  EXPECT_TRUE(half.Answer().ends_with("PUT / 3 abc"));
  echo_.Release();
  std::string answer = running.Answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(Contains(answer, "connection: close\r\n"));
  stopper.join();
}

TEST_F(HttpServerTest, DrainDoesNotWaitForTheRestOfARequest) {
  Start({.linger_timeout = milliseconds(30),
         .drain_timeout = milliseconds(30),
         .sweep_interval = milliseconds(10)});
  Client head(server_->port());
  head.Send("GET / HT");
  Client body(server_->port());
  body.Send("PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
  body.Head();
  Client chunks(server_->port());
  chunks.Send(
      "PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n");
  chunks.Head();
  Client running(server_->port());
  running.Send(Get("/wait"));
  echo_.AwaitWaiting();
  std::thread stopper([&] { server_->Stop(std::chrono::seconds(600)); });
  for (Client* half : {&head, &body, &chunks}) {
    EXPECT_TRUE(half->Answer().starts_with("HTTP/1.1 503 "));
    EXPECT_TRUE(half->Ended());
  }
  // What is being worked on is still answered.
  echo_.Release();
  EXPECT_TRUE(running.Answer().starts_with("HTTP/1.1 200 "));
  stopper.join();
}

TEST_F(HttpServerTest, DrainEndsAfterItsGrace) {
  Start();
  std::future<void> cancelled = echo_.cancelled();
  Client running(server_->port());
  running.Send(Get("/wait"));
  echo_.AwaitWaiting();
  server_->Stop(milliseconds(20));
  EXPECT_TRUE(running.Ended());
  EXPECT_EQ(cancelled.wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

}  // namespace
}  // namespace akidb::rest
