// Power cuts and failing operations at every moment of a whole database's life: collections made,
// written to, restored from snapshots, deleted and made again, aliases, other vectors, starts. What
// is found afterwards is what was acknowledged, with that of which only a start can tell or without
// it.
//
// One thread asks for everything, and waits for what the background does for it (seals, recovery)
// before it goes on; so a seed decides what happens. Not so beside merges of what a change of
// vectors has left out, at the end of a life, and where two threads write: there the order is the
// system's.
#include <array>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "engine/database_script_fixture.h"
#include "env/disk_fingerprint.h"

namespace akidb::engine {
namespace {

using database_life::Faults;
using database_life::Life;
using database_life::Machine;
using database_life::Points;
using database_life::Script;
using database_life::State;
using database_life::Step;
using database_life::Taken;
using database_life::Truth;
using database_life::World;

uint64_t TestSeed(uint64_t usual = 161803) { return FromEnvironment("AKIDB_TEST_SEED", usual); }

// Crash seeds tried at each cut, and how many cuts, or operations that fail, are left out between
// two of them: none with AKIDB_CRASH_SEEDS, fewer with more AKIDB_CRASH_LIVES.
uint64_t SeedsPerCut() { return FromEnvironment("AKIDB_CRASH_SEEDS", 2); }
uint64_t Lives() { return std::max<uint64_t>(1, FromEnvironment("AKIDB_CRASH_LIVES", 1)); }
uint64_t StepOf(uint64_t usual) { return std::max<uint64_t>(1, usual / Lives()); }
uint64_t CutStep(uint64_t usual) {
  return std::getenv("AKIDB_CRASH_SEEDS") != nullptr ? 1 : StepOf(usual);
}

// How many bytes of records the system log may have before it is cut: it never is, or each few
// changes.
constexpr uint64_t kLogBytesMax[] = {1 << 20, 150};

// What a start must find.
struct Expected {
  std::vector<const Truth*> truths;
  uint64_t log_bytes_max = 0;
  // What is wrong with what was found, beside that.
  std::function<std::string(const State&)> also = [](const State&) { return ""; };
};

// Life goes on from what was found.
std::string GoOn(World& world, const State& found, const std::vector<Taken>& taken) {
  constexpr int64_t kVersionBefore = 1000;
  Truth truth;
  truth.Assume(found);
  Script script(world, truth, kVersionBefore);
  for (const auto& [name, held] : found.collections) script.Upsert(name, {1, 500});
  script.Create("new");
  script.PointAlias("other", "new");
  script.Upsert("other", {1, 2});
  if (!taken.empty()) {
    script.Restore("restored", std::make_shared<std::optional<Taken>>(taken.back()));
    script.Upsert("restored", {1, 2});
  }
  if (!found.collections.empty()) script.Delete(found.collections.begin()->first);
  script.Restart(true);
  Life life(world, truth, Faults::kPowerGoes);
  if (std::string wrong = life.Run(script.steps()); !wrong.empty()) return "later, " + wrong;
  if (!life.finished()) return "life doesn't go on: " + life.failure().ToString();
  return world.CheckFolders();
}

// Empty if the disk holds what it must.
std::string Judge(std::unique_ptr<env::SimulatedFileSystem> disk, const Expected& expected,
                  bool recovers) {
  Machine machine(std::move(disk));
  World world(machine, expected.log_bytes_max);
  if (Status status = world.Open(recovers); !status.ok()) return status.ToString();
  Result<State> found = world.Read();
  if (!found.ok()) return found.status().ToString();
  std::set<std::pair<std::string, std::string>> snapshots;
  std::vector<Taken> taken;
  for (const Truth* truth : expected.truths) {
    if (!truth->Allows(*found)) return "found: " + found->ToString() + truth->ToString();
    for (const Taken& one : truth->taken()) snapshots.emplace(one.collection, one.name);
    taken.insert(taken.end(), truth->taken().begin(), truth->taken().end());
  }
  std::string wrong = expected.also(*found);
  if (wrong.empty()) wrong = world.CheckSnapshots(std::move(snapshots));
  if (wrong.empty()) wrong = world.CheckFolders();
  return wrong.empty() ? GoOn(world, *found, taken) : wrong;
}

struct CrashCount {
  uint64_t states = 0;  // distinct ones
  uint64_t wrong = 0;
  std::string first_wrong;

