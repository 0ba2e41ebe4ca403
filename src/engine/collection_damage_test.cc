// Flipped bits and lost ends in any file of a collection: what is answered afterwards is what was
// written, or an error that calls it damage. Files are small here, all of them are looked at.
#include <cstdlib>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "engine/collection_life_fixture.h"
#include "env/disk_damage.h"

namespace akidb::engine {
namespace {

using life::Life;
using life::Live;
using life::MakeDisk;
using life::Merges;
using life::State;
using life::World;

uint64_t TestSeed() { return FromEnvironment("AKIDB_TEST_SEED", 271828); }
// As many disks as this are hurt; 200,000 with AKIDB_DEEP=1.
uint64_t Trials() {
  const uint64_t usual = std::getenv("AKIDB_DEEP") != nullptr ? 200'000 : 4'000;
  return FromEnvironment("AKIDB_DAMAGE_TRIALS", usual);
}
constexpr uint64_t kTrialsOfADisk = 250;

struct HurtDisk {
  std::unique_ptr<env::SimulatedFileSystem> disk;
  Life life;
  bool closed = false;  // else the power went
};

HurtDisk MakeHurtDisk(uint64_t seed) {
  HurtDisk made;
  made.closed = seed % 2 == 0;
  auto disk = MakeDisk(seed);
  {
    World world(*disk, seed);
    made.life = Live(world, seed % 4 < 2 ? Merges::kAwaited : Merges::kBesideWrites);
    EXPECT_TRUE(made.life.finished);
    if (!made.closed) made.disk = disk->CloneAfterCrash(seed);
  }
  if (made.closed) made.disk = std::move(disk);
  return made;
}

bool TellsOfDamage(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnsupported;
}

// Of the end of a log nothing is left that could tell it from one that never reached the disk: if
// it is hurt, changes since the last seal may be missing, the last first.
int64_t LeastState(const HurtDisk& hurt, const env::DiskDamage& damage) {
  const int64_t last = hurt.life.acknowledged;
  if (!damage.path.starts_with("/data/c/log/")) return last;
  // Several flips may hit the last records all.
  if (damage.cut_off || damage.places.size() > 1) return hurt.life.sealed;
  if (hurt.closed) return last;
  // The last record may be missing; those after it changed nothing, and wrote none.
  const State& end = hurt.life.states[static_cast<size_t>(last)];
  int64_t before = last;
  while (before > 0 && hurt.life.states[static_cast<size_t>(before)] == end) --before;
  return before;
}

// Whether that is a state from `least` on, but for points that were changed later: where a merge
// has left out their older rows, nothing is left of them when the record of the change is taken for
// one that never was (docs/ops/durability.md, "Not promised").
bool IsShorter(const State& found, const HurtDisk& hurt, int64_t least) {
  const std::vector<State>& states = hurt.life.states;
  const State& end = states[static_cast<size_t>(hurt.life.acknowledged)];
  for (int64_t i = least; i <= hurt.life.acknowledged; ++i) {
    State left = states[static_cast<size_t>(i)];
    std::erase_if(left, [&](const auto& entry) {
      const auto there = end.find(entry.first);
      const bool changed = there == end.end() || !(there->second == entry.second);
      return changed && !found.contains(entry.first);
    });
    if (found == left) return true;
  }
  return false;
}

struct Count {
  uint64_t refused = 0;
  uint64_t refused_answers = 0;
  uint64_t shorter = 0;
  uint64_t harmless = 0;
};

// Empty, or what is wrong.
std::string Judge(env::SimulatedFileSystem& disk, const HurtDisk& hurt, int64_t least,
                  Count& count) {
  World world(disk);
  if (Status opened = world.Open(); !opened.ok()) {
    ++count.refused;
    return TellsOfDamage(opened) ? "" : opened.ToString();
  }
  const std::vector<State>& states = hurt.life.states;
  const Result<State> found = world.Read();
  if (found.ok()) {
    if (*found == states[static_cast<size_t>(hurt.life.acknowledged)]) {
      ++count.harmless;
      return "";
    }
    ++count.shorter;
    const auto is = std::find(states.rbegin(), states.rend(), *found);
    const auto number = static_cast<int64_t>(states.rend() - is) - 1;  // -1: of none
    if (number >= least) return "";
    if (least < hurt.life.acknowledged && IsShorter(*found, hurt, least)) return "";
    return "there is state " + std::to_string(number) + ", " + std::to_string(least) + " to " +
           std::to_string(hurt.life.acknowledged) + " may be";
  }
  ++count.refused_answers;
  if (!TellsOfDamage(found.status())) return found.status().ToString();
  const Result<std::set<uint64_t>> ids = world.FoundIds();
  if (!ids.ok()) return TellsOfDamage(ids.status()) ? "" : ids.status().ToString();
  for (int64_t i = least; i <= hurt.life.acknowledged; ++i) {
    std::set<uint64_t> wanted;
    for (const auto& [id, stored] : states[static_cast<size_t>(i)]) wanted.insert(id);
    if (*ids == wanted) return "";
  }
  return "a search finds other points than there are";
}

TEST(CollectionDamage, IsFoundOrHarmless) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Count count;
  HurtDisk hurt;
  const uint64_t trials = Trials();
  for (uint64_t trial = 0; trial < trials; ++trial) {
    if (trial % kTrialsOfADisk == 0) hurt = MakeHurtDisk(seed + trial / kTrialsOfADisk);
    auto disk = hurt.disk->CloneAfterCrash(trial);
    const env::DiskDamage damage = env::DamageOneFile(*disk, "/data/c", random);
    if (damage.path.empty()) continue;  // an empty file
    ASSERT_EQ(Judge(*disk, hurt, LeastState(hurt, damage), count), "")
        << "trial " << trial << ": " << damage.ToString() << (hurt.closed ? ", closed" : ", cut");
  }
  std::cout << trials << " damaged collections: " << count.refused << " refused, "
            << count.refused_answers << " with answers refused, " << count.shorter
            << " with a shorter log, " << count.harmless << " unharmed\n";
  EXPECT_GT(count.refused + count.refused_answers, trials / 4);
}

}  // namespace
}  // namespace akidb::engine
