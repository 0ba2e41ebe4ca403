#include "engine/background_recovery.h"

#include <fstream>
#include <future>
#include <iterator>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/event_log.h"
#include "engine/database.h"
#include "engine/forwarding_file_system.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

using testing::ElementsAre;

constexpr char kFolder[] = "/data";

// Tells of files that are opened, on the thread that opens them and without a lock.
class OpensWatched final : public ForwardingFileSystem {
 public:
  using Watch = std::function<void(const std::string& path, env::OpenMode mode)>;

  using ForwardingFileSystem::ForwardingFileSystem;

  // Before the file system has another user.
  void SetWatch(Watch watch) { watch_ = std::move(watch); }
  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (watch_) watch_(path, mode);
    return ForwardingFileSystem::Open(path, mode);
  }

 private:
  Watch watch_;
};

// Until the thread waits for something.
void AwaitSleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (;;) {
    std::ifstream file(path);
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const size_t name_end = stat.rfind(") ");
    if (name_end != std::string::npos && stat.substr(name_end + 2, 1) == "S") return;
    std::this_thread::yield();
  }
}

// Where a watch waits, once, until the test lets it go on.
struct Gate {
  std::atomic<bool> armed = false;
  std::promise<void> reached;
  std::promise<void> open;

  void Wait() {
    if (!armed.exchange(false)) return;
    reached.set_value();
    open.get_future().wait();
  }
};

// A database on a simulated disk, and what a crash leaves of it.
class BackgroundRecoveryTest : public testing::Test {
 protected:
  BackgroundRecoveryTest() {
    EXPECT_TRUE(disk_->CreateDirectories(kFolder).ok());
    EXPECT_TRUE(disk_->SyncDirectory("/").ok());
  }
  ~BackgroundRecoveryTest() override { database_.reset(); }

  void Open(OpensWatched::Watch watch = {}) {
    database_.reset();
    fs_ = std::make_unique<OpensWatched>(*disk_);
    fs_->SetWatch(std::move(watch));
    auto opened = Database::Open({.directory = kFolder, .recovery_threads = threads_},
                                 {*fs_, *random_, log_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  void Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    ASSERT_TRUE(database_->CreateCollection(name, config).ok());
    Upsert(name, 1);
  }
  void Upsert(const std::string& name, uint64_t id) {
    auto collection = database_->FindCollection(name);
    ASSERT_TRUE(collection.ok()) << collection.status().ToString();
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {1, 2}}};
    ASSERT_TRUE((*collection)->Upsert(context_, {point}).ok());
  }
  // As when the power goes while the database is open.
  void Crash() {
    auto left = disk_->CloneAfterCrash(5);
    database_.reset();
    disk_ = std::move(left);
  }
  // Collections of which one point is in a closed log; of those in `unclean` a second one isn't.
  void Make(const std::vector<std::string>& names, const std::vector<std::string>& unclean) {
    Open();
    for (const std::string& name : names) Create(name);
    Open();
    for (const std::string& name : unclean) Upsert(name, 2);
    Crash();
  }
  void AwaitRecovery() {
    while (database_->recovery().phase != RecoveryReport::Phase::kDone) std::this_thread::yield();
  }
  CollectionState StateOf(std::string_view name) {
    for (const NamedState& one : database_->States()) {
      if (one.name == name) return one.state;
    }
    ADD_FAILURE() << "no collection " << name;
    return {};
  }
  std::vector<std::string> Opened() {
    std::vector<std::string> names;
    for (const OpenedCollection& one : database_->OpenedCollections()) names.push_back(one.name);
    return names;
  }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    return collection.ok() ? *(*collection)->Count(context_, nullptr) : 0;
  }
  // The only file of the only collection whose name begins so.
  std::string FileOf(const std::string& begin, const std::string& folder = "") {
    const std::string collections = env::JoinPath(kFolder, "collections");
    std::string directory = env::JoinPath(collections, disk_->List(collections)->at(0));
    if (!folder.empty()) directory = env::JoinPath(directory, folder);
    std::vector<std::string> names = *disk_->List(directory);
    std::erase_if(names, [&](const std::string& name) { return !name.starts_with(begin); });
    EXPECT_EQ(names.size(), 1u);
    return env::JoinPath(directory, names.at(0));
  }
  void ExpectReport(uint64_t looked_at, uint64_t recovered, uint64_t troubled) {
    const RecoveryReport report = database_->recovery();
    EXPECT_EQ(report.looked_at, looked_at);
    EXPECT_EQ(report.recovered, recovered);
    EXPECT_EQ(report.troubled, troubled);
  }

  std::unique_ptr<env::SimulatedFileSystem> disk_ =
      std::make_unique<env::SimulatedFileSystem>(uint64_t{1});
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(3);
  EventLog log_;
  std::unique_ptr<OpensWatched> fs_;
  std::unique_ptr<Database> database_;
  int threads_ = 1;
  RequestContext context_;
};

