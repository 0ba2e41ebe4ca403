// Calls as fast as a server answers them, and gRPC's own hello-world server to compare with.
//
//   grpc_load hello REPLY_BYTES SEARCH_MICROS    serves /bench.Hello/Say until its input ends: a
//   message with
//                                                a text is answered by one, after so much processor
//                                                time
//   grpc_load calls ADDRESS METHOD FILE COUNT AT_ONCE
//                                                sends the bytes of FILE so often, so many at a
//                                                time over one connection; prints seconds and bytes
//                                                of an answer
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <json_with_int.pb.h>
#include <time.h>

namespace {

constexpr const char* kSay = "/bench.Hello/Say";

double ThreadMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

// A message with one text, whose bytes cost neither side anything but a copy.
using Text = qdrant::Value;

class Hello final : public grpc::Service {
 public:
  Hello(size_t reply_bytes, double search_micros) {
    using Handler = grpc::internal::CallbackUnaryHandler<Text, Text>;
    using grpc::internal::RpcMethod;
    using grpc::internal::RpcServiceMethod;
    // Both belong to gRPC from here on.
    AddMethod(std::make_unique<RpcServiceMethod>(kSay, RpcMethod::NORMAL_RPC, nullptr).release());
    auto handler = std::make_unique<Handler>(
        [=](grpc::CallbackServerContext* context, const Text* request, Text* reply) {
          const double until = ThreadMicros() + search_micros;
          reply->set_string_value(std::string(reply_bytes, request->string_value().front()));
          while (ThreadMicros() < until) {
          }
          grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
          reactor->Finish(grpc::Status::OK);
          return reactor;
        });
    MarkMethodCallback(0, handler.release());
  }
};

int ServeHello(size_t reply_bytes, double search_micros) {
  Hello hello(reply_bytes, search_micros);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&hello);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown();
  return 0;
}

struct Load {
  std::string method;
  grpc::ByteBuffer request;
  size_t count = 0;
  size_t at_once = 1;
};

// Each call that ends begins the next.
class Caller {
 public:
  Caller(const std::shared_ptr<grpc::Channel>& channel, const Load& load)
      : stub_(channel), load_(load), calls_(load.at_once) {}

  // False: a call failed.
  bool Run() {
    for (One& one : calls_) Begin(one);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
    return failed_.empty();
  }
  size_t reply_bytes() const { return reply_bytes_; }
  const std::string& failed() const { return failed_; }

 private:
  struct One {
    std::unique_ptr<grpc::ClientContext> context;
    grpc::ByteBuffer reply;
  };

  void Begin(One& one) {
    {
      const std::lock_guard lock(mutex_);
      if (begun_ == load_.count || !failed_.empty()) return;
      ++begun_;
      ++running_;
    }
    one.context = std::make_unique<grpc::ClientContext>();
    one.reply.Clear();
    stub_.UnaryCall(one.context.get(), load_.method, {}, &load_.request, &one.reply,
                    [this, &one](const grpc::Status& status) { End(one, status); });
  }

  void End(One& one, const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (!status.ok()) failed_ = status.error_message() + " ";
      reply_bytes_ = one.reply.Length();
    }
    Begin(one);
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_one();
  }

  grpc::GenericStub stub_;
  const Load& load_;
  std::vector<One> calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t begun_ = 0;
  size_t running_ = 0;
  size_t reply_bytes_ = 0;
  std::string failed_;
};

int Call(const std::string& address, const std::string& file, Load load) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const grpc::Slice slice(bytes);
  load.request = grpc::ByteBuffer(&slice, 1);
  Caller caller(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()), load);
  const auto start = std::chrono::steady_clock::now();
  if (!caller.Run()) {
    std::fprintf(stderr, "grpc_load: %s\n", caller.failed().c_str());
    return 1;
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %zu\n", spent.count(), caller.reply_bytes());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> given(arguments + 1, arguments + count);
  if (given.size() == 3 && given[0] == "hello") {
    return ServeHello(std::strtoull(given[1].c_str(), nullptr, 10),
                      std::strtod(given[2].c_str(), nullptr));
  }
  if (given.size() == 6 && given[0] == "calls") {
    const size_t calls = std::strtoull(given[4].c_str(), nullptr, 10);
    const size_t at_once = std::strtoull(given[5].c_str(), nullptr, 10);
    return Call(given[1], given[3], {given[2], {}, calls, at_once});
  }
  std::fprintf(stderr,
               "usage: grpc_load hello REPLY_BYTES SEARCH_MICROS\n"
               "       grpc_load calls ADDRESS METHOD FILE COUNT AT_ONCE\n");
  return 2;
}
