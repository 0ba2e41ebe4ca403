// A chain of providers that are made up: what each does is told by the test.
#pragma once

#include <chrono>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "embedding/provider_chain.h"

namespace akidb::embedding {

inline constexpr int64_t kProof = -1;  // the id that a session is proved by

// What one provider does, told by the test from outside. Thread-safe.
class FakeProvider {
 public:
  // What runs return from now on; ok: vectors of `number`.
  void Answer(Status status) {
    MutexLock lock(mutex_);
    answer_ = std::move(status);
    changed_.NotifyAll();
  }
  void FailToStart(Status status) {
    MutexLock lock(mutex_);
    start_ = std::move(status);
  }
  void FailProof(Status status) {
    MutexLock lock(mutex_);
    proof_ = std::move(status);
  }
  // As a process that ended while nobody ran it; those made from now on live.
  void Lose(Status why) {
    MutexLock lock(mutex_);
    lost_ = std::move(why);
  }
  Status lost() const {
    MutexLock lock(mutex_);
    return lost_;
  }
  // Batches of more items run out of memory.
  void SetItemsThatFit(size_t items) {
    MutexLock lock(mutex_);
    items_that_fit_ = items;
  }
  void SetHanging(bool hanging) {
    MutexLock lock(mutex_);
    hanging_ = hanging;
    changed_.NotifyAll();
  }
  // Making a session waits until this is called with false.
  void SetHeld(bool held) {
    MutexLock lock(mutex_);
    held_ = held;
    changed_.NotifyAll();
  }

  Result<std::unique_ptr<Session>> Make();
  Status Run(const TokenBatch& batch, RunControl& control, const Session::Use& use) {
    {
      MutexLock lock(mutex_);
      if (batch.ids[0] == kProof && !hanging_) return proof_;
      items_.push_back(batch.items);
      changed_.NotifyAll();
      if (hanging_) {
        mutex_.unlock();
        control.Attach([this] {
          MutexLock stop(mutex_);
          hanging_ = false;
          changed_.NotifyAll();
        });
        mutex_.lock();
        while (hanging_) changed_.Wait(mutex_);
        mutex_.unlock();
        control.Detach();
        mutex_.lock();
        return CancelledError("stopped");
      }
      if (batch.items > items_that_fit_) return ResourceExhaustedError("out of memory");
      if (!answer_.ok()) return answer_;
    }
    std::vector<float> values;
    for (size_t i = 0; i < batch.items; ++i) {
      values.insert(values.end(), {static_cast<float>(batch.ids[i * batch.tokens]), number});
    }
    return use({values, batch.items, 1, 2, true});
  }

  std::vector<size_t> items() const {
    MutexLock lock(mutex_);
    return items_;
  }
  size_t made() const {
    MutexLock lock(mutex_);
    return made_;
  }
  void WaitForRuns(size_t count) {
    MutexLock lock(mutex_);
    while (items_.size() < count) changed_.Wait(mutex_);
  }
  void WaitForMade(size_t count) {
    MutexLock lock(mutex_);
    while (made_ < count) changed_.Wait(mutex_);
  }

  float number = 0;

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  Status answer_;
  Status start_;
  Status proof_;
  Status lost_;
  size_t items_that_fit_ = std::numeric_limits<size_t>::max();
  bool hanging_ = false;
  bool held_ = false;
  std::vector<size_t> items_;  // of each run
  size_t made_ = 0;
};

class FakeSession final : public Session {
 public:
  explicit FakeSession(FakeProvider& provider) : provider_(provider) {}
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    return provider_.Run(batch, control, use);
  }
  Status Lost() override { return provider_.lost(); }

 private:
  FakeProvider& provider_;
};

inline Result<std::unique_ptr<Session>> FakeProvider::Make() {
  MutexLock lock(mutex_);
  ++made_;
  changed_.NotifyAll();
  while (held_) changed_.Wait(mutex_);
  if (!start_.ok()) return start_;
  lost_ = OkStatus();
  return std::unique_ptr<Session>(std::make_unique<FakeSession>(*this));
}

class ProviderChainTest : public testing::Test {
 protected:
  ProviderChainTest() {
    gpu_.number = 1;
    cpu_.number = 2;
    options_.model_id = "fake";
    options_.prove = Prove;
    // No test waits for a pause to end, unless it says so.
    options_.breaker.pause_first = std::chrono::hours(1);
    options_.breaker.pause_max = std::chrono::hours(1);
    gpu_link_ = LinkOf(Provider::kCuda, gpu_);
    gpu_link_.shares_fate = true;
  }

  static ProviderLink LinkOf(Provider provider, FakeProvider& fake) {
    ProviderLink link;
    link.provider = provider;
    link.make = [&fake](LoadProgress*) { return fake.Make(); };
    return link;
  }

  static Status Prove(Session& session) {
    RunControl control;
    return session.Run({1, 1, {kProof}, {1}, {1}}, control,
                       [](const HiddenStates&) { return OkStatus(); });
  }

  Status Start() {
    std::vector<ProviderLink> links = {gpu_link_, LinkOf(Provider::kCpu, cpu_)};
    return StartWith(std::move(links));
  }
  Status StartWith(std::vector<ProviderLink> links) {
    Result<std::unique_ptr<ProviderChain>> chain =
        ProviderChain::Start(std::move(links), options_, *log_, nullptr);
    if (!chain.ok()) return chain.status();
    chain_ = std::move(chain).value();
    return OkStatus();
  }

  // The first components must be the ids; who ran is told by the second ones.
  Result<float> Run(size_t items = 1) {
    TokenBatch batch;
    batch.items = items;
    batch.tokens = 3;
    for (size_t i = 0; i < items; ++i) {
      batch.ids.insert(batch.ids.end(), {static_cast<int64_t>(i), 5, 6});
      batch.lengths.push_back(3);
    }
    batch.mask.assign(batch.ids.size(), 1);
    float ran = 0;
    AKIDB_RETURN_IF_ERROR(chain_->Run(batch, control_, [&](const HiddenStates& states) {
      EXPECT_EQ(states.items, items);
      for (size_t i = 0; i < items; ++i) {
        EXPECT_EQ(states.values[2 * i], static_cast<float>(i));
        EXPECT_EQ(states.values[2 * i + 1], states.values[1]);
      }
      ran = states.values[1];
      return use_;
    }));
    return ran;
  }
  float MustRun(size_t items = 1) {
    Result<float> ran = Run(items);
    EXPECT_TRUE(ran.ok()) << ran.status().message();
    return ran.ok() ? *ran : 0;
  }
  std::vector<LinkState> States() const {
    std::vector<LinkState> states;
    for (const ProviderState& state : chain_->Providers()) states.push_back(state.state);
    return states;
  }
  // Until the provider's session is in service.
  void WaitUntilReady(size_t link) {
    while (chain_->Providers()[link].state != LinkState::kReady) std::this_thread::yield();
  }

  FakeProvider gpu_;
  FakeProvider cpu_;
  ProviderLink gpu_link_;
  ProviderChainOptions options_;
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RunControl control_;
  Status use_;
  std::unique_ptr<ProviderChain> chain_;
};

}  // namespace akidb::embedding
