// Power cuts at every operation of a log's life on the simulated disk.
#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "env/disk_fingerprint.h"
#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

// Crash seeds tried at each cut point, and how many lives; more with AKIDB_CRASH_SEEDS and
// AKIDB_CRASH_LIVES.
uint64_t SeedsPerCut() { return FromEnvironment("AKIDB_CRASH_SEEDS", 20); }
uint64_t Lives() { return FromEnvironment("AKIDB_CRASH_LIVES", 14); }

// What was true when the power went.
struct Life {
  uint64_t acknowledged = 0;
  uint64_t enqueued = 0;
  uint64_t cut_before = 0;  // safe elsewhere
  bool created = false;
  bool finished = false;
};

LogOptions OptionsAfter(uint64_t seq, bool create) {
  LogOptions options = OptionsFor(kLogFolder);
  options.start_after_seq = seq;
  options.create = create;
  return options;
}

// Batches, long records, rotation, cutting, closing and opening again.
Life Live(LogWorld& world, uint64_t seed) {
  std::mt19937_64 random(seed);
  Life life;
  std::unique_ptr<Log> log;
  {
    auto opened = world.Open();
    if (!opened.ok()) return life;
    log = std::move(opened).value();
  }
  life.created = true;
  for (int step = 0; step < 24; ++step) {
    uint64_t last = life.acknowledged;
    for (uint64_t i = 1 + random() % 3; i > 0; --i) {
      size_t bytes = random() % 6 == 0 ? random() % 70'000 : random() % 400;
      auto seq = EnqueueNext(*log, bytes);
      if (!seq.ok()) return life;
      last = *seq;
      life.enqueued = last;
    }
    if (!log->Wait(last).ok()) return life;
    life.acknowledged = last;
    if (step % 5 == 4) log->Rotate();
    if (step % 7 == 6) {
      // As if a manifest had been published.
      uint64_t safe = life.acknowledged - std::min<uint64_t>(life.acknowledged, 2);
      life.cut_before = safe;
      if (!log->CutBefore(safe).ok()) return life;
    }
    if (step == 10 || step == 17) {
      Status closed = step == 10 ? log->Close() : OkStatus();
      log.reset();
      if (!closed.ok()) return life;
      auto opened = world.Open(OptionsAfter(life.cut_before, false));
      if (!opened.ok()) return life;
      log = std::move(opened).value();
    }
  }
  life.finished = log->Close().ok();
  return life;
}

std::string Judge(env::FileSystem& disk, const Life& life) {
  LogWorld world(disk, 77);
  auto log = world.Open(OptionsAfter(life.cut_before, !life.created));
  if (!log.ok()) return log.status().ToString();
  uint64_t last = (*log)->last_seq();
  if (last < life.acknowledged) {
    return "record " + std::to_string(life.acknowledged) + " was acknowledged, the last one is " +
           std::to_string(last);
  }
  if (last > life.enqueued) return "records out of nowhere";
  if (world.last_replayed != last) return "replayed up to " + std::to_string(world.last_replayed);
  // And the log goes on.
  for (size_t bytes : {10, 40'000, 0}) {
    if (Status status = AppendNext(**log, bytes); !status.ok()) return status.ToString();
  }
  log->reset();
  auto again = world.Open(OptionsAfter(life.cut_before, false));
  if (!again.ok()) return again.status().ToString();
  return world.last_replayed == last + 3 ? "" : "what was appended after the recovery is gone";
}

struct CrashCount {
  uint64_t states = 0;  // distinct ones
  uint64_t wrong = 0;
  std::string first_wrong;
};

// Cuts the power at every changing operation of a life.
void RunCrashes(uint64_t seed, CrashCount& count) {
  bool reached = true;
  for (uint64_t cut = 0; reached; ++cut) {
    auto disk = MakeDisk(seed + cut);
    const uint64_t changes_before = disk->counters().changes;
    disk->PowerOffAfter(cut);
    LogWorld world(*disk, seed);
    Life life = Live(world, seed);
    reached = disk->counters().changes - changes_before > cut;
    ASSERT_TRUE(reached || life.finished);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < SeedsPerCut(); ++i) {
      auto after = disk->CloneAfterCrash(seed * 7919 + cut * 100'000 + i);
      if (!seen.insert(env::FingerprintOf(*after, "/")).second) continue;
      std::string wrong = Judge(*after, life);
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

TEST(LogCrash, KeepsAnExactPrefixWhereverThePowerGoes) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  CrashCount count;
  for (uint64_t life = 0; life < Lives(); ++life) RunCrashes(seed + life, count);
  std::cout << count.states << " distinct crash states of logs\n";
  EXPECT_EQ(count.wrong, 0u) << count.first_wrong;
  EXPECT_GT(count.states, Lives() * 500);
}

TEST(LogCrash, SurvivesPowerCutsDuringRecovery) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  for (uint64_t cut = 0; cut < 110; cut += 3) {
    auto disk = MakeDisk(seed + cut);
    disk->PowerOffAfter(cut);
    LogWorld first(*disk, seed);
    Life life = Live(first, seed);
    // What a recovery that was itself cut short has made may be cut short again.
    auto after = disk->CloneAfterCrash(seed + cut);
    for (uint64_t recovery_cut = 0; recovery_cut < 10; ++recovery_cut) {
      after->PowerOffAfter(recovery_cut);
      {
        LogWorld world(*after, 1000 + recovery_cut);
        static_cast<void>(world.Open(OptionsAfter(life.cut_before, !life.created)));
      }
      after = after->CloneAfterCrash(seed + recovery_cut);
      auto judged = after->CloneAfterCrash(1);
      ASSERT_EQ(Judge(*judged, life), "")
          << "cut at " << cut << ", then at " << recovery_cut << " of the recovery";
    }
  }
}

}  // namespace
}  // namespace akidb::storage
