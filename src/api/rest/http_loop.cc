#include <algorithm>

#include "api/rest/http_connection.h"

namespace akidb::rest {

namespace net = boost::asio;
using boost::system::error_code;

void HttpLoop::Run() { io_.run(); }

void HttpLoop::Add(net::ip::tcp::socket socket) {
  now_ = std::chrono::steady_clock::now();
  auto connection = std::make_shared<HttpConnection>(std::move(socket), *this);
  connections_.push_front(connection);
  connection->set_place(connections_.begin());
  connection->Start();
  if (!connections_.empty()) ArmSweep();
}

void HttpLoop::Remove(HttpConnection& connection) {
  connections_.erase(connection.place());
  shared_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (draining_ && connections_.empty()) timer_.cancel();
}

void HttpLoop::Drain(Time end) {
  draining_ = true;
  drain_end_ = end;
  arrival_end_ = std::chrono::steady_clock::now() + shared_.options.drain_timeout;
  work_.reset();
  for (auto it = connections_.begin(); it != connections_.end();) {
    std::shared_ptr<HttpConnection> connection = *it++;
    connection->Drain();
  }
  timer_.cancel();
  timer_armed_ = false;
  Sweep();
}

void HttpLoop::ArmSweep() {
  if (timer_armed_) return;
  timer_armed_ = true;
  Time next = std::chrono::steady_clock::now() + shared_.options.sweep_interval;
  timer_.expires_at(std::min(next, drain_end_));
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    timer_armed_ = false;
    Sweep();
  });
}

void HttpLoop::Sweep() {
  now_ = std::chrono::steady_clock::now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    std::shared_ptr<HttpConnection> connection = *it++;
    if (now_ >= drain_end_) {
      connection->Close();
    } else {
      connection->Sweep(now_);
    }
  }
  if (!connections_.empty()) ArmSweep();
}

}  // namespace akidb::rest
