#include <cstdio>
#include <memory>
#include <string>

#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/folder_snapshots.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/snapshot_place.h"
#include "cli/snapshot_report.h"
#include "engine/snapshot_restore.h"
#include "engine/storage_snapshot.h"
#include "engine/work_folder.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "snapshot";

struct SnapshotArguments {
  std::string collection;
  std::string snapshot;  // a file or a name
  std::string from;      // the collection whose snapshot it is
  std::string output;
  std::string directory;  // a folder of snapshots
  Place place;
  bool all = false;
  bool any_of_folder = false;  // with `directory`, COLLECTION may be missing
  bool replace = false;
  bool quiet = false;
  bool json = false;
};

// A bar in whole MiB; ends what is watched when the user asks for it.
class Watch {
 public:
  Watch(bool quiet, SnapshotPlace* place)
      : place_(place), bar_("MiB", quiet, std::chrono::steady_clock::now()) {}

  ByteProgress Reporter() {
    return [this](uint64_t done, uint64_t total) {
      if (Interrupted() && place_ != nullptr) place_->Cancel();
      bar_.Show({done >> 20, total >> 20, true}, std::chrono::steady_clock::now());
    };
  }

 private:
  SnapshotPlace* const place_;
  Progress bar_;
};

template <typename T>
void Print(const T& what, const SnapshotArguments& arguments) {
  std::printf("%s\n", LineOf(what, arguments.json).c_str());
}

// Exactly one of a collection's name and --all; of a folder, none may be enough.
Status CheckWhich(const SnapshotArguments& arguments) {
  if (!arguments.directory.empty()) {
    if (!arguments.output.empty()) return InvalidArgumentError("either --output or --directory");
    if (!arguments.from.empty()) return InvalidArgumentError("either --from or --directory");
    if (arguments.any_of_folder && !arguments.all) return OkStatus();
  }
  if (arguments.all == arguments.collection.empty()) return OkStatus();
  return InvalidArgumentError(arguments.all ? "either COLLECTION or --all"
                                            : "COLLECTION is missing, or --all");
}

int CreateInto(const SnapshotArguments& arguments, SnapshotPlace& place) {
  const Result<SnapshotFacts> made = [&] {
    Watch watch(arguments.quiet, &place);
    return CreateInFolder(place, arguments.collection, arguments.directory, watch.Reporter());
  }();
  if (!made.ok()) return Fail(kName, made.status());
  Print(*made, arguments);
  return kExitOk;
}

int CreateAllInto(const SnapshotArguments& arguments, SnapshotPlace& place) {
  const Result<MadeStorage> made = [&] {
    Watch watch(arguments.quiet, &place);
    return CreateAllInFolder(place, arguments.directory, watch.Reporter());
  }();
  if (!made.ok()) return Fail(kName, made.status());
  for (const SnapshotFacts& facts : made->collections) Print(facts, arguments);
  if (!made->storage.name.empty()) Print(made->storage, arguments);
  int code = kExitOk;
  for (const FailedCollection& failed : made->failed) {
    code = Fail(kName, failed.status.WithContext("collection `" + failed.name + "`"));
  }
  return code;
}

int RunCreate(const SnapshotArguments& arguments) {
  InterruptGuard guard;
  Result<std::unique_ptr<SnapshotPlace>> place = OpenSnapshotPlace(arguments.place);
  if (!place.ok()) return Fail(kName, place.status());
  if (!arguments.directory.empty()) {
    return arguments.all ? CreateAllInto(arguments, **place) : CreateInto(arguments, **place);
  }
  const Result<SnapshotFacts> made = (*place)->Create(arguments.collection);
  if (!made.ok()) return Fail(kName, made.status());
  Status fetched;
  if (!arguments.output.empty()) {
    {
      Watch watch(arguments.quiet, place->get());
      fetched =
          (*place)->Fetch(arguments.collection, made->name, arguments.output, watch.Reporter());
    }
    // Who wants a file wants no other copy.
    const Status deleted = (*place)->Delete(arguments.collection, made->name);
    if (fetched.ok()) fetched = deleted;
  }
  if (!fetched.ok()) return Fail(kName, fetched);
  Print(*made, arguments);
  return kExitOk;
}

Result<std::vector<SnapshotFacts>> List(const SnapshotArguments& arguments) {
  if (!arguments.directory.empty()) {
    return ListFolder(arguments.directory, {arguments.collection, arguments.all});
  }
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotPlace> place,
                         OpenSnapshotPlace(arguments.place));
  return place->List(arguments.collection);
}

int RunList(const SnapshotArguments& arguments) {
  const Result<std::vector<SnapshotFacts>> snapshots = List(arguments);
  if (!snapshots.ok()) return Fail(kName, snapshots.status());
  for (const SnapshotFacts& facts : *snapshots) Print(facts, arguments);
  return kExitOk;
}

Status Delete(const SnapshotArguments& arguments) {
  if (!arguments.directory.empty()) {
    return DeleteFromFolder({arguments.directory, arguments.snapshot});
  }
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotPlace> place,
                         OpenSnapshotPlace(arguments.place));
  return place->Delete(arguments.collection, arguments.snapshot);
}

