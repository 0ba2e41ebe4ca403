// Snapshots of a data folder that no server uses.
#include <algorithm>

#include "base/utc_time.h"
#include "cli/local_database.h"
#include "cli/snapshot_place.h"
#include "env/random.h"

namespace akidb::cli {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

SnapshotFacts FactsOf(const engine::SnapshotInfo& info) {
  return {info.name, info.bytes, info.created_s ? UtcTimeText(*info.created_s) : "", info.checksum};
}

class LocalSnapshots final : public SnapshotPlace {
 public:
  static Result<std::unique_ptr<SnapshotPlace>> Open(const Place& place) {
    auto snapshots = std::make_unique<LocalSnapshots>();
    engine::DatabaseOptions options;
    options.directory = place.data_dir;
    AKIDB_ASSIGN_OR_RETURN(
        snapshots->database_,
        OpenDatabase(options, {*snapshots->fs_, *snapshots->random_, *snapshots->log_},
                     place.create_folder));
    return std::unique_ptr<SnapshotPlace>(std::move(snapshots));
  }

  void Cancel() override { context_.Cancel(); }

  Result<SnapshotFacts> Create(const std::string& collection) override {
    AKIDB_ASSIGN_OR_RETURN(const engine::SnapshotInfo info,
                           collection.empty() ? database_->CreateStorageSnapshot(context_)
                                              : database_->CreateSnapshot(context_, collection));
    return FactsOf(info);
  }

  Result<std::vector<SnapshotFacts>> List(const std::string& collection) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string name, KeptUnder(collection));
    AKIDB_ASSIGN_OR_RETURN(const std::vector<engine::SnapshotInfo> infos,
                           database_->snapshots().List(name));
    std::vector<SnapshotFacts> facts;
    for (const engine::SnapshotInfo& info : infos) facts.push_back(FactsOf(info));
    return facts;
  }

  Status Delete(const std::string& collection, const std::string& name) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string of, KeptUnder(collection));
    return database_->snapshots().Remove(of, name);
  }

  Status Fetch(const std::string& collection, const std::string& name, const std::string& path,
               const ByteProgress& progress) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string of, KeptUnder(collection));
    AKIDB_ASSIGN_OR_RETURN(const engine::SnapshotBytes source,
                           database_->snapshots().OpenBytes(of, name));
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<NewFile> file, NewFile::Create(*fs_, path));
    std::vector<std::byte> piece(kPieceBytes);
    while (file->bytes() < source.bytes) {
      AKIDB_RETURN_IF_ERROR(context_.Check());
      AKIDB_ASSIGN_OR_RETURN(const size_t got, source.file->ReadAt(file->bytes(), piece));
      if (got == 0) return IoError(name + " has become shorter");
      AKIDB_RETURN_IF_ERROR(file->Append(std::span(piece).first(got)));
      progress(file->bytes(), source.bytes);
    }
    return file->Finish();
  }

  Result<SnapshotFacts> CreateIn(const std::string& collection, storage::SnapshotFolder& folder,
                                 const ByteProgress&) override {
    AKIDB_ASSIGN_OR_RETURN(const storage::FileRef made,
                           database_->CreateFolderSnapshot(context_, collection, folder));
    AKIDB_ASSIGN_OR_RETURN(SnapshotFacts facts, FactsIn(folder, made.name));
    facts.copied = folder.copied();
    return facts;
  }

  Result<StorageNames> Names() override {
    StorageNames names{database_->ListCollections(), {}};
    for (const engine::Alias& alias : database_->Aliases()) {
      names.aliases.push_back({alias.name, alias.collection});
    }
    return names;
  }

  Status SetAlias(const std::string& alias, const std::string& collection) override {
    const engine::AliasChange change[] = {engine::CreateAlias{collection, alias}};
    return database_->ChangeAliases(change);
  }

  Result<bool> HasCollection(const std::string& name) override {
    return database_->CollectionExists(name);
  }

  Status RestoreNamed(const std::string& collection, const std::string& from,
                      const std::string& name) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string path, database_->snapshots().PathOf(from, name));
    return database_->RestoreSnapshot(context_, collection, path);
  }

  Status RestoreArchive(const std::string& collection, std::unique_ptr<env::File> archive,
                        const std::string& name, const ByteProgress&) override {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFile> snapshot,
                           storage::SnapshotFile::Open(std::move(archive), name));
    return database_->RestoreSnapshot(context_, collection, *snapshot);
  }

 private:
  Result<std::string> KeptUnder(const std::string& collection) const {
    if (collection.empty()) return std::string(engine::SnapshotStore::kWholeStorage);
    return database_->NameOf(collection);
  }

  const std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  const std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<engine::Database> database_;
  RequestContext context_;
};

}  // namespace

Result<std::unique_ptr<SnapshotPlace>> OpenLocalSnapshots(const Place& place) {
  return LocalSnapshots::Open(place);
}

}  // namespace akidb::cli
