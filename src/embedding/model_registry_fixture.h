// A registry of models that are made up: what their loads and runs do is told by the test.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/event_log.h"
#include "embedding/byte_tokenizer_fixture.h"
#include "embedding/model_registry.h"

namespace akidb::embedding {

// A door that the test opens and shuts.
class Gate {
 public:
  void Open() { Set(true); }
  void Shut() { Set(false); }
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
    --waiting_;
  }
  void WaitForWaiting(int count) {
    MutexLock lock(mutex_);
    while (waiting_ < count) changed_.Wait(mutex_);
  }

 private:
  void Set(bool open) {
    MutexLock lock(mutex_);
    open_ = open;
    changed_.NotifyAll();
  }
  Mutex mutex_;
  CondVar changed_;
  bool open_ = true;
  int waiting_ = 0;
};

// What is in memory.
struct Memory {
  std::atomic<int> models{0};
  std::atomic<int> models_most{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> bytes_most{0};

  void Take(uint64_t more) {
    Raise(models_most, ++models);
    Raise(bytes_most, bytes += more);
  }
  void Give(uint64_t less) {
    --models;
    bytes -= less;
  }
  template <typename T>
  static void Raise(std::atomic<T>& most, T value) {
    T before = most;
    while (before < value && !most.compare_exchange_weak(before, value)) continue;
  }
};

// Of the model that was loaded last.
struct Health {
  std::atomic<bool> refused{false};
  std::atomic<bool> serves{true};
  std::array<std::atomic<uint64_t>, 6> takes{};  // bytes, by the model's number
};

// Its vectors are of the model's number.
class NumberSession final : public Session {
 public:
  // All outlive it.
  struct Surroundings {
    Memory& memory;
    Gate& gate;
    const Health& health;
  };
  NumberSession(const Surroundings& around, uint64_t bytes, float number)
      : around_(around), bytes_(bytes), number_(number) {
    around_.memory.Take(bytes_);
  }
  ~NumberSession() override { around_.memory.Give(bytes_); }
  Status Run(const TokenBatch& batch, RunControl&, const Use& use) override {
    around_.gate.Pass();
    std::vector<float> values;
    for (size_t i = 0; i < batch.items; ++i) values.insert(values.end(), {1, number_});
    return use({values, batch.items, 1, 2});
  }
  uint64_t MemoryBytes() const override {
    return around_.health.takes[static_cast<size_t>(number_)];
  }
  bool Refused() const override { return around_.health.refused; }
  std::vector<ProviderState> Providers() const override {
    ProviderState state;
    state.serves = around_.health.serves;
    return {state};
  }

 private:
  const Surroundings around_;
  const uint64_t bytes_;
  const float number_;
};

class NumberSource final : public ModelSource {
 public:
  explicit NumberSource(std::vector<uint64_t> bytes) : bytes_(std::move(bytes)) {}

  Result<std::unique_ptr<Pipeline>> LoadModel(size_t model, LoadProgress& progress) override {
    progress.Enter(LoadPhase::kVerifying);
    progress.AddVerified(bytes_[model]);
    ++loads;
    progress.control().Attach([this] { load_gate.Open(); });
    load_gate.Pass();
    if (model == hanging) hang_gate.Pass();
    progress.control().Detach();
    if (Status stopped = progress.Check(); !stopped.ok()) {
      ++stops;
      return stopped;
    }
    if (failures > 0) {
      --failures;
      if (out_of_memory) throw std::bad_alloc();
      return CorruptionError("another checksum");
    }
    health.refused = false;
    health.serves = true;
    Manifest manifest;
    manifest.id = std::to_string(model);
    manifest.max_tokens = 16;
    manifest.pooling = Pooling::kNone;
    manifest.dims = 2;
    return std::make_unique<Pipeline>(
        std::make_shared<const TextEncoder>(manifest, std::make_unique<ByteTokenizer>()),
        std::make_unique<NumberSession>(NumberSession::Surroundings{memory, run_gate, health},
                                        bytes_[model], static_cast<float>(model)),
        PipelineOptions());
  }
  void Forget(size_t) override { ++forgotten; }

  Gate load_gate;
  Gate run_gate;
  Gate hang_gate;                 // which no stop opens
  std::optional<size_t> hanging;  // whose load passes it
  Health health;
  Memory memory;
  std::atomic<int> loads{0};
  std::atomic<int> stops{0};  // of these
  std::atomic<int> forgotten{0};
  std::atomic<int> failures{0};  // of the next loads
  bool out_of_memory = false;

 private:
  const std::vector<uint64_t> bytes_;
};

class ModelRegistryTest : public testing::Test {
 protected:
  // Models of these bytes.
  void Make(const std::vector<uint64_t>& bytes) {
    source_ = std::make_unique<NumberSource>(bytes);
    for (size_t i = 0; i < bytes.size(); ++i) {
      options_.models.push_back({std::to_string(i), bytes[i], i < pinned_});
    }
    registry_ = std::make_unique<ModelRegistry>(options_, *source_, log_);
  }

  Status Use(size_t model) { return registry_->Use(context_, model).status(); }
  ModelRegistry::Lease Hold(size_t model) {
    Result<ModelRegistry::Lease> lease = registry_->Use(context_, model);
    AKIDB_CHECK(lease.ok());
    return std::move(lease).value();
  }
  bool IsLoaded(size_t model) const { return registry_->state(model).state == ModelState::kReady; }
  std::string Loaded() const {
    std::string loaded;
    for (size_t i = 0; i < options_.models.size(); ++i) {
      if (IsLoaded(i)) loaded += std::to_string(i);
    }
    return loaded;
  }
  // Whether it gives a vector, and that of the model.
  static Status EmbedWith(ModelRegistry& registry, size_t model) {
    RequestContext context;
    AKIDB_ASSIGN_OR_RETURN(ModelRegistry::Lease lease, registry.Use(context, model));
    const std::vector<std::string> texts = {"text"};
    EmbedRequest request;
    request.texts = texts;
    AKIDB_ASSIGN_OR_RETURN(EmbedResult result, lease.pipeline().Embed(context, request));
    const float ratio = result.vectors[1] / result.vectors[0];
    return std::abs(ratio - static_cast<float>(model)) < 1e-3 ? OkStatus()
                                                              : InternalError("another model's");
  }
  // One that hangs, and whose only request has gone.
  void LeaveALoad(size_t model) {
    source_->load_gate.Shut();
    RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    EXPECT_EQ(registry_->Use(hurried, model).status().code(), ErrorCode::kDeadlineExceeded);
    source_->load_gate.WaitForWaiting(1);
  }
  std::future<Status> Async(std::function<Status()> work) {
    return std::async(std::launch::async, std::move(work));
  }
  void WaitForState(size_t model, ModelState state) {
    while (registry_->state(model).state != state) std::this_thread::yield();
  }

  EventLog log_;
  RequestContext context_;
  RegistryOptions options_;
  size_t pinned_ = 0;  // so many of the first models
  std::unique_ptr<NumberSource> source_;
  std::unique_ptr<ModelRegistry> registry_;
};

}  // namespace akidb::embedding