int RunDelete(const SnapshotArguments& arguments) {
  const Status deleted = Delete(arguments);
  if (!deleted.ok()) return Fail(kName, deleted);
  return kExitOk;
}

Status CheckMayReplace(const SnapshotArguments& arguments, const std::string& collection,
                       SnapshotPlace& place) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, place.HasCollection(collection));
  if (!exists || arguments.replace) return OkStatus();
  return AlreadyExistsError("collection " + collection +
                            " is there; --replace takes what it holds away");
}

// Every collection of a snapshot of the whole storage, by way of a folder beside it.
Status RestoreAll(const SnapshotArguments& arguments, SnapshotPlace& place) {
  if (!arguments.directory.empty()) {
    Watch watch(arguments.quiet, &place);
    return RestoreAllFromFolder(
        place, {arguments.directory, arguments.snapshot},
        [&](const std::string& name) { return CheckMayReplace(arguments, name, place); },
        watch.Reporter());
  }
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const RequestContext context;
  AKIDB_ASSIGN_OR_RETURN(const engine::StorageContents listed,
                         engine::ReadStorageContents(*fs, arguments.snapshot));
  for (const engine::StoredCollection& collection : listed.collections) {
    AKIDB_RETURN_IF_ERROR(CheckMayReplace(arguments, collection.name, place));
  }
  engine::WorkFolder work(*fs, arguments.snapshot + ".unpacked.tmp");
  AKIDB_RETURN_IF_ERROR(work.Create());
  AKIDB_ASSIGN_OR_RETURN(
      const engine::StorageContents contents,
      engine::UnpackStorageSnapshot(context, *fs, arguments.snapshot, work.path()));
  Watch watch(arguments.quiet, &place);
  for (const engine::StoredCollection& collection : contents.collections) {
    if (Interrupted()) return CancelledError("stopped");
    AKIDB_RETURN_IF_ERROR(place.RestoreFile(
        collection.name, env::JoinPath(work.path(), collection.file.name), watch.Reporter()));
  }
  for (const engine::StoredAlias& alias : contents.aliases) {
    AKIDB_RETURN_IF_ERROR(place.SetAlias(alias.name, alias.collection));
  }
  return OkStatus();
}

Status Restore(const SnapshotArguments& arguments, SnapshotPlace& place) {
  if (arguments.all) return RestoreAll(arguments, place);
  AKIDB_RETURN_IF_ERROR(CheckMayReplace(arguments, arguments.collection, place));
  if (!arguments.directory.empty()) {
    Watch watch(arguments.quiet, &place);
    return RestoreFromFolder(place, arguments.collection, {arguments.directory, arguments.snapshot},
                             watch.Reporter());
  }
  if (arguments.snapshot.find('/') == std::string::npos) {
    AKIDB_ASSIGN_OR_RETURN(const bool is_file,
                           env::MakePosixFileSystem()->Exists(arguments.snapshot));
    if (!is_file) {
      const std::string& from = arguments.from.empty() ? arguments.collection : arguments.from;
      return place.RestoreNamed(arguments.collection, from, arguments.snapshot);
    }
  }
  Watch watch(arguments.quiet, &place);
  return place.RestoreFile(arguments.collection, arguments.snapshot, watch.Reporter());
}

int RunRestore(const SnapshotArguments& arguments) {
  InterruptGuard guard;
  Place where = arguments.place;
  where.create_folder = true;
  Result<std::unique_ptr<SnapshotPlace>> place = OpenSnapshotPlace(where);
  if (!place.ok()) return Fail(kName, place.status());
  const Status restored = Restore(arguments, **place);
  if (!restored.ok()) return Fail(kName, restored);
  const std::string what = arguments.all ? "the storage holds" : arguments.collection + " holds";
  std::printf("%s what %s held\n", what.c_str(), arguments.snapshot.c_str());
  return kExitOk;
}

int VerifyAll(const SnapshotArguments& arguments, env::FileSystem& fs) {
  const RequestContext context;
  const Result<engine::StorageContents> contents =
      engine::UnpackStorageSnapshot(context, fs, arguments.snapshot, "");
  if (!contents.ok()) return Fail(kName, contents.status());
  if (arguments.json) {
    std::printf("{\"collections\":%zu}\n", contents->collections.size());
  } else {
    std::printf("sound: the whole storage, %zu collections\n", contents->collections.size());
  }
  return kExitOk;
}

int VerifyFolder(const SnapshotArguments& arguments, env::FileSystem& fs) {
  const RequestContext context;
  const Result<engine::FolderVerdict> verdict = [&]() -> Result<engine::FolderVerdict> {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFolder> folder,
                           storage::SnapshotFolder::Open(fs, arguments.snapshot));
    Watch watch(arguments.quiet, nullptr);
    const ByteProgress report = watch.Reporter();
    return engine::VerifySnapshotFolder(context, *folder,
                                        [&](uint64_t bytes) { report(bytes, 0); });
  }();
  if (!verdict.ok()) return Fail(kName, verdict.status());
  Print(*verdict, arguments);
  int code = kExitOk;
  for (const engine::DamagedSnapshot& damaged : verdict->damaged) {
    code = Fail(kName, CorruptionError(damaged.name + ": " + damaged.what));
  }
  return code;
}