  void Add(const std::string& what, const std::string& where) {
    if (what.empty()) return;
    ++wrong;
    if (first_wrong.empty()) first_wrong = where + ": " + what;
  }
};

// Judges what may be left of the disk.
void JudgeSurvivors(env::SimulatedFileSystem& disk, const Expected& expected, uint64_t seed,
                    CrashCount& count) {
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < SeedsPerCut(); ++i) {
    auto after = disk.CloneAfterCrash(seed + i);
    if (!seen.insert(env::FingerprintOf(*after, "/")).second) continue;
    ++count.states;
    count.Add(Judge(std::move(after), expected, i % 2 == 0), "crash " + std::to_string(i));
  }
}

// Whether all was over before the cut.
bool LiveUntil(uint64_t cut, uint64_t log_bytes_max, uint64_t seed, CrashCount& count) {
  Machine machine = Machine::New(seed + cut);
  World world(machine, log_bytes_max);
  Truth truth;
  Script script(world, truth);
  WriteScript(script, true);
  machine.PowerOffAfter(cut);
  Life life(world, truth, Faults::kPowerGoes);
  const Status opened = world.Open(false);
  if (opened.ok()) count.Add(life.Run(script.steps()), "while it lives");
  const Status& failure = opened.ok() ? life.failure() : opened;
  if (!failure.ok() && !machine.power_went()) count.Add(failure.ToString(), "without a cut");
  world.Close();
  JudgeSurvivors(machine.disk(), {{&truth}, log_bytes_max}, seed * 7919 + cut * 100'000, count);
  return !machine.power_went();
}

TEST(DatabaseCrash, KeepsWhatWasAcknowledgedWhereverThePowerGoes) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  CrashCount count;
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    const uint64_t step = CutStep(6);
    uint64_t cut = seed % step;
    while (!LiveUntil(cut, log_bytes_max, seed, count)) {
      ASSERT_EQ(count.wrong, 0u) << "cut at change " << cut << ", log of " << log_bytes_max << ", "
                                 << count.first_wrong;
      cut += step;
    }
  }
  std::cout << count.states << " distinct crash states of databases\n";
  EXPECT_EQ(count.wrong, 0u) << count.first_wrong;
  EXPECT_GT(count.states, 300u);
}

// One kind of fault at one operation, or at all from there on.
struct Fault {
  uint64_t log_bytes_max = 0;
  bool full = false;
  bool for_ever = false;
  uint64_t at = 0;

  std::string ToString() const {
    return "operation " + std::to_string(at) + (full ? " without space" : " broken") +
           (for_ever ? ", for ever" : ", once") + ", log of " + std::to_string(log_bytes_max);
  }
  Status Of(env::SimulatedOperation::Kind kind) const {
    using Kind = env::SimulatedOperation::Kind;
    if (!full) return IoError("broken");
    const bool needs_space = kind == Kind::kWrite || kind == Kind::kAllocate ||
                             kind == Kind::kCreate || kind == Kind::kCreateDirectory;
    return needs_space ? StorageFullError("no space") : OkStatus();
  }
};

// Empty, or what is wrong; `reached` tells whether there was such an operation.
std::string LiveWith(const Fault& fault, uint64_t seed, bool& reached) {
  Machine machine = Machine::New(seed + fault.at);
  std::atomic<bool> hit{false};
  std::atomic<bool> armed{true};
  machine.SetFault([&](const env::SimulatedOperation& operation, uint64_t at) {
    if (!armed || (fault.for_ever ? at < fault.at : at != fault.at)) return OkStatus();
    hit = true;
    return fault.Of(operation.kind);
  });
  World world(machine, fault.log_bytes_max);
  Truth truth;
  Script script(world, truth);
  WriteScript(script, true);
  const Faults faults = fault.for_ever ? Faults::kForEver : Faults::kOnce;
  Life life(world, truth, faults);
  Status opened = world.Open(false);
  if (!opened.ok() && !fault.for_ever) opened = world.Open(false);
  std::string wrong;
  if (opened.ok()) wrong = life.Run(script.steps());
  if (!opened.ok() && !fault.for_ever) wrong = opened.ToString();
  // Closing is a part of it, or comes after it.
  if (fault.at % 2 == 0) armed = false;
  world.Close();
  armed = false;
  reached = hit;
  if (!wrong.empty()) return wrong;
  const bool cuts_power = fault.at % 3 != 0;
  auto after = cuts_power ? machine.disk().CloneAfterCrash(seed + fault.at) : machine.TakeDisk();
  return Judge(std::move(after), {{&truth}, fault.log_bytes_max}, true);
}

TEST(DatabaseCrash, FailingOperationsLoseNothing) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  uint64_t faults = 0;
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    for (const bool full : {false, true}) {
      for (const bool for_ever : {false, true}) {
        const uint64_t step = StepOf(23);
        Fault fault{log_bytes_max, full, for_ever, seed % step};
        for (bool reached = true; reached; fault.at += step, ++faults) {
          ASSERT_EQ(LiveWith(fault, seed, reached), "") << fault.ToString();
        }
      }
    }
  }
  std::cout << faults << " faults of databases\n";
}