TEST_F(BackgroundRecoveryTest, RecoversWhatWasNotClosedAndNothingElse) {
  Make({"a", "b", "c", "d"}, {"b", "d"});
  Open();
  EXPECT_EQ(database_->recovery().phase, RecoveryReport::Phase::kNotBegun);
  EXPECT_EQ(StateOf("b"), CollectionState::kClosed);
  database_->RecoverInBackground();
  EXPECT_NE(database_->recovery().phase, RecoveryReport::Phase::kNotBegun);
  database_->RecoverInBackground();
  AwaitRecovery();
  ExpectReport(4, 2, 0);
  EXPECT_EQ(database_->recovery().collections, 4u);
  // Nobody has asked for them: they hold neither memory nor descriptors.
  EXPECT_TRUE(Opened().empty());
  EXPECT_EQ(StateOf("a"), CollectionState::kClosed);
  EXPECT_EQ(StateOf("b"), CollectionState::kClosed);
  EXPECT_EQ(log_.CountOf("recovery_ended"), 1u);
  // Their logs are closed, also for who loses power now.
  Crash();
  Open();
  database_->RecoverInBackground();
  AwaitRecovery();
  ExpectReport(4, 0, 0);
  EXPECT_EQ(CountOf("b"), 2u);
  EXPECT_EQ(CountOf("a"), 1u);
  EXPECT_EQ(StateOf("b"), CollectionState::kReady);
  EXPECT_THAT(Opened(), ElementsAre("a", "b"));
}

// A request has no patience with a thread of low priority: it opens the collection itself.
TEST_F(BackgroundRecoveryTest, WhatSomebodyAsksForMeanwhileGivesWayAndStaysOpen) {
  Make({"a", "b"}, {"a", "b"});
  const auto gate = std::make_shared<Gate>();
  std::atomic<pid_t> opened_by{0};
  Open([gate, &opened_by](const std::string& path, env::OpenMode mode) {
    if (mode != env::OpenMode::kReadWrite || !path.ends_with(".log")) return;
    gate->Wait();
    opened_by = gettid();
  });
  // Opened before the thread comes to it.
  EXPECT_EQ(CountOf("b"), 2u);
  const std::shared_ptr<Collection> b = *database_->FindCollection("b");
  gate->armed = true;
  database_->RecoverInBackground();
  gate->reached.get_future().wait();
  std::promise<pid_t> asks;
  std::future<std::shared_ptr<Collection>> a = std::async(std::launch::async, [&] {
    asks.set_value(gettid());
    return *database_->FindCollection("a");
  });
  const pid_t request = asks.get_future().get();
  AwaitSleep(request);
  gate->open.set_value();
  EXPECT_EQ(*a.get()->Count(context_, nullptr), 2u);
  EXPECT_EQ(opened_by, request);
  AwaitRecovery();
  EXPECT_EQ(*database_->FindCollection("b"), b);
  EXPECT_THAT(Opened(), ElementsAre("a", "b"));
  ExpectReport(2, 0, 0);
}

TEST_F(BackgroundRecoveryTest, SeveralAreRecoveredAtOnce) {
  Make({"a", "b", "c", "d", "e"}, {"a", "b", "d", "e"});
  threads_ = 3;
  // None is opened before three are about to be; the fourth waits for nobody.
  std::latch three(3);
  std::atomic<int> openings{0};
  Open([&](const std::string& path, env::OpenMode mode) {
    if (path.find("/collections/") == std::string::npos || !path.ends_with(".log.tmp")) return;
    if (mode == env::OpenMode::kCreate && openings++ < 3) three.arrive_and_wait();
  });
  database_->RecoverInBackground();
  AwaitRecovery();
  ExpectReport(5, 4, 0);
  EXPECT_EQ(openings, 4);
  EXPECT_EQ(log_.CountOf("recovery_ended"), 1u);
  for (const char* name : {"a", "b", "d", "e"}) EXPECT_EQ(CountOf(name), 2u) << name;
}

