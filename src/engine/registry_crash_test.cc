// Power cuts and failing operations at every moment of a registry's life: the system log, which is
// the truth, and the catalog, whose files SQLite writes through the same file system. What is found
// afterwards must be the state after the last acknowledged change, or after the one under way.
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "engine/registry.h"
#include "env/disk_damage.h"
#include "env/disk_fingerprint.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

constexpr char kFolder[] = "/data";

uint64_t TestSeed(uint64_t usual = 31415) { return FromEnvironment("AKIDB_TEST_SEED", usual); }
uint64_t SeedsPerCut() { return FromEnvironment("AKIDB_CRASH_SEEDS", 8); }

// Names of collections and, with a leading '@', of aliases, and what they stand for.
using State = std::map<std::string, std::string>;

Uuid UuidOf(uint64_t number) {
  Uuid uuid;
  for (size_t i = 0; i < 8; ++i) uuid.bytes[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return uuid;
}

// How many bytes of records the system log may have before it is cut: it never is, or each few
// changes.
constexpr uint64_t kLogBytesMax[] = {1 << 20, 150};

class World {
 public:
  World(env::FileSystem& fs, uint64_t log_bytes_max)
      : fs_(fs),
        log_bytes_max_(log_bytes_max),
        reserve_(fs, *log_, env::JoinPath(kFolder, "reserve")) {}

  uint64_t log_bytes_max() const { return log_bytes_max_; }

  Status Open() {
    registry_.reset();
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(env::JoinPath(kFolder, "collections")));
    AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(kFolder));
    AKIDB_ASSIGN_OR_RETURN(
        registry_, Registry::Open(kFolder, {fs_, *random_, *log_}, reserve_, log_bytes_max_));
    return OkStatus();
  }

  void Close() { registry_.reset(); }

  // Change number 1, 2, …, the same in every world.
  Status Change(uint64_t number, State& state) {
    const std::string name = "c" + std::to_string(number % 4);
    const std::string alias = "@a" + std::to_string(number % 3);
    const auto found = state.find(name);
    const Uuid uuid = UuidOf(number);
    if (number % 5 == 4 && found != state.end()) {
      SetAliasesRecord record;
      record.items = {{alias.substr(1), Uuid::Parse(found->second)}, {"gone", std::nullopt}};
      state[alias] = found->second;
      return registry_->Apply(record);
    }
    if (found == state.end()) {
      state[name] = uuid.ToString();
      AKIDB_RETURN_IF_ERROR(MakeFolder(uuid));
      return registry_->Apply(CreateCollectionRecord{uuid, name, R"({"vectors":{}})"});
    }
    const std::string old = found->second;
    if (number % 2 == 0) {
      for (auto& [key, value] : state) {
        if (value == old) value = uuid.ToString();
      }
      AKIDB_RETURN_IF_ERROR(MakeFolder(uuid));
      const ReplaceCollectionRecord record{uuid, name, "{}", Uuid::Parse(old), {{"", "m", "f"}}};
      return ApplyAndRemove(record, old);
    }
    std::erase_if(state, [&](const auto& entry) { return entry.second == old; });
    return ApplyAndRemove(DeleteCollectionRecord{*Uuid::Parse(old)}, old);
  }

  Result<State> Read() const {
    State state;
    AKIDB_ASSIGN_OR_RETURN(auto collections, registry_->catalog().Collections());
    for (const catalog::CollectionRow& row : collections) state[row.name] = row.uuid.ToString();
    AKIDB_ASSIGN_OR_RETURN(auto aliases, registry_->catalog().Aliases());
    for (const catalog::AliasRow& row : aliases) {
      state["@" + row.name] = row.collection->ToString();
    }
    return state;
  }

 private:
  static std::string FolderOf(const std::string& uuid) {
    return env::JoinPath(env::JoinPath(kFolder, "collections"), uuid);
  }
  Status MakeFolder(const Uuid& uuid) {
    const std::string folder = FolderOf(uuid.ToString());
    AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(folder));
    return fs_.SyncDirectory(env::DirectoryOf(folder));
  }
  // What is left of the folder does no harm.
  Status ApplyAndRemove(const SystemRecord& record, const std::string& old) {
    AKIDB_RETURN_IF_ERROR(registry_->Apply(record));
    static_cast<void>(fs_.RemoveAll(FolderOf(old)));
    return OkStatus();
  }

  env::FileSystem& fs_;
  const uint64_t log_bytes_max_;
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(11);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  SpaceReserve reserve_;
  std::unique_ptr<Registry> registry_;
};

