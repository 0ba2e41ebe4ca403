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

// Of the end of a log nothing may be left that could tell it from one that never reached the disk:
// if it is hurt, changes since the last manifest may be missing, the last first.
int64_t LeastState(const HurtDisk& hurt, const env::DiskDamage& damage) {
  const int64_t last = hurt.life.acknowledged;
  // Of one that was closed the manifest tells the end.
  if (hurt.closed || !damage.path.starts_with("/data/c/log/")) return last;
  // Several flips may hit the last records all.
  if (damage.cut_off || damage.places.size() > 1) return hurt.life.sealed;
  // The last record may be missing; those after it changed nothing, and wrote none.
  const State& end = hurt.life.states[static_cast<size_t>(last)];
  int64_t before = last;
  while (before > 0 && hurt.life.states[static_cast<size_t>(before)] == end) --before;
  return before;
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

// A bit of the last bytes of the log flips, or they are lost: where the power went, that looks like
// a torn tail.
env::DiskDamage DamageTheEndOfTheLog(env::SimulatedFileSystem& disk, std::mt19937_64& random) {
  constexpr uint64_t kEnd = 600;
  const std::string folder = "/data/c/log";
  env::DiskDamage damage;
  const Result<std::vector<std::string>> files = disk.List(folder);
  EXPECT_TRUE(files.ok() && !files->empty());
  damage.path = env::JoinPath(folder, files->back());
  const Result<std::string> bytes = env::ReadWholeFile(disk, damage.path, 1 << 20);
  EXPECT_TRUE(bytes.ok());
  damage.bytes = bytes->size();
  const uint64_t written = bytes->find_last_not_of('\0') + 1;
  const uint64_t place = written - 1 - random() % std::min(kEnd, written);
  damage.cut_off = random() % 2 == 0;
  if (damage.cut_off) {
    damage.places = {place};
    auto file = disk.Open(damage.path, env::OpenMode::kReadWrite);
    EXPECT_TRUE((*file)->Truncate(place).ok() && (*file)->SyncData().ok());
  } else {
    damage.places = {place * 8 + random() % 8};
    EXPECT_TRUE(disk.FlipBit(damage.path, damage.places[0]).ok());
  }
  return damage;
}

TEST(CollectionDamage, TheEndOfALogIsHeldAgainstTheManifest) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Count count;
  for (uint64_t number = 0; number < 60; ++number) {
    const HurtDisk hurt = MakeHurtDisk(seed + number);
    for (uint64_t trial = 0; trial < 10; ++trial) {
      auto disk = hurt.disk->CloneAfterCrash(trial);
      const env::DiskDamage damage = DamageTheEndOfTheLog(*disk, random);
      ASSERT_EQ(Judge(*disk, hurt, LeastState(hurt, damage), count), "")
          << "disk " << number << ": " << damage.ToString() << (hurt.closed ? ", closed" : ", cut");
    }
  }
  EXPECT_GT(count.refused, 100u);
  EXPECT_GT(count.shorter, 10u);
}

}  // namespace
}  // namespace akidb::engine