// The request comes when the log's end is being noted.
TEST_F(BackgroundRecoveryTest, ARequestForOneThatIsBeingClosedOpensItAnew) {
  Make({"a"}, {"a"});
  const auto gate = std::make_shared<Gate>();
  Open([gate](const std::string& path, env::OpenMode) {
    if (path.ends_with("/CURRENT.tmp")) gate->Wait();
  });
  gate->armed = true;
  database_->RecoverInBackground();
  gate->reached.get_future().wait();
  EXPECT_EQ(StateOf("a"), CollectionState::kRecovering);
  EXPECT_TRUE(Opened().empty());
  std::future<uint64_t> count = std::async(std::launch::async, [&] { return CountOf("a"); });
  gate->open.set_value();
  EXPECT_EQ(count.get(), 2u);
  AwaitRecovery();
  ExpectReport(1, 1, 0);
  EXPECT_EQ(StateOf("a"), CollectionState::kReady);
  Upsert("a", 3);
  EXPECT_EQ(CountOf("a"), 3u);
}

TEST_F(BackgroundRecoveryTest, NoRequestFailsWhileItRuns) {
  std::vector<std::string> names;
  for (char name = 'a'; name <= 'p'; ++name) names.emplace_back(1, name);
  Make(names, names);
  threads_ = 2;
  Open();
  std::vector<std::future<void>> clients;
  for (size_t client = 0; client < 3; ++client) {
    clients.push_back(std::async(std::launch::async, [&, client] {
      bool done = false;
      while (!done) {
        done = database_->recovery().phase == RecoveryReport::Phase::kDone;
        // From both ends, so that they meet the thread, and half of them alone at last.
        for (size_t i = 0; i < (done ? names.size() : names.size() / 2); ++i) {
          const std::string& name = names[client == 0 ? names.size() - 1 - i : i];
          const auto found = database_->FindCollection(name);
          ASSERT_TRUE(found.ok()) << name << ": " << found.status().ToString();
          EXPECT_EQ(*(*found)->Count(context_, nullptr), 2u) << name;
        }
      }
    }));
  }
  database_->RecoverInBackground();
  for (std::future<void>& client : clients) client.get();
  EXPECT_EQ(database_->recovery().troubled, 0u);
  EXPECT_EQ(Opened().size(), names.size());
}

TEST_F(BackgroundRecoveryTest, LooksAtAClosedOneWithoutReadingItsRecords) {
  Make({"a"}, {});
  Open();
  const env::SimulatedCounters before = disk_->counters();
  database_->RecoverInBackground();
  AwaitRecovery();
  const env::SimulatedCounters after = disk_->counters();
  EXPECT_EQ(after.changes, before.changes);
  EXPECT_LE(after.reads - before.reads, 8u);
}

TEST_F(BackgroundRecoveryTest, ADamagedOneIsQuarantinedWithoutBeingAskedFor) {
  // A manifest that can't be read, a file that has gone, a closing mark with a flipped bit.
  for (int damage = 0; damage < 3; ++damage) {
    SCOPED_TRACE(damage);
    disk_ = std::make_unique<env::SimulatedFileSystem>(uint64_t{1});
    ASSERT_TRUE(disk_->CreateDirectories(kFolder).ok());
    Open();
    Create("a");
    ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
    database_.reset();
    if (damage == 0) {
      ASSERT_TRUE(disk_->FlipBit(FileOf("MANIFEST-"), 30 * 8).ok());
    } else if (damage == 1) {
      ASSERT_TRUE(disk_->Remove(FileOf("", "seg")).ok());
    } else {
      const std::string path = FileOf("", "log");
      const uint64_t bytes = env::ReadWholeFile(*disk_, path, 1 << 20)->size();
      ASSERT_TRUE(disk_->FlipBit(path, (bytes - 20) * 8).ok());
    }
    Open();
    database_->RecoverInBackground();
    AwaitRecovery();
    // What nothing but the mark vouched for is a torn end.
    const bool lasting = damage < 2;
    EXPECT_EQ(StateOf("a"), lasting ? CollectionState::kQuarantined : CollectionState::kClosed);
    ExpectReport(1, lasting ? 0 : 1, lasting ? 1 : 0);
    EXPECT_EQ(log_.CountOf("collection_quarantined"), static_cast<size_t>(std::min(damage + 1, 2)));
    EXPECT_EQ(database_->recovery().torn_logs, lasting ? 0u : 1u);
    EXPECT_EQ(database_->recovery().torn_records, lasting ? 0u : 1u);
    EXPECT_EQ(database_->FindCollection("a").ok(), !lasting);
    database_.reset();
  }
}