struct Life {
  uint64_t log_bytes_max = 0;
  size_t acknowledged = 0;
  std::vector<State> states;  // after change 0, 1, …, the one under way included
  bool finished = false;
};

constexpr size_t kChanges = 24;

Life Live(World& world) {
  Life life;
  life.log_bytes_max = world.log_bytes_max();
  life.states.emplace_back();
  if (!world.Open().ok()) return life;
  for (size_t number = 1; number <= kChanges; ++number) {
    State state = life.states.back();
    const Status status = world.Change(number, state);
    life.states.push_back(std::move(state));
    if (!status.ok()) return life;
    life.acknowledged = number;
    if (number == 15 && !world.Open().ok()) return life;
  }
  life.finished = true;
  return life;
}

std::string Judge(env::FileSystem& disk, const Life& life) {
  World world(disk, life.log_bytes_max);
  if (Status status = world.Open(); !status.ok()) return status.ToString();
  Result<State> found = world.Read();
  if (!found.ok()) return found.status().ToString();
  for (size_t i = life.acknowledged; i < life.states.size(); ++i) {
    if (*found != life.states[i]) continue;
    // And life goes on from there.
    State state = *found;
    Status status = world.Change(101, state);
    if (status.ok()) status = world.Open();
    if (!status.ok()) return status.ToString();
    found = world.Read();
    return found.ok() && *found == state ? "" : "what was changed after the recovery is wrong";
  }
  return "not the state after change " + std::to_string(life.acknowledged) + " or a later one";
}

// The catalog is a view: without it everything is found, too.
std::string JudgeWithoutCatalog(env::FileSystem& disk, const Life& life) {
  for (const char* name : {"catalog.db", "catalog.db-wal", "catalog.db-shm"}) {
    const Status status = disk.Remove(env::JoinPath(kFolder, name));
    if (!status.ok() && status.code() != ErrorCode::kNotFound) return status.ToString();
  }
  return Judge(disk, life);
}

std::unique_ptr<env::SimulatedFileSystem> MakeDisk(uint64_t seed) {
  auto disk = std::make_unique<env::SimulatedFileSystem>(seed);
  EXPECT_TRUE(disk->CreateDirectories(kFolder).ok());
  EXPECT_TRUE(disk->SyncDirectory("/").ok());
  return disk;
}

TEST(RegistryCrash, KeepsEveryAcknowledgedChangeWhereverThePowerGoes) {
  // By this one a catalog that is never synced is found: few are, since its pages have checksums.
  const uint64_t seed = TestSeed(2);
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  uint64_t states = 0;
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    bool finished = false;
    for (uint64_t cut = 0; !finished; ++cut) {
      auto disk = MakeDisk(seed + cut);
      Life life;
      {
        World world(*disk, log_bytes_max);
        disk->PowerOffAfter(cut);
        life = Live(world);
      }
      finished = life.finished;
      std::set<uint64_t> seen;
      for (uint64_t i = 0; i < SeedsPerCut(); ++i) {
        auto after = disk->CloneAfterCrash(seed * 7919 + cut * 100'000 + i);
        if (!seen.insert(env::FingerprintOf(*after, "/")).second) continue;
        auto without = disk->CloneAfterCrash(seed * 7919 + cut * 100'000 + i);
        ASSERT_EQ(Judge(*after, life) + JudgeWithoutCatalog(*without, life), "")
            << "cut at change " << cut << ", crash " << i << ", log of " << log_bytes_max;
        ++states;
      }
    }
  }
  std::cout << states << " distinct crash states of registries\n";
  EXPECT_GT(states, 600u);
}

// One kind of fault at one operation, or at all from there on.
struct Fault {
  uint64_t log_bytes_max = 0;
  bool full = false;
  bool for_ever = false;
  uint64_t at = 0;
};

// Whether there was such an operation.
bool LiveWith(const Fault& fault, uint64_t seed) {
  auto disk = MakeDisk(seed + fault.at);
  const uint64_t begin = disk->counters().operations;
  bool reached = false;
  bool armed = true;
  disk->SetFaultHook([&](const env::SimulatedOperation& operation) {
    const uint64_t at = operation.index - begin;
    if (!armed || (fault.for_ever ? at < fault.at : at != fault.at)) return OkStatus();
    reached = true;
    using Kind = env::SimulatedOperation::Kind;
    if (!fault.full) return IoError("broken");
    const bool needs_space = operation.kind == Kind::kWrite || operation.kind == Kind::kAllocate ||
                             operation.kind == Kind::kCreate;
    return needs_space ? StorageFullError("no space") : OkStatus();
  });
  Life life;
  {
    World world(*disk, fault.log_bytes_max);
    life = Live(world);
    armed = false;
  }
  auto after = disk->CloneAfterCrash(seed + fault.at);
  EXPECT_EQ(Judge(*after, life), "")
      << "operation " << fault.at << (fault.full ? " without space" : " broken")
      << (fault.for_ever ? ", for ever" : ", once") << ", log of " << fault.log_bytes_max;
  return reached;
}

TEST(RegistryCrash, FailingOperationsLoseNothing) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  uint64_t faults = 0;
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    for (const bool full : {false, true}) {
      for (const bool for_ever : {false, true}) {
        Fault fault{log_bytes_max, full, for_ever, 0};
        while (LiveWith(fault, seed) && !HasFailure()) {
          fault.at += full ? 3 : 1;
          ++faults;
        }
      }
    }
  }
  std::cout << faults << " faults of registries\n";
}

