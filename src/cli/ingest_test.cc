#include "cli/ingest.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

// A collection in memory that counts what it is asked for.
class MemoryBackend final : public Backend {
 public:
  void Cancel() override {}
  const std::string& place() const override { return place_; }
  Result<ModelFacts> FindModel(const std::string&) override { return ModelFacts{"m", 2, 256}; }
  Result<std::optional<CollectionFacts>> FindCollection(const std::string&) override {
    return std::optional<CollectionFacts>(CollectionFacts());
  }
  Status CreateCollection(const std::string&, const NewCollection&) override { return OkStatus(); }
  Status Upsert(const std::string&, const TextVectors&,
                std::span<const TextPoint> points) override {
    MutexLock lock(mutex_);
    if (upserts_left == 0) return UnavailableError("gone");
    --upserts_left;
    for (const TextPoint& point : points) stored[point.id] = point;
    sent += points.size();
    return OkStatus();
  }
  Status Delete(const std::string&, std::span<const PointId> ids) override {
    MutexLock lock(mutex_);
    for (const PointId& id : ids) stored.erase(id);
    return OkStatus();
  }
  Result<std::vector<StoredPoint>> Retrieve(const std::string&, std::span<const PointId> ids,
                                            const std::vector<std::string>& fields) override {
    MutexLock lock(mutex_);
    std::vector<StoredPoint> points;
    for (const PointId& id : ids) {
      if (auto found = stored.find(id); found != stored.end()) {
        points.push_back({id, SelectPayload(found->second.payload.root(),
                                            {PayloadSelector::Mode::kInclude, fields})});
      }
    }
    return points;
  }
  Result<StoredPage> Scroll(const std::string&, const std::optional<PointId>&,
                            const std::vector<std::string>&) override {
    StoredPage page;
    for (const auto& [id, point] : stored) page.points.push_back({id, point.payload});
    return page;
  }
  Result<SearchAnswer> Search(const std::string&, const SearchQuestion&) override {
    return SearchAnswer();
  }
  Result<EmbedAnswer> Embed(const std::string&, const std::vector<std::string>&) override {
    return EmbedAnswer();
  }

  std::map<PointId, TextPoint> stored;
  uint64_t sent = 0;
  int upserts_left = 1'000'000;

 private:
  const std::string place_ = "memory";
  Mutex mutex_;
};

class Ingestion : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(fs_->CreateDirectories(env::DirectoryOf(path)).ok());
    ASSERT_TRUE(env::WriteFileAtomically(*fs_, path, std::as_bytes(std::span(text))).ok());
    std::erase_if(files_, [&](const FoundFile& file) { return file.path == path; });
    files_.push_back({path, text.size()});
  }

  Status Run(IngestReport& report, bool prune = false) {
    Progress progress("passages", true, std::chrono::steady_clock::now());
    IngestOptions options;
    options.collection = "c";
    options.vectors = {"m"};
    options.prune = prune;
    options.roots = {"/d"};
    return Ingest({backend_, *fs_, files_, options, progress}, report);
  }

  IngestReport RunWell(bool prune = false) {
    IngestReport report;
    Status status = Run(report, prune);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return report;
  }

  // `count` sections, so that each is a passage.
  static std::string Sections(int count, const std::string& mark = "") {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += "# H" + std::to_string(i) + "\n\ntext " + std::to_string(i) + mark + "\n\n";
    }
    return text;
  }

  std::unique_ptr<env::FileSystem> fs_ = std::make_unique<env::SimulatedFileSystem>(1);
  std::vector<FoundFile> files_;
  MemoryBackend backend_;
};