TEST_F(BackgroundRecoveryTest, WhatMayPassIsTriedAgainByTheNextRequest) {
  Make({"a", "b"}, {"a", "b"});
  Open();
  disk_->SetFaultHook([](const env::SimulatedOperation& operation) {
    const bool log = operation.path.ends_with(".log.tmp") && operation.path.starts_with(kFolder);
    const bool collection = operation.path.find("collections") != std::string_view::npos;
    return log && collection ? IoError("broken") : OkStatus();
  });
  database_->RecoverInBackground();
  AwaitRecovery();
  ExpectReport(2, 0, 2);
  EXPECT_EQ(StateOf("a"), CollectionState::kUnavailable);
  EXPECT_EQ(StateOf("b"), CollectionState::kUnavailable);
  disk_->SetFaultHook({});
  EXPECT_EQ(CountOf("a"), 2u);
  EXPECT_EQ(StateOf("a"), CollectionState::kReady);
}

// While it reads, nothing is held that would keep others from it.
TEST_F(BackgroundRecoveryTest, ACollectionMayBeDeletedWhileItIsLookedAt) {
  Make({"a", "b"}, {"a", "b"});
  const auto gate = std::make_shared<Gate>();
  Open([gate](const std::string& path, env::OpenMode) {
    if (path.ends_with("/CURRENT")) gate->Wait();
  });
  gate->armed = true;
  database_->RecoverInBackground();
  gate->reached.get_future().wait();
  EXPECT_EQ(StateOf("a"), CollectionState::kClosed);
  EXPECT_TRUE(*database_->DeleteCollection("a"));
  // Another one of that name is none of its business.
  Create("a");
  gate->open.set_value();
  AwaitRecovery();
  ExpectReport(2, 1, 0);
  EXPECT_EQ(log_.CountOf("collection_quarantined"), 0u);
  EXPECT_EQ(StateOf("b"), CollectionState::kClosed);
  EXPECT_EQ(CountOf("b"), 2u);
  EXPECT_EQ(CountOf("a"), 1u);
}

TEST_F(BackgroundRecoveryTest, RequestsWaitForTheOneThatIsBeingOpenedAndForNoOther) {
  Make({"a", "b"}, {"a", "b"});
  const auto gate = std::make_shared<Gate>();
  Open([gate](const std::string& path, env::OpenMode mode) {
    if (mode == env::OpenMode::kReadWrite && path.ends_with(".log")) gate->Wait();
  });
  gate->armed = true;
  database_->RecoverInBackground();
  gate->reached.get_future().wait();
  EXPECT_EQ(StateOf("a"), CollectionState::kRecovering);
  EXPECT_EQ(CountOf("b"), 2u);
  std::future<uint64_t> count = std::async(std::launch::async, [&] { return CountOf("a"); });
  std::future<bool> gone =
      std::async(std::launch::async, [&] { return *database_->DeleteCollection("b"); });
  EXPECT_TRUE(gone.get());
  gate->open.set_value();
  EXPECT_EQ(count.get(), 2u);
  AwaitRecovery();
  EXPECT_EQ(database_->recovery().looked_at, 2u);
  EXPECT_EQ(database_->recovery().troubled, 0u);
}

