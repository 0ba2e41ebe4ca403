// Power cuts at every operation of a collection's life on the simulated disk: creating, writing
// dense vectors, multivectors and sparse ones, adding a vector and leaving it out, sealing,
// merging, publishing, recovering. What is found afterwards must be exactly the state after the
// last acknowledged write, or after the one that was under way.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "engine/collection.h"
#include "engine/collection_life_fixture.h"
#include "env/disk_fingerprint.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

using life::Life;
using life::Live;
using life::MakeDisk;
using life::Merges;
using life::State;
using life::World;

uint64_t TestSeed() { return FromEnvironment("AKIDB_TEST_SEED", 271828); }

// Crash seeds tried at each cut point, how many lives, and how many cut points are left out between
// two of them; more with AKIDB_CRASH_SEEDS and AKIDB_CRASH_LIVES.
uint64_t SeedsPerCut() { return FromEnvironment("AKIDB_CRASH_SEEDS", 12); }
uint64_t Lives() { return FromEnvironment("AKIDB_CRASH_LIVES", 1); }
uint64_t CutStep(uint64_t usual) { return std::getenv("AKIDB_CRASH_SEEDS") != nullptr ? 1 : usual; }

// Empty if the disk holds what it must.
std::string Judge(env::FileSystem& disk, const Life& life, Durability durability) {
  World world(disk, 0, durability);
  Status opened = world.Open();
  if (!opened.ok()) return life.created ? opened.ToString() : "";
  Result<State> found = world.Read();
  if (!found.ok()) return found.status().ToString();
  // With interval durability an acknowledgement survives the process, not the power.
  int64_t least = durability == Durability::kSync ? life.acknowledged : life.sealed;
  auto first = life.states.begin() + least;
  if (std::find(first, life.states.end(), *found) == life.states.end()) {
    return "not the state after change " + std::to_string(least) + " or a later one";
  }
  // And life goes on from there.
  State state = *found;
  if (Status status = world.Write(101, state); !status.ok()) return status.ToString();
  if (Status status = world.collection->Seal(); !status.ok()) return status.ToString();
  if (Status status = world.collection->Merge(); !status.ok()) return status.ToString();
  world.collection.reset();
  if (Status status = world.Open(); !status.ok()) return status.ToString();
  Result<State> again = world.Read();
  if (!again.ok()) return again.status().ToString();
  return *again == state ? "" : "what was written after the recovery is wrong";
}

struct CrashRun {
  Durability durability = Durability::kSync;
  Merges merges = Merges::kAwaited;
  uint64_t first_cut = 0;
  uint64_t cut_step = 1;
};

struct CrashCount {
  uint64_t states = 0;  // distinct ones
  uint64_t wrong = 0;
  std::string first_wrong;
  uint64_t merged_rows = 0;
};

// Cuts the power at every changing operation of a life.
void RunLife(uint64_t seed, const CrashRun& run, CrashCount& count) {
  bool finished = false;
  for (uint64_t cut = run.first_cut; !finished; cut += run.cut_step) {
    auto disk = MakeDisk(seed + cut);
    Life life;
    {
      World world(*disk, seed, run.durability);
      disk->PowerOffAfter(cut);
      life = Live(world, run.merges);
      if (world.collection) count.merged_rows += world.collection->stats().merged_rows;
    }
    finished = life.finished;
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < SeedsPerCut(); ++i) {
      auto after = disk->CloneAfterCrash(seed * 7919 + cut * 100'000 + i);
      if (!seen.insert(env::FingerprintOf(*after, "/")).second) continue;
      std::string wrong = Judge(*after, life, run.durability);
      ++count.states;
      if (wrong.empty()) continue;
      ++count.wrong;
      if (count.first_wrong.empty()) {
        count.first_wrong = "life " + std::to_string(seed) + " cut at change " +
                            std::to_string(cut) + ", crash " + std::to_string(i) + ": " + wrong;
      }
    }
  }
}

CrashCount RunCrashes(uint64_t seed, const CrashRun& run) {
  CrashCount count;
  for (uint64_t life = 0; life < Lives(); ++life) RunLife(seed + life, run, count);
  std::cout << count.states << " distinct crash states of collections\n";
  return count;
}

TEST(CollectionCrash, KeepsEveryAcknowledgedWriteWhereverThePowerGoes) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  CrashCount count = RunCrashes(seed, {});
  EXPECT_EQ(count.wrong, 0u) << count.first_wrong;
  EXPECT_GT(count.states, 600u);
  EXPECT_GT(count.merged_rows, 0u);
}

TEST(CollectionCrash, KeepsThemWhileMergesRunBesideWrites) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  for (Durability durability : {Durability::kSync, Durability::kInterval}) {
    CrashCount count = RunCrashes(seed, {.durability = durability,
                                         .merges = Merges::kBesideWrites,
                                         .first_cut = seed % 6,
                                         .cut_step = CutStep(6)});
    EXPECT_EQ(count.wrong, 0u) << count.first_wrong;
    EXPECT_GT(count.merged_rows, 0u);
  }
}

