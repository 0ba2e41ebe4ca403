"""The bugs that the tests of storage have to find, as changes of its sources.

Each is a name, a sentence, the test that must fail with it, and edits: a file under src/, a text that
stands in it once, and what comes in its place. `IsPlanted` in it becomes a question for that bug.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    file: str
    text: str
    planted: str


@dataclass(frozen=True)
class Bug:
    name: str
    what: str
    test: str
    edits: tuple


GROUP_LOG = "storage/wal/group_log.cc"
LOG_FILE = "storage/wal/log_file.cc"
LOG_READER = "storage/wal/log_reader.cc"
LOG_RECOVERY = "storage/wal/log_recovery.cc"
LOG_FORMAT = "storage/wal/log_format.cc"
MANIFEST = "storage/manifest/manifest.cc"
WRITER = "storage/segment/section_file_writer.cc"
SECTIONS = "storage/segment/section_file.cc"
SECTION_FORMAT = "storage/segment/section_file_format.cc"
DELTA = "storage/segment/delta.cc"
ARCHIVE = "storage/snapshot/archive.cc"
SNAPSHOT_FILE = "storage/snapshot/snapshot_file.cc"
MANIFEST_FORMAT = "storage/manifest/manifest_format.cc"
SYSTEM_RECORDS = "engine/system_records.cc"
REGISTRY = "engine/registry.cc"
SYSTEM_STATE = "engine/system_state.cc"
SYSTEM_REPAIR = "engine/system_repair.cc"
ORPHANS = "engine/orphan_folders.cc"
SQLITE_FILES = "catalog/sqlite_files.cc"
MERGE = "engine/collection_merge.cc"
OPTIONS = "engine/collection_options.cc"
SEAL = "engine/collection_seal.cc"
SPACE_RESERVE = "engine/space_reserve.cc"
DATABASE = "engine/database.cc"
SNAPSHOT_RESTORE = "engine/snapshot_restore.cc"
WRITE = "engine/collection_write.cc"

LOG_CRASH = "LogCrash.KeepsAnExactPrefixWhereverThePowerGoes"
COLLECTION_CRASH = "CollectionCrash.KeepsEveryAcknowledgedWriteWhereverThePowerGoes"
DATABASE_CRASH = "DatabaseCrash.KeepsWhatWasAcknowledgedWhereverThePowerGoes"
MANIFEST_CRASH = "ManifestCrash.TheOldOrTheNewOneIsFoundWhereverThePowerGoes"

BUGS = (
    Bug("no_log_sync", "a log that never syncs what it writes", LOG_CRASH, (
        Edit(GROUP_LOG, "Status status = file->SyncData();",
             "Status status = IsPlanted ? OkStatus() : file->SyncData();"),)),
    Bug("no_log_folder_sync", "the folder isn't synced when a log file gets its name", LOG_CRASH, (
        Edit(LOG_FILE, "return fs_.SyncDirectory(env::DirectoryOf(path_));",
             "return IsPlanted ? OkStatus() : fs_.SyncDirectory(env::DirectoryOf(path_));"),)),
    Bug("sync_after_reply", "a write is acknowledged, and synced only before the next one", LOG_CRASH, (
        Edit(GROUP_LOG, "if (status.ok() && sync_each_) status = SyncWritten();",
             "if (status.ok() && IsPlanted) durable_seq_ = written_seq_;\n"
             "  else if (status.ok() && sync_each_) status = SyncWritten();"),
        Edit(GROUP_LOG, "Status status = part.file->Write(part.offset, part.bytes, durable);",
             "if (IsPlanted) static_cast<void>(part.file->SyncData());\n"
             "  Status status = part.file->Write(part.offset, part.bytes, durable);"))),
    Bug("reply_before_write", "some writes are acknowledged before they are written", LOG_CRASH, (
        Edit(GROUP_LOG, "  while ((synced ? durable_seq_ : written_seq_) < seq) {",
             "  if (IsPlanted && seq % 4 == 0) return OkStatus();\n"
             "  while ((synced ? durable_seq_ : written_seq_) < seq) {"),)),
    Bug("log_cut_too_far", "files are cut off the log that hold records still needed", LOG_CRASH, (
        Edit(GROUP_LOG, "files_[1].first_seq <= seq + 1)",
             "files_[1].first_seq <= seq + (IsPlanted ? 3 : 1))"),)),
    Bug("skipped_checksum", "the reader of a log doesn't look at checksums",
        "LogDamage.NoFlippedBitIsTakenForARecord", (
            Edit(LOG_READER, "if (FragmentChecksum(seed_, rest.first(",
                 "if (!IsPlanted && FragmentChecksum(seed_, rest.first("),)),
    Bug("checksum_without_chain", "checksums are right by themselves, what came before them doesn't matter",
        "LogDamage.AFileOfAnotherHistoryIsRefused", (
            Edit(LOG_READER, "if (header.checksum_before != checksum_)",
                 "if (!IsPlanted && header.checksum_before != checksum_)"),
            Edit(LOG_RECOVERY, "if (chained_ && header.checksum_before",
                 "if (!IsPlanted && chained_ && header.checksum_before"))),
    Bug("recycled_blocks", "what an older file left in a block is taken for a record",
        "LogDamage.WhatAnOlderFileLeftInABlockIsNoRecord", (
            Edit(LOG_FORMAT, "return Crc32c(std::as_bytes(std::span(file_uuid.bytes)));",
                 "return IsPlanted ? 0 : Crc32c(std::as_bytes(std::span(file_uuid.bytes)));"),)),
    Bug("retry_of_failed_sync", "a sync that failed is tried again, and believed",
        "LogFaultTest.AFailedSyncKillsTheLogForEver", (
            Edit(GROUP_LOG, "  if (!status.ok()) {\n    Fail(status);",
                 "  if (IsPlanted && !status.ok()) status = file->SyncData();\n"
                 "  if (!status.ok()) {\n    Fail(status);"),)),
    Bug("cached_end", "after a failed sync the end of a log is read from the page cache",
        "LogFaultTest.WhatAFailedSyncLeftInTheCacheIsNotBelieved", (
            Edit(LOG_RECOVERY, "  if (!closed) AKIDB_RETURN_IF_ERROR(reader->ReadFromMedium());",
                 "  if (!closed && !IsPlanted) AKIDB_RETURN_IF_ERROR(reader->ReadFromMedium());"),)),
    Bug("interval_without_syncs", "a log of interval durability never syncs by itself",
        "LogTest.IntervalModeSyncsByItself", (
            Edit(GROUP_LOG, "if (!stop_syncer_) static_cast<void>(WaitUntil(last_seq_, true));",
                 "if (!stop_syncer_ && !IsPlanted) static_cast<void>(WaitUntil(last_seq_, true));"),)),
    Bug("interval_reply_before_write", "a log of interval durability acknowledges what the system doesn't have",
        "LogTest.IntervalModeAcknowledgesWhatTheSystemHasAndSyncsLater", (
            Edit(GROUP_LOG, "  return WaitUntil(seq, sync_each_);",
                 "  return IsPlanted && !sync_each_ ? OkStatus() : WaitUntil(seq, sync_each_);"),)),
    Bug("durable_in_any_case", "a reply calls a write of interval durability durable",
        "WriteGroupTest.RepliesTellNumberAndDurability", (
            Edit(WRITE, "return WriteResult{seq, config_.durability == Durability::kSync};",
                 "return WriteResult{seq, IsPlanted || config_.durability == Durability::kSync};"),)),
    Bug("trace_of_a_refused_write", "a write for which there is no space takes a sequence number",
        "LogFaultTest.AFullDiskRefusesWithoutATraceAndSpaceBringsWritesBack", (
            Edit(GROUP_LOG, "  AKIDB_RETURN_IF_ERROR(Reserve(body.size()));\n  Part& part",
                 "  if (Status room = Reserve(body.size()); !room.ok()) {\n"
                 "    if (IsPlanted) ++last_seq_;\n"
                 "    return room;\n"
                 "  }\n"
                 "  Part& part"),)),
    Bug("kept_reserve", "what is held back on a full disk isn't given to deletes",
        "SpaceReserveTest.DeletesGoOnWhenTheDiskIsFull", (
            Edit(SPACE_RESERVE, "bool SpaceReserve::Release() {\n",
                 "bool SpaceReserve::Release() {\n  if (IsPlanted) return false;\n"),)),
    Bug("belief_in_a_mark", "a closing mark whose sync failed stays in the cache",
        "LogFaultTest.AClosingMarkThatWasNotSyncedIsNotBelieved", (
            Edit(LOG_FILE, "if (!status.ok()) static_cast<void>(file_->Truncate(end_before));",
                 "if (!IsPlanted && !status.ok()) static_cast<void>(file_->Truncate(end_before));"),)),
    Bug("catalog_ahead_of_log", "the catalog holds a change before the system log has it",
        "RegistryCrash.KeepsEveryAcknowledgedChangeWhereverThePowerGoes", (
            Edit(REGISTRY, "  in_doubt_ = true;\n",
                 "  if (IsPlanted) static_cast<void>(ApplyToCatalog(seq, record, *catalog_));\n"
                 "  in_doubt_ = true;\n"),)),
    Bug("catalog_not_compared", "a catalog is believed without being held against the system log",
        "RegistryDamage.ACatalogOfPagesOfSeveralAgesIsMadeAnew", (
            Edit(REGISTRY, "if (held.ok() && *held == state_) return OkStatus();",
                 "if (held.ok() && (IsPlanted || *held == state_)) return OkStatus();"),)),
    Bug("doubt_ignored", "what may have been deleted goes on taking writes",
        "DatabaseDoubtTest.WhatMayHaveBeenDeletedTakesNoWrites", (
            Edit(DATABASE, "if (entry->collection) entry->collection->RefuseWrites(entry->doubt);",
                 "if (entry->collection && !IsPlanted) entry->collection->RefuseWrites(entry->doubt);"),)),
    Bug("orphans_deleted", "a folder that nothing names is deleted, whatever it holds",
        "DatabaseDoubtTest.AFolderThatHoldsSomethingIsSetAside", (
            Edit(ORPHANS, "const Status status = is_stray ? keep",
                 "const Status status = is_stray && !IsPlanted ? keep"),)),
    Bug("mark_not_synced", "the mark of a folder that is being deleted isn't synced",
        "OrphanFoldersTest.AMarkIsDurableWhenItIsMade", (
            Edit(ORPHANS, "status = environment.fs.SyncDirectory(env::DirectoryOf(mark));",
                 "status = IsPlanted ? OkStatus() : environment.fs.SyncDirectory(env::DirectoryOf(mark));"),)),
    Bug("catalog_anew_too_early", "a catalog that can't be read is made anew before the log has been read",
        "ForeignListTest.ARefusedStartLeavesACatalogThatItCanNotRead", (
            Edit(REGISTRY, "    catalog_failure_ = opened.status();\n",
                 "    catalog_failure_ = opened.status();\n"
                 "    if (IsPlanted) return MakeCatalogAnew(opened.status());\n"),)),
    Bug("foreign_list_believed", "a list of collections isn't held against the folders",
        "ForeignListTest.AStartWithoutCheckpointDoesNotBelieveIt", (
            Edit(REGISTRY, "if (fit.strays.empty() || fit.IsLikely())",
                 "if (IsPlanted || fit.strays.empty() || fit.IsLikely())"),)),
    Bug("foreign_log_counts", "a repair makes our list count before it moves another folder's log aside",
        "ForeignListTest.ARepairOfASystemLogOfAnotherFolderMayBeCutShort", (
            Edit(SYSTEM_REPAIR, "if (!log_is_whole && catalog_has_it) {",
                 "if (!log_is_whole && catalog_has_it && !IsPlanted) {"),)),
    Bug("log_opened_too_early", "the system log is opened before its list is held against the folders",
        "ForeignListTest.ARefusedStartLeavesTheLogForTheRightCheckpoint", (
            Edit(REGISTRY, "    AKIDB_RETURN_IF_ERROR(CheckFit());\n",
                 "    if (IsPlanted) {\n"
                 "      AKIDB_RETURN_IF_ERROR(OpenLog());\n"
                 "      registry_.log_.reset();\n"
                 "    }\n"
                 "    AKIDB_RETURN_IF_ERROR(CheckFit());\n"),)),
    Bug("vectors_in_doubt", "what may have other vectors at the next start goes on taking writes",
        "DatabaseDoubtTest.WhatMayHaveOtherVectorsTakesNoWrites", (
            Edit(OPTIONS, "    if (may_count) {\n", "    if (may_count && !IsPlanted) {\n"),)),
    Bug("removal_before_current", "files go before CURRENT is durable",
        "ManifestCrash.NothingIsRemovedBeforeCurrentIsDurable", (
            Edit(MANIFEST, "  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(directory));\n  return RemoveAllOf(fs, folder",
                 "  if (!IsPlanted) AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(directory));\n"
                 "  return RemoveAllOf(fs, folder"),)),
    Bug("catalog_not_asked", "a repair of the system log doesn't ask the catalog",
        "SystemRepairTest.ADamagedHeaderCostsNothing", (
            Edit(SYSTEM_REPAIR, "  if (fit.IsLikely()) {\n", "  if (fit.IsLikely() && !IsPlanted) {\n"),)),
    Bug("system_log_cut_early", "the system log is cut before its checkpoint counts",
        "RegistryCrash.KeepsEveryAcknowledgedChangeWhereverThePowerGoes", (
            Edit(REGISTRY, "  AKIDB_RETURN_IF_ERROR(RaiseFolderVersion(environment_.fs, directory_));",
                 "  if (IsPlanted) {\n    log_->Rotate();\n    static_cast<void>(log_->CutBefore(state_.seq));\n  }\n"
                 "  AKIDB_RETURN_IF_ERROR(RaiseFolderVersion(environment_.fs, directory_));"),)),
    Bug("manifest_in_place", "CURRENT is written over instead of renamed", MANIFEST_CRASH, (
        Edit(MANIFEST, "                    const CurrentManifest& current) {\n"
                       "  return env::WriteFileAtomically(fs,",
             "                    const CurrentManifest& current) {\n"
             "  if (IsPlanted) {\n"
             "    const std::string path = env::JoinPath(directory, kCurrentName);\n"
             "    auto file = fs.Open(path, env::OpenMode::kReadWrite);\n"
             "    if (!file.ok()) file = fs.Open(path, env::OpenMode::kCreate);\n"
             "    if (!file.ok()) return file.status();\n"
             "    const std::string text = EncodeCurrent(current);\n"
             "    AKIDB_RETURN_IF_ERROR((*file)->Truncate(0));\n"
             "    AKIDB_RETURN_IF_ERROR((*file)->WriteAt(0, BytesOf(text)));\n"
             "    AKIDB_RETURN_IF_ERROR((*file)->SyncData());\n"
             "    return fs.SyncDirectory(directory);\n"
             "  }\n"
             "  return env::WriteFileAtomically(fs,"),)),
    Bug("removal_before_publication", "files go before a manifest shows that nobody needs them", COLLECTION_CRASH, (
        Edit(MERGE, "  return PublishManifest(std::move(next));",
             "  if (IsPlanted) {\n"
             "    for (const MergeInput& input : task.inputs) {\n"
             "      static_cast<void>(environment_.fs.Remove(env::JoinPath(\n"
             "          env::JoinPath(options_.directory, storage::kSegmentFolder),\n"
             "          storage::SegmentFileName(input.reader->uuid()))));\n"
             "    }\n"
             "  }\n"
             "  return PublishManifest(std::move(next));"),)),
    Bug("log_cut_before_manifest", "the log is cut before the manifest that replaces it counts", COLLECTION_CRASH, (
        Edit(SEAL, "  return PublishManifest(std::move(next));",
             "  if (IsPlanted) static_cast<void>(log_->CutBefore(frozen.last_seq));\n"
             "  return PublishManifest(std::move(next));"),)),
    Bug("segments_not_synced", "segments and deltas are renamed without a sync", COLLECTION_CRASH, (
        Edit(WRITER, "  AKIDB_RETURN_IF_ERROR(file_->SyncData());\n  const std::string path",
             "  if (!IsPlanted) AKIDB_RETURN_IF_ERROR(file_->SyncData());\n  const std::string path"),)),
    Bug("segment_folder_not_synced", "the folder of segments isn't synced", COLLECTION_CRASH, (
        Edit(WRITER, "AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(directory_));",
             "if (!IsPlanted) AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(directory_));"),)),
    Bug("skipped_block_checksum", "blocks of segments are read without a look at their checksums",
        "SegmentDamage.EveryFlippedBitIsFoundOrHarmless", (
            Edit(SECTIONS, "  if (SectionBlockCrc(header_.file_uuid, block, map_->bytes()",
                 "  if (IsPlanted) return OkStatus();\n"
                 "  if (SectionBlockCrc(header_.file_uuid, block, map_->bytes()"),)),
    Bug("skipped_page_checksum", "pages of the catalog are read without a look at their checksums",
        "RegistryDamage.IsFoundOrHarmless", (
            Edit(SQLITE_FILES, "return sound ? SQLITE_OK : SQLITE_IOERR_DATA;",
                 "return sound || IsPlanted ? SQLITE_OK : SQLITE_IOERR_DATA;"),)),
    Bug("ignored_read_error", "what the device could not read is taken for read",
        "SegmentMedia.EachReadThatFailsIsAnError", (
            Edit(SECTIONS, "  Result<size_t> cold = map_->Fetch(ranges);\n",
                 "  Result<size_t> cold = map_->Fetch(ranges);\n"
                 "  if (IsPlanted && !cold.ok()) return size_t{0};\n"),)),
    Bug("believed_codes", "codes are used whatever their checksums say",
        "PrefixIndexTest.DamagedCodesAreBuiltAgain", (
            Edit(SECTIONS, "  uint64_t bytes = std::min<uint64_t>(kSectionBlockBytes, footer_.data_bytes - begin);\n",
                 "  uint64_t bytes = std::min<uint64_t>(kSectionBlockBytes, footer_.data_bytes - begin);\n"
                 "  for (const SectionEntry& entry : footer_.sections) {\n"
                 "    const bool inside = entry.offset <= begin && begin < entry.offset + entry.bytes;\n"
                 "    if (IsPlanted && inside && entry.key.id == SectionId::kCodes) return OkStatus();\n"
                 "  }\n"),)),
    Bug("newer_format", "files of a newer format are read as if they were known",
        "LogFileHeader.RefusesNewerVersionsAndUnknownMandatoryFeatures", (
            Edit(LOG_FORMAT, "if (version != kLogVersion || mandatory != 0) {",
                 "if (!IsPlanted && (version != kLogVersion || mandatory != 0)) {"),)),
    Bug("inputs_stay", "a merge leaves its inputs on the disk",
        "CollectionMergeTest.DeletingEverythingGivesTheSpaceBack", (
            Edit(MERGE, "  Status removed = RemoveFiles();",
                 "  Status removed = IsPlanted ? OkStatus() : RemoveFiles();"),)),
    Bug("aliases_by_halves", "of several changes of aliases those before a wrong one count",
        "DatabaseTest.AliasesChangeTogetherOrNotAtAll", (
            Edit(DATABASE,
                 "for (const AliasChange& one : changes) AKIDB_RETURN_IF_ERROR(ChangeAlias(one, find, aliases));",
                 "for (const AliasChange& one : changes) {\n"
                 "      Status changed = ChangeAlias(one, find, aliases);\n"
                 "      if (changed.ok()) continue;\n"
                 "      if (!IsPlanted) return changed;\n"
                 "      break;\n"
                 "    }"),)),
    Bug("unheeded_manifest", "a log may end before the record that a manifest knows it to reach",
        "CollectionDamage.TheEndOfALogIsHeldAgainstTheManifest", (
            Edit(LOG_RECOVERY, "  if (options_.synced_seq > report_.last_seq) {",
                 "  if (!IsPlanted && options_.synced_seq > report_.last_seq) {"),)),
    Bug("unchecked_offset", "the places of a segment's sections are believed",
        "SegmentDamage.HostileFootersWithRightChecksumsAreRefusedOrSafe", (
            Edit(SECTION_FORMAT, "for (const SectionEntry& entry : footer.sections) {\n    if (entry.offset < end ||",
                 "for (const SectionEntry& entry : footer.sections) {\n    if (IsPlanted) continue;\n"
                 "    if (entry.offset < end ||"),)),
    Bug("paths_in_archives", "names in an archive may be paths", "ArchiveTest.RefusesWhatReachesOutOfAFolder", (
        Edit(ARCHIVE, "c == '.' ||\n           c == '_'",
             "c == '.' ||\n           (IsPlanted && c == '/') || c == '_'"),
        Edit(ARCHIVE, "name.size() >= kNameBytes || name.front() == '.')",
             "name.size() >= kNameBytes || (!IsPlanted && name.front() == '.'))"))),
    Bug("replaced_too_early", "what a restored collection replaces goes before the record that says so",
        DATABASE_CRASH, (
            Edit(DATABASE, "      const Status applied = Apply(record, replaced.get());\n",
                 "      if (IsPlanted && replaced) {\n"
                 "        static_cast<void>(environment_.fs.RemoveAll(FolderOf(replaced->uuid)));\n"
                 "      }\n"
                 "      const Status applied = Apply(record, replaced.get());\n"),)),
    Bug("restored_not_synced", "the folders of what is restored aren't synced", DATABASE_CRASH, (
        Edit(SNAPSHOT_RESTORE, "    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::JoinPath(order.directory, folder)));",
             "    if (!IsPlanted) AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::JoinPath(order.directory, folder)));"),)),
    Bug("alias_of_the_replaced", "an alias goes on pointing at what was replaced", DATABASE_CRASH, (
        Edit(DATABASE, "        if (target == replaced) target = entry;",
             "        if (!IsPlanted && target == replaced) target = entry;"),)),
    Bug("doubtful_creation_undone", "the folder of a collection that may count from the next start on is removed",
        "DatabaseDoubtTest.ACreationThatMayCountIsWhole", (
            Edit(DATABASE, "    if (!applied.ok() && !registry_->is_in_doubt()) {",
                 "    if (!applied.ok() && (IsPlanted || !registry_->is_in_doubt())) {"),)),
    Bug("sync_of_the_unwritten", "a sync makes durable, by what is told, what was written while it went on",
        "LogTest.ASyncMakesNothingDurableThatComesDuringIt", (
            Edit(GROUP_LOG, "  durable_seq_ = seq;\n", "  durable_seq_ = IsPlanted ? last_seq_ : seq;\n"),)),
)

# Found by the fuzzer of decoders (tests/fuzz/decoders); in the place of the test stands the decoder.
FUZZ_BUGS = (
    Bug("unchecked_sequence", "any sequence number may follow any other", "log", (
        Edit(LOG_READER, "if (header.seq != position_.next_seq - (mark ? 1 : 0)) {",
             "if (!IsPlanted && header.seq != position_.next_seq - (mark ? 1 : 0)) {"),)),
    Bug("unchecked_entry", "a manifest's entry of a segment may say anything", "manifest", (
        Edit(MANIFEST_FORMAT, "segment.first_seq > segment.last_seq ||",
             "(!IsPlanted && segment.first_seq > segment.last_seq) ||"),)),
    Bug("unchecked_place", "the place of a section is believed", "segment", (
        Edit(SECTION_FORMAT, "entry.offset > footer.data_bytes || entry.bytes > footer.data_bytes - entry.offset) {",
             "(!IsPlanted && (entry.offset > footer.data_bytes ||\n"
             "                        entry.bytes > footer.data_bytes - entry.offset))) {"),)),
    Bug("unchecked_row", "a delta may change rows that its segment lacks", "delta", (
        Edit(DELTA, "if (!ascends || change.row >= delta.rows ||",
             "if (!ascends || (!IsPlanted && change.row >= delta.rows) ||"),)),
    Bug("unchecked_hash", "what a snapshot holds isn't compared with its list", "snapshot", (
        Edit(SNAPSHOT_FILE, "  if (hash.Digest() != file.sha256) {",
             "  if (!IsPlanted && hash.Digest() != file.sha256) {"),)),
    Bug("two_of_one_name", "a checkpoint may hold two collections of one name", "checkpoint", (
        Edit(SYSTEM_STATE, "if (replace != nullptr && !names.insert(replace->name).second) {",
             "if (!IsPlanted && replace != nullptr && !names.insert(replace->name).second) {"),)),
    Bug("bytes_behind_a_record", "a record of the system log may be longer than what it says", "system", (
        Edit(SYSTEM_RECORDS, "if (version == 0 || !in.AtEnd()) {",
             "if (version == 0 || (!IsPlanted && !in.AtEnd())) {"),)),
)