// All changes wait with it.
TEST_F(BackgroundRecoveryTest, ADoubtfulChangeAsksForTheOneThatIsBeingOpened) {
  Make({"a"}, {"a"});
  const auto gate = std::make_shared<Gate>();
  Open([gate](const std::string& path, env::OpenMode mode) {
    if (mode == env::OpenMode::kReadWrite && path.ends_with(".log")) gate->Wait();
  });
  disk_->SetFaultHook([](const env::SimulatedOperation& operation) {
    const bool syncs = operation.kind == env::SimulatedOperation::Kind::kSyncData;
    return syncs && operation.path.starts_with("/data/system") ? IoError("broken") : OkStatus();
  });
  gate->armed = true;
  database_->RecoverInBackground();
  gate->reached.get_future().wait();
  std::future<Status> deleted =
      std::async(std::launch::async, [&] { return database_->DeleteCollection("a").status(); });
  while (database_->SystemTrouble().empty()) std::this_thread::yield();
  gate->open.set_value();
  EXPECT_EQ(deleted.get().code(), ErrorCode::kUnavailable);
  AwaitRecovery();
  // It has given way, or has stayed open.
  EXPECT_NE(StateOf("a"), CollectionState::kClosed);
  EXPECT_EQ(CountOf("a"), 2u);
  disk_->SetFaultHook({});
}

TEST_F(BackgroundRecoveryTest, ADatabaseMayEndWhileItRuns) {
  std::vector<std::string> names;
  for (char name = 'a'; name < 'm'; ++name) names.emplace_back(1, name);
  Make(names, names);
  for (uint64_t rounds = 0; rounds < names.size(); ++rounds) {
    threads_ = rounds % 2 == 0 ? 1 : 3;
    Open();
    database_->RecoverInBackground();
    while (database_->recovery().looked_at < rounds) std::this_thread::yield();
    database_.reset();
  }
  Open();
  for (const std::string& name : names) EXPECT_EQ(CountOf(name), 2u);
}

TEST(BackgroundRecovery, StopsBehindTheStepThatRuns) {
  const TornTails none;
  const std::unique_ptr<Logger> log = MakeNullLogger();
  std::vector<std::string> seen;
  std::promise<void> begun;
  {
    BackgroundRecovery recovery(*log, none);
    recovery.Begin({"a", "b", "c"}, 1, [&](const std::string& name) {
      seen.push_back(name);
      begun.set_value();
      while (!recovery.stopping()) std::this_thread::yield();
      return BackgroundRecovery::Outcome::kRecovered;
    });
    begun.get_future().wait();
    recovery.Stop();
    recovery.Stop();
    EXPECT_EQ(recovery.report().looked_at, 1u);
    EXPECT_EQ(recovery.report().phase, RecoveryReport::Phase::kRunning);
  }
  EXPECT_THAT(seen, ElementsAre("a"));
  BackgroundRecovery ended(*log, none);
  ended.Stop();
  ended.Begin({"a"}, 1,
              [&](const std::string&) { return BackgroundRecovery::Outcome::kRecovered; });
  EXPECT_EQ(ended.report().phase, RecoveryReport::Phase::kNotBegun);
}

// While it lives the system gives no thread: no stack could be so large.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t huge;
    pthread_getattr_default_np(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 50);
    pthread_setattr_default_np(&huge);
  }
  ~NoThreads() { pthread_setattr_default_np(&usual_); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t usual_;
};

TEST_F(BackgroundRecoveryTest, WithoutAThreadWhoAsksRecovers) {
  Make({"a"}, {"a"});
  Open();
  {
    const NoThreads none;
    database_->RecoverInBackground();
  }
  EXPECT_EQ(database_->recovery().phase, RecoveryReport::Phase::kDone);
  EXPECT_EQ(database_->recovery().looked_at, 0u);
  EXPECT_EQ(CountOf("a"), 2u);
}

class NoMemory final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<std::unique_ptr<env::File>> Open(const std::string&, env::OpenMode) override {
    throw std::bad_alloc();
  }
};

TEST(BackgroundRecovery, WhatThereIsNoMemoryForWasNotClosedCleanly) {
  env::SimulatedFileSystem disk(1);
  NoMemory files(disk);
  EXPECT_FALSE(WasClosedCleanly(files, kFolder, Uuid{}));
}

}  // namespace
}  // namespace akidb::engine