TEST(CollectionCrash, IntervalDurabilityKeepsAnExactPrefix) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  CrashCount count = RunCrashes(
      seed, {.durability = Durability::kInterval, .first_cut = seed % 4, .cut_step = CutStep(4)});
  EXPECT_EQ(count.wrong, 0u) << count.first_wrong;
}

TEST(CollectionCrash, SurvivesPowerCutsDuringRecovery) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  for (uint64_t cut = 20; cut < 200; cut += 11) {
    auto disk = MakeDisk(seed + cut);
    Life life;
    {
      World world(*disk);
      disk->PowerOffAfter(cut);
      life = Live(world);
    }
    for (uint64_t recovery_cut = 0; recovery_cut < 12; ++recovery_cut) {
      auto after = disk->CloneAfterCrash(seed + cut);
      {
        World world(*after);
        after->PowerOffAfter(recovery_cut);
        static_cast<void>(world.Open());
      }
      auto again = after->CloneAfterCrash(seed + recovery_cut);
      ASSERT_EQ(Judge(*again, life, Durability::kSync), "")
          << "cut at " << cut << ", then at " << recovery_cut << " of the recovery";
    }
  }
}

// Fails operations of a life: one, or all from it on.
struct FaultRun {
  uint64_t seed = 0;
  bool full = false;  // for want of space, else broken
  bool for_ever = false;
};

// Empty, or what is wrong; `reached` tells whether the life came to the operation.
std::string FailOperation(const FaultRun& run, uint64_t fail_at, bool& reached) {
  auto disk = MakeDisk(run.seed + fail_at);
  std::atomic<bool> armed{true};
  std::atomic<bool> hit{false};
  disk->SetFaultHook([&](const env::SimulatedOperation& operation) {
    using Kind = env::SimulatedOperation::Kind;
    bool due = run.for_ever ? operation.index >= fail_at : operation.index == fail_at;
    if (!due || !armed) return OkStatus();
    hit = true;
    // A full disk fails what needs space.
    if (run.full && operation.kind != Kind::kWrite && operation.kind != Kind::kAllocate &&
        operation.kind != Kind::kCreate && operation.kind != Kind::kSyncData) {
      return OkStatus();
    }
    return run.full ? StorageFullError("no space") : IoError("broken");
  });
  Life life;
  {
    World world(*disk, run.seed);
    life = Live(world);
    const bool lives = world.collection && life.created;
    if (lives && world.collection->stats().points !=
                     life.states[static_cast<size_t>(life.acknowledged)].size()) {
      return "the count is not that of what was acknowledged";
    }
    armed = false;
  }
  reached = hit;
  auto after = disk->CloneAfterCrash(run.seed + fail_at);
  return Judge(*after, life, Durability::kSync);
}

// Any operation fails once, or all from one on: a clean error, reads go on, and a restart finds
// everything that was acknowledged.
TEST(CollectionCrash, FailingOperationsLoseNothing) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  uint64_t faults = 0;
  for (uint64_t life = 0; life < Lives(); ++life) {
    for (bool full : {false, true}) {
      for (bool for_ever : {false, true}) {
        const FaultRun run{seed + life, full, for_ever};
        bool reached = true;
        for (uint64_t fail_at = 0; reached; fail_at += CutStep(3), ++faults) {
          ASSERT_EQ(FailOperation(run, fail_at, reached), "")
              << "life " << run.seed << ", operation " << fail_at
              << (full ? " without space" : " broken") << (for_ever ? ", for ever" : ", once");
        }
      }
    }
  }
  std::cout << faults << " faults of collections\n";
}

// Space runs out, writes are refused, reads go on; space returns, and so do writes.
TEST(CollectionCrash, WritesReturnWithTheSpace) {
  auto disk = MakeDisk(1);
  World world(*disk);
  ASSERT_TRUE(world.Create().ok());
  disk->SetCapacity(130 << 10);
  std::vector<State> states(1);
  Status status;
  int64_t write = 0;
  while (status.ok()) {
    ASSERT_LT(++write, 2000);
    State state = states.back();
    status = world.Write(write, state);
    if (status.ok()) states.push_back(std::move(state));
  }
  EXPECT_GT(states.back().size(), 5u);
  EXPECT_EQ(status.code(), ErrorCode::kStorageFull) << status.ToString();
  Result<State> found = world.Read();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(*found, states.back());
  EXPECT_EQ(world.collection->stats().read_only_reason, "");
  disk->SetCapacity(4 << 20);
  State state = states.back();
  // The first ones may still be told of the full head that waits to be tried again.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  do {
    status = world.Write(3001, state);
  } while (status.code() == ErrorCode::kStorageFull && std::chrono::steady_clock::now() < give_up);
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (const bool anew : {false, true}) {
    if (anew) {
      world.collection.reset();
      ASSERT_TRUE(world.Open().ok());
    }
    found = world.Read();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(*found, state);
  }
}

}  // namespace
}  // namespace akidb::engine