TEST_F(Ingestion, StoresWhatAReaderNeeds) {
  Write("/d/a.md", "# Title\n\n## Part\n\nThe text.\n");
  IngestReport report = RunWell();
  EXPECT_EQ(report.files, 1U);
  EXPECT_EQ(report.passages, 1U);
  const TextPoint& point = backend_.stored.begin()->second;
  EXPECT_EQ(point.id, PassageId("c", "/d/a.md", 0));
  EXPECT_EQ(point.text, "Title > Part\nThe text.");
  std::string json;
  JsonWriter writer(json);
  point.payload.root().WriteJson(writer);
  EXPECT_THAT(json, ::testing::StartsWith(
                        R"({"text":"The text.","title":"Title","section":["Title","Part"],)"
                        R"("file":"/d/a.md","position":{"passage":0,"of":1,"line":5},"sha256":")"));
}

TEST_F(Ingestion, KeepsTheFieldsOfRecordsButNotOverItsOwn) {
  Write("/d/a.jsonl", R"({"text":"t","year":1999,"file":"mine","sha256":1})"
                      "\n");
  RunWell();
  const Payload& payload = backend_.stored.begin()->second.payload;
  EXPECT_EQ(payload.root().Member("year")->AsInt(), 1999);
  EXPECT_EQ(payload.root().Member("file")->AsString(), "/d/a.jsonl");
}

TEST_F(Ingestion, SendsNothingForTheSameFile) {
  Write("/d/a.md", Sections(300));
  EXPECT_EQ(RunWell().passages, 300U);
  IngestReport again = RunWell();
  EXPECT_EQ(again.unchanged, 1U);
  EXPECT_EQ(again.passages, 0U);
  EXPECT_EQ(backend_.sent, 300U);
}

TEST_F(Ingestion, ReplacesAChangedFileAndDeletesWhatIsGone) {
  Write("/d/a.md", Sections(600));
  RunWell();
  Write("/d/a.md", Sections(5, " changed"));
  IngestReport report = RunWell();
  EXPECT_EQ(report.passages, 5U);
  EXPECT_EQ(report.deleted, 595U);
  EXPECT_EQ(backend_.stored.size(), 5U);
  for (const auto& [id, point] : backend_.stored) {
    EXPECT_THAT(point.text, ::testing::HasSubstr("changed"));
  }
}

TEST_F(Ingestion, DeletesAllOfAFileThatHoldsNothingAnyMore) {
  Write("/d/a.md", Sections(3));
  RunWell();
  Write("/d/a.md", "");
  EXPECT_EQ(RunWell().deleted, 3U);
  EXPECT_TRUE(backend_.stored.empty());
}

TEST_F(Ingestion, GoesOnWhereItWasCutOff) {
  Write("/d/a.md", Sections(200));
  backend_.upserts_left = 3;
  IngestReport report;
  Status cut = Run(report);
  EXPECT_EQ(cut.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(report.passages, backend_.stored.size());
  backend_.upserts_left = 1000;
  EXPECT_EQ(RunWell().passages, 200 - report.passages);
  EXPECT_EQ(backend_.stored.size(), 200U);
  EXPECT_EQ(backend_.sent, 200U);
}

TEST_F(Ingestion, PassesOverFilesThatItCannotRead) {
  Write("/d/a.jsonl", "{broken\n");
  Write("/d/b.md", Sections(1));
  files_.push_back({"/d/missing.txt", 1});
  IngestReport report = RunWell();
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.passages, 1U);
}

TEST_F(Ingestion, PrunesFilesThatAreGoneOnlyWhenAsked) {
  Write("/d/a.md", Sections(2));
  Write("/d/b.md", Sections(1));
  Write("/dd/c.md", Sections(1));
  RunWell();
  std::erase_if(files_, [](const FoundFile& file) { return file.path != "/d/a.md"; });
  EXPECT_EQ(RunWell().deleted, 0U);
  EXPECT_EQ(RunWell(true).deleted, 1U);  // not /dd/c.md, which is not below /d
  EXPECT_EQ(backend_.stored.size(), 3U);
}

TEST(PassageId, DependsOnCollectionPathAndNumber) {
  PointId id = PassageId("c", "/a", 1);
  EXPECT_EQ(id, PassageId("c", "/a", 1));
  EXPECT_NE(id, PassageId("d", "/a", 1));
  EXPECT_NE(id, PassageId("c", "/b", 1));
  EXPECT_NE(id, PassageId("c", "/a", 2));
  EXPECT_EQ(id.uuid().bytes[6] >> 4, 5);
}

}  // namespace
}  // namespace akidb::cli