// A record with a vector that the manifest, which is found after all, doesn't know could not be
// read.
TEST(DatabaseCrash, AChangeOfVectorsThatMayCountEndsWrites) {
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Machine machine = Machine::New(seed);
    World world(machine, kLogBytesMax[0]);
    ASSERT_TRUE(world.Open(false).ok());
    ASSERT_TRUE(world.Create("a").ok());
    ASSERT_TRUE(world.ChangeVectors("a", true).ok());
    bool with_added = false;
    ASSERT_TRUE(world.Upsert("a", {1, 2}, 1, with_added).ok());
    ASSERT_TRUE(world.Seal("a").ok());
    bool counts = false;
    machine.SetFault([&](const env::SimulatedOperation& operation, uint64_t) {
      using Kind = env::SimulatedOperation::Kind;
      if (operation.kind == Kind::kSyncDirectory && counts) return IoError("broken");
      counts = operation.kind == Kind::kRename && operation.path.ends_with("/CURRENT");
      return OkStatus();
    });
    ASSERT_FALSE(world.ChangeVectors("a", false).ok());
    machine.SetFault([](const env::SimulatedOperation&, uint64_t) { return OkStatus(); });
    EXPECT_EQ(world.Upsert("a", {2, 3}, 2, with_added).code(), ErrorCode::kUnavailable);
    EXPECT_EQ(world.Read()->collections["a"].points.size(), 2u);
    world.CutPower();
    ASSERT_TRUE(world.Open(true).ok());
    const Result<State> found = world.Read();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->collections.at("a").points.size(), 2u);
    EXPECT_TRUE(world.Upsert("a", {2, 3}, 2, with_added).ok());
  }
}

// One of two who write beside each other: a life of its own, and points of a collection that both
// write to.
class Writer {
 public:
  static constexpr char kShared[] = "shared";

  Writer(World& world, const std::string& prefix, uint64_t first_id)
      : world_(world), first_id_(first_id), truth_(prefix), script_(world, truth_) {
    WriteScript(script_, false);
  }

  void Run() {
    Life life(world_, truth_, Faults::kPowerGoes);
    for (const Step& step : script_.steps()) {
      wrong_ = life.Do(step);
      if (!wrong_.empty() || !life.finished()) return;
      for (int i = 0; i < 3; ++i) {
        if (!WriteShared().ok()) return;
      }
    }
    finished_ = true;
  }

  const Truth& truth() const { return truth_; }
  const std::string& wrong() const { return wrong_; }
  bool finished() const { return finished_; }
  std::string Check(const State& found) const {
    const auto shared = found.collections.find(kShared);
    if (shared == found.collections.end()) return "the shared one has gone";
    Points mine = shared->second.points;
    std::erase_if(mine, [&](const auto& point) {
      return point.first < first_id_ || point.first >= first_id_ + kIds;
    });
    return mine == acknowledged_ || mine == under_way_ ? "" : "of the shared one points are wrong";
  }

 private:
  static constexpr uint64_t kIds = 100;

  Status WriteShared() {
    ++version_;
    const auto number = static_cast<uint64_t>(version_);
    const std::vector<uint64_t> ids = {first_id_ + number % 7, first_id_ + 10 + number % 5};
    for (const uint64_t id : ids) under_way_[id] = {version_, false};
    bool with_added = false;
    AKIDB_RETURN_IF_ERROR(world_.Upsert(kShared, ids, version_, with_added));
    acknowledged_ = under_way_;
    return OkStatus();
  }

  World& world_;
  const uint64_t first_id_;
  Truth truth_;
  Script script_;
  int64_t version_ = 0;
  Points acknowledged_;
  Points under_way_;
  std::string wrong_;
  bool finished_ = false;
};

// Syncs, and every fourth of the other operations, wait while others come by, for longer or
// shorter.
class SlowDisk {
 public:
  explicit SlowDisk(uint64_t seed) : seed_(seed) {}

  void Slow(env::SimulatedFileSystem& disk) {
    disk.SetDelay([this](env::SimulatedOperation::Kind kind, const std::string&) { Delay(kind); });
  }
  // How often an operation was another thread's than the one before.
  uint64_t turns() const { return turns_; }

 private:
  void Delay(env::SimulatedOperation::Kind kind) {
    const std::thread::id me = std::this_thread::get_id();
    if (last_.exchange(me) != me) ++turns_;
    uint64_t dice = (seed_ + ++operations_) * 0x9E3779B97F4A7C15;
    dice ^= dice >> 29;
    if (dice % 4 != 0 && kind != env::SimulatedOperation::Kind::kSyncData) return;
    for (uint64_t i = (dice >> 40) % 256; i > 0; --i) std::this_thread::yield();
  }