// Flipped bits and lost ends in the system log, its checkpoint and in the files of the catalog:
// what is there afterwards is what was there, or an error that calls it damage.
TEST(RegistryDamage, IsFoundOrHarmless) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  const uint64_t trials =
      FromEnvironment("AKIDB_DAMAGE_TRIALS", std::getenv("AKIDB_DEEP") != nullptr ? 50'000 : 2'000);
  std::mt19937_64 random(seed);
  // With and without a checkpoint; closed, and as when the power went, with the catalog's log.
  std::vector<std::unique_ptr<env::SimulatedFileSystem>> disks;
  std::vector<Life> lives;
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    auto disk = MakeDisk(seed);
    World world(*disk, log_bytes_max);
    const Life life = Live(world);
    ASSERT_TRUE(life.finished);
    disks.push_back(disk->CloneAfterCrash(seed));
    world.Close();
    disks.push_back(std::move(disk));
    lives.insert(lives.end(), 2, life);
  }
  uint64_t refused = 0;
  for (uint64_t trial = 0; trial < trials; ++trial) {
    const Life& life = lives[trial % lives.size()];
    auto disk = disks[trial % disks.size()]->CloneAfterCrash(trial);
    const env::DiskDamage damage = env::DamageOneFile(*disk, kFolder, random);
    if (damage.path.empty()) continue;
    SCOPED_TRACE("trial " + std::to_string(trial) + ": " + damage.ToString());
    World world(*disk, life.log_bytes_max);
    Status status = world.Open();
    const Result<State> found = status.ok() ? world.Read() : status;
    if (!found.ok()) {
      ASSERT_EQ(found.status().code(), ErrorCode::kCorruption) << found.status().ToString();
      ++refused;
      continue;
    }
    ASSERT_EQ(*found, life.states.back());
  }
  std::cout << trials << " damaged registries: " << refused << " refused\n";
  EXPECT_GT(refused, trials / 10);
}

// Each of its pages is right then, and what they say together is wrong.
TEST(RegistryDamage, ACatalogOfPagesOfSeveralAgesIsMadeAnew) {
  for (const uint64_t log_bytes_max : kLogBytesMax) {
    auto disk = MakeDisk(1);
    World world(*disk, log_bytes_max);
    const Life life = Live(world);
    world.Close();
    {
      auto catalog = *catalog::Catalog::Open(*disk, env::JoinPath(kFolder, "catalog.db"));
      SystemState state = *StateOf(*catalog);
      ASSERT_FALSE(state.aliases.empty());
      state.aliases.clear();
      state.collections.begin()->second.name = "of another age";
      ASSERT_TRUE(LoadState(state, *catalog).ok());
    }
    ASSERT_TRUE(world.Open().ok());
    EXPECT_EQ(*world.Read(), life.states.back());
  }
}

}  // namespace
}  // namespace akidb::engine
