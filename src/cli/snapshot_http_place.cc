// Snapshots of a server.
#include <algorithm>
#include <optional>

#include "cli/downloaded_file.h"
#include "cli/http_client.h"
#include "cli/http_reply.h"
#include "cli/snapshot_place.h"
#include "cli/snapshot_wire_json.h"

namespace akidb::cli {
namespace {

// None of ours begins so: a snapshot's first bytes are a name and zeros, and its parts are binary.
constexpr char kBoundary[] = "akidb-4b1f9c0e7a25d683-snapshot";

// A file as the one part of a multipart/form-data body.
class FileBody {
 public:
  FileBody(env::File& file, uint64_t bytes, const std::string& name) : file_(file), bytes_(bytes) {
    head_ = std::string("--") + kBoundary +
            "\r\ncontent-disposition: form-data; name=\"snapshot\"; filename=\"" + name +
            "\"\r\ncontent-type: application/octet-stream\r\n\r\n";
    tail_ = std::string("\r\n--") + kBoundary + "--\r\n";
  }

  uint64_t bytes() const { return head_.size() + bytes_ + tail_.size(); }
  uint64_t given() const { return std::min(given_, bytes_); }

  Result<size_t> Give(std::span<char> out) {
    const uint64_t of_file = given_ - std::min<uint64_t>(given_, head_.size());
    Result<size_t> count = size_t{0};
    if (given_ < head_.size()) {
      count = head_.copy(out.data(), out.size(), given_);
    } else if (of_file < bytes_) {
      out = out.first(std::min<uint64_t>(out.size(), bytes_ - of_file));
      count = file_.ReadAt(of_file, std::as_writable_bytes(out));
      if (count.ok() && *count == 0) return IoError("the file has become shorter");
    } else if (of_file - bytes_ < tail_.size()) {
      count = tail_.copy(out.data(), out.size(), of_file - bytes_);
    }
    if (count.ok()) given_ += *count;
    return count;
  }

 private:
  env::File& file_;
  const uint64_t bytes_;
  std::string head_;
  std::string tail_;
  uint64_t given_ = 0;
};

class HttpSnapshots final : public SnapshotPlace {
 public:
  explicit HttpSnapshots(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

  void Cancel() override { client_->Cancel(); }

  Result<SnapshotFacts> Create(const std::string& collection) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string body, Send("POST", PathOf(collection, ""), "{}"));
    return ReadSnapshot(body);
  }

  Result<std::vector<SnapshotFacts>> List(const std::string& collection) override {
    AKIDB_ASSIGN_OR_RETURN(const std::string body, Send("GET", PathOf(collection, ""), ""));
    return ReadSnapshots(body);
  }

  Status Delete(const std::string& collection, const std::string& name) override {
    return Send("DELETE", PathOf(collection, "/" + HttpClient::Escape(name)), "").status();
  }

  Status Fetch(const std::string& collection, const std::string& name, const std::string& path,
               const ByteProgress& progress) override {
    AKIDB_ASSIGN_OR_RETURN(const std::vector<SnapshotFacts> known, List(collection));
    auto found = std::find_if(known.begin(), known.end(),
                              [&](const SnapshotFacts& facts) { return facts.name == name; });
    const uint64_t total = found == known.end() ? 0 : found->bytes;
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<NewFile> file, NewFile::Create(*fs_, path));
    AKIDB_ASSIGN_OR_RETURN(HttpReply reply,
                           client_->Download(PathOf(collection, "/" + HttpClient::Escape(name)),
                                             [&](std::span<const char> piece) {
                                               progress(file->bytes() + piece.size(), total);
                                               return file->Append(std::as_bytes(piece));
                                             }));
    AKIDB_RETURN_IF_ERROR(BodyOf(std::move(reply)).status());
    return file->Finish();
  }

  Result<StorageNames> Names() override {
    AKIDB_ASSIGN_OR_RETURN(const std::string collections, Send("GET", "/collections", ""));
    AKIDB_ASSIGN_OR_RETURN(const std::string aliases, Send("GET", "/aliases", ""));
    return ReadStorageNames(collections, aliases);
  }

