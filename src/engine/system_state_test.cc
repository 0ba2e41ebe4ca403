#include "engine/system_state.h"

#include <random>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/test_environment.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

Uuid UuidOf(uint8_t number) {
  Uuid uuid;
  uuid.bytes[15] = number;
  return uuid;
}

SystemState SmallState() {
  SystemState state;
  EXPECT_TRUE(state.Apply(1, CreateCollectionRecord{UuidOf(1), "manual", "{}"}).ok());
  EXPECT_TRUE(state.Apply(2, CreateCollectionRecord{UuidOf(2), "voice", "{\"a\":1}"}).ok());
  EXPECT_TRUE(state.Apply(3, BindModelRecord{UuidOf(2), "text", "model", "print"}).ok());
  EXPECT_TRUE(state.Apply(4, SetAliasesRecord{{{"m", UuidOf(1)}, {"n", UuidOf(9)}}}).ok());
  return state;
}

// One that fits what is there.
SystemRecord AnyRecord(const SystemState& state, uint8_t number, std::mt19937_64& random) {
  const auto below = [&](uint64_t bound) { return random() % bound; };
  auto any = state.collections.begin();
  if (!state.collections.empty()) {
    std::advance(any, static_cast<int64_t>(below(state.collections.size())));
  }
  const uint64_t kind = state.collections.empty() ? 0 : below(6);
  if (kind == 1 && state.collections.size() > 2) return DeleteCollectionRecord{any->first};
  if (kind == 2 && any->second.models.empty()) {
    return BindModelRecord{any->first, "v" + std::to_string(below(3)), "m", "f"};
  }
  if (kind == 3) {
    SetAliasesRecord record{{{"a" + std::to_string(below(4)), any->first}, {"gone", {}}}};
    if (below(3) == 0) record.items.push_back({"of none", UuidOf(255)});
    return record;
  }
  if (kind == 4) {
    return ReplaceCollectionRecord{
        UuidOf(number), any->second.name, "{\"r\":1}", any->first, {{"", "m", "f"}}};
  }
  return CreateCollectionRecord{UuidOf(number), "c" + std::to_string(number), "{}"};
}

TEST(SystemStateTest, ComesToWhatTheCatalogComesTo) {
  const uint64_t seed = FromEnvironment("AKIDB_TEST_SEED", 27182);
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  env::SimulatedFileSystem fs(seed);
  for (int life = 0; life < 4; ++life) {
    const std::string path = "/catalog" + std::to_string(life);
    auto catalog = std::move(catalog::Catalog::Open(fs, path)).value();
    auto loaded = std::move(catalog::Catalog::Open(fs, path + "-loaded")).value();
    SystemState state;
    for (uint8_t number = 1; number < 100; ++number) {
      const SystemRecord record = AnyRecord(state, number, random);
      ASSERT_TRUE(state.Apply(number, record).ok());
      ASSERT_TRUE(ApplyToCatalog(number, record, *catalog).ok());
      ASSERT_EQ(*StateOf(*catalog), state) << "after record " << int{number};
      auto decoded = DecodeSystemCheckpoint(EncodeSystemCheckpoint(state));
      ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
      ASSERT_EQ(*decoded, state);
      if (number % 9 != 0) continue;
      ASSERT_TRUE(LoadState(state, *loaded).ok());
      ASSERT_EQ(*StateOf(*loaded), state);
    }
  }
}

TEST(SystemStateTest, RefusesRecordsThatDoNotFit) {
  SystemState state = SmallState();
  const SystemRecord records[] = {
      CreateCollectionRecord{UuidOf(1), "other", "{}"},
      BindModelRecord{UuidOf(9), "text", "model", "print"},
      BindModelRecord{UuidOf(2), "text", "another", "print"},
      ReplaceCollectionRecord{UuidOf(2), "manual", "{}", UuidOf(1), {}},
  };
  for (const SystemRecord& record : records) {
    EXPECT_EQ(state.Apply(5, record).code(), ErrorCode::kCorruption);
  }
}

TEST(SystemCheckpointTest, NoFlippedBitAndNoLostEndIsBelieved) {
  const std::vector<std::byte> bytes = EncodeSystemCheckpoint(SmallState());
  ASSERT_EQ(*DecodeSystemCheckpoint(bytes), SmallState());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_EQ(DecodeSystemCheckpoint(damaged).status().code(), ErrorCode::kCorruption) << bit;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeSystemCheckpoint(std::span(bytes).first(size)).status().code(),
              ErrorCode::kCorruption);
  }
}

// With a checksum that is right.
Status DecodeChanged(size_t offset, uint8_t value) {
  std::vector<std::byte> bytes = EncodeSystemCheckpoint(SmallState());
  bytes[offset] = std::byte{value};
  bytes.resize(bytes.size() - 4);
  const uint32_t sum = Crc32c(bytes);
  const auto end = std::as_bytes(std::span(&sum, 1));
  bytes.insert(bytes.end(), end.begin(), end.end());
  return DecodeSystemCheckpoint(bytes).status();
}

TEST(SystemCheckpointTest, NewerVersionsAreToldFromDamage) {
  EXPECT_EQ(DecodeChanged(8, 2).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(DecodeChanged(12, 1).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(DecodeChanged(8, 0).code(), ErrorCode::kCorruption);
  EXPECT_EQ(DecodeChanged(0, 'B').code(), ErrorCode::kCorruption);
  EXPECT_TRUE(DecodeChanged(16, 1).ok());                          // an optional feature
  EXPECT_EQ(DecodeChanged(32, 9).code(), ErrorCode::kCorruption);  // records that there aren't
  EXPECT_EQ(DecodeChanged(32, 1).code(), ErrorCode::kCorruption);
  EXPECT_EQ(DecodeChanged(40, 2).code(), ErrorCode::kCorruption);  // one that deletes
}

TEST(SystemCheckpointTest, IsPublishedOrTheOldOneStays) {
  env::SimulatedFileSystem fs(3);
  ASSERT_TRUE(fs.CreateDirectories("/system").ok());
  EXPECT_FALSE(ReadSystemCheckpoint(fs, "/system")->has_value());
  SystemState state = SmallState();
  ASSERT_TRUE(PublishSystemCheckpoint(fs, "/system", state).ok());
  const SystemState old = state;
  ASSERT_TRUE(state.Apply(5, DeleteCollectionRecord{UuidOf(1)}).ok());
  bool published = false;
  for (uint64_t fail_at = 0; !published; ++fail_at) {
    const uint64_t begin = fs.counters().operations;
    fs.SetFaultHook([&](const env::SimulatedOperation& operation) {
      return operation.index - begin == fail_at ? IoError("broken") : OkStatus();
    });
    published = PublishSystemCheckpoint(fs, "/system", state).ok();
    fs.SetFaultHook({});
    const auto found = *ReadSystemCheckpoint(fs, "/system");
    EXPECT_TRUE(found == old || found == state) << fail_at;
  }
  EXPECT_EQ(*ReadSystemCheckpoint(fs, "/system"), state);
}

}  // namespace
}  // namespace akidb::engine
