#include <algorithm>
#include <cstdio>

#include "api/rest/http_server_fixture.h"

namespace akidb::rest {
namespace {

TEST_F(HttpServerTest, KeepsAConnectionForManyRequests) {
  Start();
  Client client(server_->port());
  for (std::string target : {"/a", "/pool/b", "/c"}) {
    client.Send(Get(target));
    std::string answer = client.Answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nGET " + target + " 0 ")) << answer;
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  Start({.io_threads = 2});
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    requests += "POST " + std::string(i % 3 == 0 ? "/pool/" : "/") + std::to_string(i) +
                " HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
  }
  Client client(server_->port());
  std::thread sender([&] { client.Send(requests); });
  for (int i = 0; i < 300; ++i) {
    std::string answer = client.Answer();
    EXPECT_TRUE(answer.ends_with("/" + std::to_string(i) + " 3 abc")) << i << ": " << answer;
  }
  sender.join();
}

TEST_F(HttpServerTest, ReadsBodiesOfAnySizeAndSplit) {
  Start();
  for (size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{3} << 20}) {
    std::string request =
        "POST /pool HTTP/1.1\r\nhost: x\r\ncontent-length: " + std::to_string(size) + "\r\n\r\n" +
        std::string(size, 'b');
    std::string answer = Ask(request);
    EXPECT_TRUE(Contains(answer, "POST /pool " + std::to_string(size))) << answer;
  }
  Client client(server_->port());
  for (char c :
       "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
       "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") {
    if (c != 0) client.Send(std::string(1, c));
  }
  EXPECT_TRUE(client.Answer().ends_with("POST / 5 abcde"));
  client.Send(Get("/next"));
  EXPECT_TRUE(client.Answer().ends_with("GET /next 0 "));
}

TEST_F(HttpServerTest, TellsTheClientToGoOn) {
  Start();
  Client client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  EXPECT_EQ(client.Head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  EXPECT_TRUE(client.Answer().ends_with("PUT / 2 ab"));
}

TEST_F(HttpServerTest, PassesABodyOnAsItArrives) {
  // Less memory than the body has.
  Start({.body_bytes_max = 1000, .buffered_bytes_max = 4u << 20});
  for (size_t size : {size_t{1}, size_t{1} << 20, (size_t{5} << 20) + 7, size_t{20} << 20}) {
    Client client(server_->port());
    client.Send("PUT /sink HTTP/1.1\r\nhost: x\r\ncontent-length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'y') + Get("/next"));
    EXPECT_TRUE(client.Answer().ends_with("got " + std::to_string(size))) << size;
    EXPECT_TRUE(client.Answer().ends_with("GET /next 0 "));
    std::string chunked = "PUT /sink HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    std::string hex(20, ' ');
    for (size_t at = 0; at < size; at += 100'000) {
      const size_t length = std::min<size_t>(100'000, size - at);
      hex.resize(static_cast<size_t>(std::snprintf(hex.data(), 20, "%zx", length)));
      chunked += hex + "\r\n" + std::string(length, 'y') + "\r\n";
      hex.resize(20);
    }
    client.Send(chunked + "0\r\n\r\n" + Get("/next"));
    EXPECT_TRUE(client.Answer().ends_with("got " + std::to_string(size))) << size;
    EXPECT_TRUE(client.Answer().ends_with("GET /next 0 "));
  }
}

TEST_F(HttpServerTest, ABodyThatIsPassedOnCanBeRefused) {
  Start({.body_bytes_max = 1000});
  const std::string head = "PUT /sink HTTP/1.1\r\nhost: x\r\n";
  EXPECT_TRUE(Ask(head + "content-length: 20971521\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(Ask("PUT /sink/refused HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n")
                  .starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask(head + "content-length: 5000000\r\n\r\n" + std::string(5'000'000, 'n'))
                  .starts_with("HTTP/1.1 400 "));
  std::string chunk = "300000\r\n" + std::string(3u << 20, 'y') + "\r\n";
  std::string chunks;
  for (int i = 0; i < 7; ++i) chunks += chunk;
  EXPECT_TRUE(
      Ask(head + "transfer-encoding: chunked\r\n\r\n" + chunks).starts_with("HTTP/1.1 413 "));
  // A client that goes in the middle.
  { Client(server_->port()).Send(head + "content-length: 5000000\r\n\r\nyyyy"); }
  EXPECT_TRUE(Ask(Get("/after")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ReadsALargeAnswerWhileItIsSent) {
  Start();
  Client client(server_->port());
  for (int round = 0; round < 2; ++round) {
    client.Send(Get("/source") + Get("/next"));
    const std::string answer = client.Answer();
    const size_t body = answer.find("\r\n\r\n") + 4;
    ASSERT_EQ(answer.size() - body, 5u << 20);
    bool same = true;
    for (size_t i = 0; i < (5u << 20); ++i)
      same = same && answer[body + i] == "abcdefghijklmnopqrstuvwxyz"[i % 26];
    EXPECT_TRUE(same);
    EXPECT_TRUE(client.Answer().ends_with("GET /next 0 "));
  }
  client.Send("HEAD /source HTTP/1.1\r\nhost: x\r\n\r\n" + Get("/next"));
  EXPECT_TRUE(Contains(client.Head(), "content-length: 5242880\r\n"));
  EXPECT_TRUE(client.Answer().ends_with("GET /next 0 "));
  // One that ends too soon is cut off, so that nobody takes it for whole.
  Client other(server_->port());
  other.Send(Get("/source/short"));
  EXPECT_LT(other.Answer().size(), 2u << 20);
  EXPECT_TRUE(other.Ended());
  // A client that goes in the middle.
  {
    Client gone(server_->port());
    gone.Send(Get("/source"));
    gone.Head();
  }
  EXPECT_TRUE(Ask(Get("/after")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, RefusesWhatIsNoHttpOrAmbiguous) {
  Start();
  for (std::string_view bytes :
       {"\x16\x03\x01\x02\r\n\r\n", "GET / HTTP/2.0\r\nhost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nhost : x\r\n\r\n"}) {
    EXPECT_TRUE(Ask(bytes).starts_with("HTTP/1.1 400 ")) << bytes << "\n" << Ask(bytes);
  }
  EXPECT_TRUE(Ask("PUT / HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n\r\n").starts_with("HTTP/1.1 417 "));
  for (std::string_view codings :
       {"gzip, chunked", "identity,chunked", "gzip\r\ntransfer-encoding: chunked"}) {
    EXPECT_TRUE(Ask("PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: " + std::string(codings) +
                    "\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 501 "))
        << codings;
  }
  EXPECT_TRUE(Ask("PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask("PUT / HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\n\r\n")
                  .starts_with("HTTP/1.1 415 "));
}

TEST_F(HttpServerTest, KeepsOldClientsOnlyWhenTheyAsk) {
  Start();
  Client plain(server_->port());
  plain.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(Contains(plain.Answer(), "connection: close\r\n"));
  EXPECT_TRUE(plain.Ended());
  Client kept(server_->port());
  kept.Send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(Contains(kept.Answer(), "connection: keep-alive\r\n"));
  kept.Send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(Contains(kept.Answer(), "connection: close\r\n"));
  EXPECT_TRUE(kept.Ended());
}

TEST_F(HttpServerTest, SendsNoBodyToHead) {
  Start();
  Client client(server_->port());
  client.Send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(Contains(client.Head(), "content-length: 9\r\n"));
  client.Send(Get("/next"));
  EXPECT_TRUE(client.Head().starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, WritesLargeAnswersWhole) {
  Start();
  Client client(server_->port());
  client.Send(Get("/large") + Get("/after"));
  EXPECT_TRUE(client.Answer().size() > 8u << 20);
  EXPECT_TRUE(client.Answer().ends_with("GET /after 0 "));
}

TEST_F(HttpServerTest, CancelsTheJobOfAClientThatHasGone) {
  Start();
  std::future<void> cancelled = echo_.cancelled();
  {
    Client client(server_->port());
    client.Send(Get("/wait"));
    echo_.AwaitWaiting();
  }
  EXPECT_EQ(cancelled.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST_F(HttpServerTest, AClientThatSendsNoMoreGetsTheAnswersToWhatItSent) {
  Start();
  Client client(server_->port());
  client.Send(Get("/pool") + Get("/") + Get("/large"));
  client.ShutDown();
  EXPECT_TRUE(Contains(client.Answer(), "GET /pool "));
  EXPECT_TRUE(Contains(client.Answer(), "GET / "));
  EXPECT_GT(client.Answer().size(), 8u << 20);
  EXPECT_TRUE(client.Ended());
}

TEST_F(HttpServerTest, TheJobOfAClientThatSendsNoMoreIsCancelledAndAnswered) {
  Start();
  std::future<void> cancelled = echo_.cancelled();
  Client client(server_->port());
  client.Send(Get("/wait"));
  echo_.AwaitWaiting();
  client.ShutDown();
  EXPECT_TRUE(client.Answer().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(cancelled.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_TRUE(client.Ended());
}

TEST_F(HttpServerTest, ATakenPortIsBusyAndAStrangeHostInvalid) {
  Start();
  auto second = HttpServer::Start({.port = server_->port()}, echo_, pool_, *log_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), ErrorCode::kBusy);
  auto strange = HttpServer::Start({.host = "no-address"}, echo_, pool_, *log_);
  EXPECT_EQ(strange.status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace akidb::rest