  const uint64_t seed_;
  std::atomic<std::thread::id> last_{};
  std::atomic<uint64_t> operations_{0};
  std::atomic<uint64_t> turns_{0};
};

// Returns how many changes of the disk there were before the cut, or the end.
uint64_t WriteBeside(uint64_t cut, uint64_t seed, CrashCount& count) {
  Machine machine = Machine::New(seed + cut);
  SlowDisk slow(seed + cut);
  World world(machine, kLogBytesMax[cut % 2]);
  EXPECT_TRUE(world.Open(false).ok());
  EXPECT_TRUE(world.Create(Writer::kShared).ok());
  Writer one(world, "1.", 1000);
  Writer two(world, "2.", 2000);
  slow.Slow(machine.disk());
  const uint64_t begin = machine.changes();
  machine.PowerOffAfter(cut);
  std::thread other([&] { two.Run(); });
  one.Run();
  other.join();
  world.Close();
  const uint64_t changes = machine.changes() - begin;
  count.Add(one.wrong() + two.wrong(), "while they write");
  machine.disk().SetDelay(nullptr);
  const auto check = [&](const State& found) { return one.Check(found) + two.Check(found); };
  JudgeSurvivors(machine.disk(), {{&one.truth(), &two.truth()}, kLogBytesMax[cut % 2], check},
                 seed * 7919 + cut * 100'000, count);
  // Of a whole life: they were beside each other.
  if (one.finished() && two.finished()) EXPECT_GT(slow.turns(), changes / 20);
  return changes;
}

// On a disk whose operations take their time, each another one.
TEST(DatabaseCrash, TwoWritersBesideEachOtherLoseNothing) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  CrashCount count;
  const uint64_t changes = WriteBeside(UINT32_MAX, seed, count);
  ASSERT_GT(changes, 200u) << count.first_wrong;
  for (uint64_t life = 0; life < 48 * Lives() && count.wrong == 0; ++life) {
    const uint64_t cut = (seed + life) * 0x9E3779B97F4A7C15 % changes;
    WriteBeside(cut, seed + life, count);
    ASSERT_EQ(count.wrong, 0u) << "life " << life << ", cut at change " << cut << ", "
                               << count.first_wrong;
  }
  std::cout << count.states << " distinct crash states of databases with two writers\n";
}

// The calendar goes back by a day, stands still, goes ahead by years, and is before 1970.
TEST(DatabaseCalendar, SnapshotsOfAnyDateStayApart) {
  constexpr int64_t kNow = 1'700'000'000;
  constexpr int64_t kDay = 86'400;
  Machine machine = Machine::New(TestSeed());
  World world(machine, kLogBytesMax[0]);
  ASSERT_TRUE(world.Open(false).ok());
  ASSERT_TRUE(world.Create("a").ok());
  std::vector<Taken> taken;
  std::set<std::pair<std::string, std::string>> names;
  for (const int64_t now : {kNow, kNow - kDay, kNow, kNow, kNow + 7000 * kDay, int64_t{-7}, kNow}) {
    world.SetCalendar(now);
    bool with_added = false;
    ASSERT_TRUE(world.Upsert("a", {taken.size()}, 1, with_added).ok());
    if (taken.size() % 2 == 1) {
      world.CutPower();
      ASSERT_TRUE(world.Open(true).ok());
    }
    const auto made = world.database()->CreateSnapshot(world.context(), "a");
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    EXPECT_EQ(made->created_s, static_cast<uint64_t>(std::max<int64_t>(0, now)));
    taken.push_back({"a", made->name, world.Read()->collections["a"]});
    EXPECT_TRUE(names.emplace("a", made->name).second) << made->name;
    ASSERT_TRUE(world.database()->CreateStorageSnapshot(world.context()).ok());
  }
  world.SetCalendar(kNow - 365 * kDay);
  world.CutPower();
  ASSERT_TRUE(world.Open(true).ok());
  EXPECT_EQ(world.CheckSnapshots(names), "");
  EXPECT_EQ(world.database()->snapshots().List("a")->size(), taken.size());
  EXPECT_EQ(world.database()->snapshots().List(SnapshotStore::kWholeStorage)->size(), taken.size());
  for (const Taken& one : taken) {
    const std::string path = *world.database()->snapshots().PathOf("a", one.name);
    ASSERT_TRUE(world.database()->RestoreSnapshot(world.context(), "a", path).ok());
    EXPECT_EQ(world.Read()->collections["a"], one.held) << one.name;
  }
}

}  // namespace
}  // namespace akidb::engine