int RunVerify(const SnapshotArguments& arguments) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const RequestContext context;
  if (fs->List(arguments.snapshot).ok()) return VerifyFolder(arguments, *fs);
  if (engine::IsStorageSnapshot(*fs, arguments.snapshot)) return VerifyAll(arguments, *fs);
  Result<engine::SnapshotSummary> summary = [&] {
    Watch watch(arguments.quiet, nullptr);
    const ByteProgress report = watch.Reporter();
    return engine::VerifySnapshot(context, *fs, arguments.snapshot,
                                  [&](uint64_t bytes) { report(bytes, 0); });
  }();
  if (!summary.ok()) return Fail(kName, summary.status());
  Print(*summary, arguments);
  return kExitOk;
}

struct Command {
  CLI::App* app = nullptr;
  std::shared_ptr<SnapshotArguments> arguments = std::make_shared<SnapshotArguments>();
};

struct Entry {
  const char* name;
  const char* help;
  int (*run)(const SnapshotArguments&);
};

Command Add(CLI::App& parent, RunSlot& run, const Entry& entry) {
  Command command;
  command.app = parent.add_subcommand(entry.name, entry.help);
  command.app->callback([arguments = command.arguments, &run, with = entry.run] {
    run = [arguments, with] {
      const Status which = CheckWhich(*arguments);
      if (which.ok()) return with(*arguments);
      Fail(kName, which);
      return kExitUsage;
    };
  });
  command.app->add_flag("--json", command.arguments->json, "print one JSON object a line");
  return command;
}

void AddWhich(Command& command, const char* help) {
  command.app->add_option("COLLECTION", command.arguments->collection, help)->type_name("");
  command.app->add_flag("--all", command.arguments->all, "all collections and aliases");
}

void AddDirectory(Command& command, const char* help) {
  command.app->add_option("--directory", command.arguments->directory, help)->type_name("DIR");
}

}  // namespace

void AddSnapshotCommand(CLI::App& app, RunSlot& run) {
  CLI::App* snapshot =
      app.add_subcommand(kName, "make, list, restore, verify and delete snapshots of collections");
  snapshot->require_subcommand(1);

  Command create = Add(*snapshot, run, {"create", "make one, while others write", RunCreate});
  AddWhich(create, "of which");
  create.app
      ->add_option("--output", create.arguments->output,
                   "write it to this file, instead of into the data folder's snapshots")
      ->type_name("FILE");
  AddDirectory(create, "add it to this folder of snapshots, which takes only files that it hasn't");
  create.app->add_flag("--quiet", create.arguments->quiet, "no progress");
  AddPlaceOptions(*create.app, create.arguments->place);

  Command list = Add(*snapshot, run, {"list", "those of a collection", RunList});
  AddWhich(list, "of which");
  list.arguments->any_of_folder = true;
  AddDirectory(list, "those of this folder; without COLLECTION and --all every one");
  AddPlaceOptions(*list.app, list.arguments->place);

  Command restore =
      Add(*snapshot, run, {"restore", "make a collection hold what a snapshot does", RunRestore});
  restore.app->add_option("SNAPSHOT", restore.arguments->snapshot, "a file, or a name as listed")
      ->required()
      ->type_name("");
  AddWhich(restore, "to be restored");
  restore.app
      ->add_option("--from", restore.arguments->from,
                   "collection whose snapshot has that name; default: COLLECTION")
      ->type_name("NAME");
  AddDirectory(restore, "the folder of snapshots that has it");
  restore.app->add_flag("--replace", restore.arguments->replace,
                        "also if the collection is there: what it holds is lost");
  restore.app->add_flag("--quiet", restore.arguments->quiet, "no progress");
  AddPlaceOptions(*restore.app, restore.arguments->place);

  Command verify = Add(
      *snapshot, run, {"verify", "read all of a file or folder and compare its hashes", RunVerify});
  verify.arguments->all = true;  // whatever it is of
  verify.app->add_option("FILE", verify.arguments->snapshot, "a snapshot, or a folder of them")
      ->required()
      ->type_name("");
  verify.app->add_flag("--quiet", verify.arguments->quiet, "no progress");
  verify.app->footer("Exit code 4: it is damaged, or no snapshot.");

  Command remove = Add(*snapshot, run, {"delete", "delete one, for good", RunDelete});
  remove.app->add_option("SNAPSHOT", remove.arguments->snapshot, "a name as listed")
      ->required()
      ->type_name("");
  AddWhich(remove, "whose it is");
  remove.arguments->any_of_folder = true;
  AddDirectory(remove, "the folder of snapshots that has it; what others have of it stays");
  AddPlaceOptions(*remove.app, remove.arguments->place);
}

}  // namespace akidb::cli