  Status SetAlias(const std::string& alias, const std::string& collection) override {
    return Send("POST", "/collections/aliases", WriteAlias(alias, collection)).status();
  }

  Result<bool> HasCollection(const std::string& name) override {
    const Status found = Send("GET", "/collections/" + HttpClient::Escape(name), "").status();
    if (found.code() == ErrorCode::kNotFound) return false;
    AKIDB_RETURN_IF_ERROR(found);
    return true;
  }

  Status RestoreNamed(const std::string& collection, const std::string& from,
                      const std::string& name) override {
    // The server's own folder, wherever it is.
    const std::string location =
        "file:///qdrant/snapshots/" + HttpClient::Escape(from) + "/" + HttpClient::Escape(name);
    return Send("PUT", PathOf(collection, "/recover"), WriteRecovery(location)).status();
  }

  Result<SnapshotFacts> CreateIn(const std::string& collection, storage::SnapshotFolder& folder,
                                 const ByteProgress& progress) override {
    AKIDB_ASSIGN_OR_RETURN(const SnapshotFacts made, Create(collection));
    const Result<storage::FileRef> imported = Import(collection, made, folder, progress);
    // Who wants it in a folder wants no other copy.
    const Status deleted = Delete(collection, made.name);
    AKIDB_RETURN_IF_ERROR(imported.status());
    if (deleted.code() != ErrorCode::kNotFound) AKIDB_RETURN_IF_ERROR(deleted);
    AKIDB_ASSIGN_OR_RETURN(SnapshotFacts facts, FactsIn(folder, imported->name));
    facts.copied = folder.copied();
    return facts;
  }

  Status RestoreArchive(const std::string& collection, std::unique_ptr<env::File> archive,
                        const std::string& path, const ByteProgress& progress) override {
    AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, archive->Size());
    std::string name = path.substr(path.find_last_of('/') + 1);
    // The server makes one up where this can't be one.
    if (name.find_first_of("\"\r\n\\") != name.npos) name.clear();
    FileBody body(*archive, bytes, name);
    const HttpUpload upload{std::string("multipart/form-data; boundary=") + kBoundary, body.bytes(),
                            [&](std::span<char> piece) {
                              progress(body.given(), bytes);
                              return body.Give(piece);
                            }};
    AKIDB_ASSIGN_OR_RETURN(HttpReply reply, client_->Upload(PathOf(collection, "/upload"), upload));
    return BodyOf(std::move(reply)).status();
  }

 private:
  static std::string PathOf(const std::string& collection, const std::string& rest) {
    if (collection.empty()) return "/snapshots" + rest;
    return "/collections/" + HttpClient::Escape(collection) + "/snapshots" + rest;
  }
  // What the folder has already is received, too, and not written.
  Result<storage::FileRef> Import(const std::string& collection, const SnapshotFacts& made,
                                  storage::SnapshotFolder& folder, const ByteProgress& progress) {
    auto archive = std::make_unique<DownloadedFile>(
        *client_, PathOf(collection, "/" + HttpClient::Escape(made.name)), made.bytes);
    archive->set_progress(progress);
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFile> snapshot,
                           storage::SnapshotFile::Open(std::move(archive), made.name));
    return folder.Import(RequestContext(), *snapshot);
  }
  Result<std::string> Send(const char* method, const std::string& path, std::string_view body) {
    AKIDB_ASSIGN_OR_RETURN(HttpReply reply, client_->Send(method, path, body));
    return BodyOf(std::move(reply));
  }

  const std::unique_ptr<HttpClient> client_;
  const std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
};

}  // namespace

Result<std::unique_ptr<SnapshotPlace>> OpenHttpSnapshots(const Place& place) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client,
                         HttpClient::Create(place.url, place.credentials));
  return std::make_unique<HttpSnapshots>(std::move(client));
}

}  // namespace akidb::cli
