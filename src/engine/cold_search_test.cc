// Searches of segments whose vectors and second codes have to be read from the device first: on the
// simulated disk, all of them always.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

using Operation = env::SimulatedOperation;

class ColdSearchTest : public IndexedCollectionFixture {
 protected:
  static constexpr uint64_t kPoints = 3000;

  ColdSearchTest() : IndexedCollectionFixture(40) {}
  ~ColdSearchTest() override { disk_->SetFaultHook({}); }

  std::string PayloadOf(uint64_t id) const override {
    return R"({"fifth":)" + std::to_string(id % 5) + "}";
  }
  void Make(const std::string& memory) {
    config_.echoed_json["metadata"] = R"({"akidb":{"memory":")" + memory + "\"}}";
    Create();
    Store(0, kPoints);
    Settle();
    Reopen();
    expected_ = Find().value();
    ASSERT_EQ(expected_.size(), 10u);
  }
  // What every read of a segment's file is answered by.
  void OnRead(std::function<Status(const Operation&)> answer) {
    disk_->SetFaultHook([answer = std::move(answer)](const Operation& operation) {
      const bool reads =
          operation.kind == Operation::Kind::kRead && IsSegment(std::string(operation.path));
      return reads ? answer(operation) : OkStatus();
    });
  }
  void CountReads(uint64_t& reads) {
    OnRead([&reads](const Operation&) {
      ++reads;
      return OkStatus();
    });
  }
  Result<std::vector<Hit>> Find(const RequestContext& context, SearchRequest request) {
    DenseVector query = VectorOf(1'000'000);
    simd::Normalize(query);
    request.query = query;
    request.ef = 10;  // with more, so small a graph is not walked
    return collection_->Search(context, request);
  }
  Result<std::vector<Hit>> Find() { return Find(context_, {}); }
  static std::vector<std::pair<PointId, float>> Of(const std::vector<Hit>& hits) {
    std::vector<std::pair<PointId, float>> found;
    for (const Hit& hit : hits) found.emplace_back(hit.id, hit.distance);
    return found;
  }
  void ExpectTheSameAsBefore(const std::vector<Hit>& hits) { EXPECT_EQ(Of(hits), Of(expected_)); }
  void ExpectRefused(const Status& status) {
    EXPECT_EQ(status.code(), ErrorCode::kUnavailable) << status.ToString();
    EXPECT_NE(status.message().find(".seg"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("a bad block"), std::string::npos) << status.message();
  }

  std::vector<Hit> expected_;
};

TEST_F(ColdSearchTest, CandidatesAreReadAFewTimesAndNotOneByOne) {
  Make("balanced");
  SearchRequest request;
  SearchPlan plan;
  request.plan = &plan;
  uint64_t reads = 0;
  CountReads(reads);
  auto hits = Find(context_, request);
  ASSERT_TRUE(hits.ok());
  ExpectTheSameAsBefore(*hits);
  uint64_t compared = 0;
  bool walked = false;
  for (const SourcePlan& source : plan.sources) {
    compared += source.compared;
    walked = walked || source.way == SearchWay::kGraph;
  }
  EXPECT_TRUE(walked);
  // Vectors that are next to each other, or in the same block that is yet to be checked, are one.
  EXPECT_GT(reads, 0u);
  EXPECT_LE(reads, compared + 2 * 16);
}

TEST_F(ColdSearchTest, AFailingReadIsAnErrorOfTheSearchAndOfNothingElse) {
  for (const char* memory : {"balanced", "compact"}) {
    Make(memory);
    // Every read of a search fails once.
    for (int failing = 0;; ++failing) {
      int reads = 0;
      OnRead([&](const Operation&) {
        return reads++ == failing ? IoError("a bad block") : OkStatus();
      });
      auto hits = Find();
      if (reads <= failing) {
        ASSERT_TRUE(hits.ok());
        ExpectTheSameAsBefore(*hits);
        EXPECT_GT(failing, 1);
        break;
      }
      ExpectRefused(hits.status());
      EXPECT_TRUE(collection_->Count(context_, nullptr).ok());
    }
    disk_->SetFaultHook({});
    auto hits = Find();
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    ExpectTheSameAsBefore(*hits);
    collection_.reset();
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
  }
}

TEST_F(ColdSearchTest, WritesGoOnWhileReadsFail) {
  Make("balanced");
  OnRead([](const Operation&) { return IoError("a bad block"); });
  Store(kPoints, 50);
  ExpectRefused(Find().status());
  EXPECT_EQ(*collection_->Count(context_, nullptr), kPoints + 50);
  EXPECT_TRUE(collection_->stats().read_only_reason.empty());
  disk_->SetFaultHook({});
  EXPECT_TRUE(Find().ok());
}

TEST_F(ColdSearchTest, ListsAreReadAtOnceToo) {
  Make("balanced");
  auto filter = std::make_shared<Filter>();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 900; id += 3) ids.push_back(PointId(id));
  filter->must.push_back(HasIdCondition(std::move(ids)));
  SearchRequest request;
  request.filter = filter;
  uint64_t reads = 0;
  CountReads(reads);
  auto hits = Find(context_, request);
  ASSERT_TRUE(hits.ok());
  EXPECT_GT(reads, 0u);
  std::set<uint64_t> found;
  for (const Hit& hit : *hits) found.insert(hit.id.number());
  request.exact = true;
  const auto nearest = Find(context_, request);
  ASSERT_TRUE(nearest.ok());
  std::set<uint64_t> exact;
  for (const Hit& hit : *nearest) exact.insert(hit.id.number());
  EXPECT_EQ(found, exact);
  OnRead([](const Operation&) { return IoError("a bad block"); });
  ExpectRefused(Find(context_, request).status());
}

TEST_F(ColdSearchTest, EndsWhenItIsCancelledBetweenTwoBatches) {
  for (const char* memory : {"balanced", "compact"}) {
    Make(memory);
    RequestContext context;
    uint64_t reads = 0;
    OnRead([&](const Operation&) {
      context.Cancel();
      ++reads;
      return OkStatus();
    });
    EXPECT_EQ(Find(context, {}).status().code(), ErrorCode::kCancelled);
    EXPECT_GT(reads, 0u);
    disk_->SetFaultHook({});
    collection_.reset();
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
  }
}

TEST_F(ColdSearchTest, ManyThreadsWithReadsThatFailNowAndThen) {
  Make("compact");
  std::atomic<uint64_t> reads{0};
  OnRead(
      [&](const Operation&) { return reads++ % 997 == 996 ? IoError("a bad block") : OkStatus(); });
  std::mutex mutex;
  size_t refused = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        auto hits = Find();
        std::lock_guard lock(mutex);
        if (hits.ok()) {
          ExpectTheSameAsBefore(*hits);
        } else {
          ExpectRefused(hits.status());
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0u);
  EXPECT_LT(refused, 400u);
}

TEST_F(ColdSearchTest, ADamagedBlockOfVectorsIsAnErrorThatNamesTheFile) {
  Make("balanced");
  const auto names = disk_->List("/data/c/seg");
  for (const std::string& name : *names) {
    if (!IsSegment(name)) continue;
    const std::string path = "/data/c/seg/" + name;
    auto content = env::ReadWholeFile(*disk_, path, uint64_t{1} << 30);
    ASSERT_TRUE(content.ok());
    const auto bytes = std::as_bytes(std::span(*content));
    auto trailer = storage::DecodeSectionFileTrailer(bytes.last(storage::kSectionFileTrailerBytes));
    auto footer = storage::DecodeSectionFileFooter(
        bytes.subspan(trailer->footer_offset, trailer->footer_bytes));
    for (const storage::SectionEntry& section : footer->sections) {
      if (section.key.id != storage::SectionId::kRows) continue;
      // Only blocks that hold nothing else, which opening would look at.
      constexpr uint64_t kBlock = storage::kSectionBlockBytes;
      const uint64_t end = section.offset + section.bytes;
      for (uint64_t at = storage::AlignUp(section.offset, kBlock); at + kBlock <= end;
           at += kBlock) {
        ASSERT_TRUE(disk_->FlipBit(path, (at + kBlock / 2) * 8).ok());
      }
    }
  }
  Reopen();
  EXPECT_EQ(collection_->stats().damage, "");
  auto hits = Find();
  EXPECT_EQ(hits.status().code(), ErrorCode::kCorruption) << hits.status().ToString();
  EXPECT_NE(hits.status().message().find(".seg"), std::string::npos);
  EXPECT_EQ(*collection_->Count(context_, nullptr), kPoints);
  EXPECT_EQ(collection_->stats().damage.find("damaged: /data/c/seg/"), 0u);
}

}  // namespace
}  // namespace akidb::engine
