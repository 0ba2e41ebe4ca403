#include "embedding/model_session.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"

namespace akidb::embedding {
namespace {

constexpr size_t kHashStep = size_t{8} << 20;

std::string HashOf(std::span<const std::byte> bytes, LoadProgress* progress) {
  Sha256 sha256;
  for (size_t at = 0; at < bytes.size(); at += kHashStep) {
    const std::span<const std::byte> step =
        bytes.subspan(at, std::min(kHashStep, bytes.size() - at));
    sha256.Update(step);
    if (progress != nullptr) progress->AddVerified(step.size());
  }
  return ToHex(sha256.Digest());
}

}  // namespace

Status NotInstalled(const PlacedFile& placed) {
  const std::string path = env::JoinPath(placed.folder, placed.file.path);
  return InvalidArgumentError(
      "model " + placed.model_id + " is not installed: " + path + " is missing; " +
      (placed.can_pull ? "run `akidb models pull " + placed.model_id + "`" : "put the file there"));
}

Result<std::unique_ptr<env::MappedFile>> MapVerified(env::FileSystem& fs, const PlacedFile& placed,
                                                     LoadProgress* progress) {
  const ModelFile& file = placed.file;
  const std::string path = env::JoinPath(placed.folder, file.path);
  const std::string again = "run `akidb models pull " + placed.model_id + "`";
  Result<std::unique_ptr<env::MappedFile>> mapped = fs.Map(path);
  if (!mapped.ok()) {
    if (mapped.status().code() == ErrorCode::kNotFound) return NotInstalled(placed);
    return mapped.status();
  }
  const uint64_t bytes = (*mapped)->bytes().size();
  if (bytes != file.bytes) {
    return CorruptionError(path + " has " + std::to_string(bytes) + " bytes instead of " +
                           std::to_string(file.bytes) + ": it is truncated or another file; " +
                           again);
  }
  const std::string sha256 = HashOf((*mapped)->bytes(), progress);
  if (sha256 != file.sha256) {
    return CorruptionError(path + " has the SHA-256 " + sha256 + " instead of " + file.sha256 +
                           "; " + again);
  }
  return mapped;
}

Result<std::unique_ptr<Session>> OpenSession(env::FileSystem& fs, OnnxRuntime& runtime,
                                             const SessionRequest& request,
                                             LoadProgress* progress) {
  const auto map = [&](const ModelFile& file) {
    return MapVerified(fs, {request.model_id, request.folder, file, request.can_pull}, progress);
  };
  // Before the checksums, which take their time.
  AKIDB_RETURN_IF_ERROR(runtime.CheckProvider(request.spec));
  if (progress != nullptr) progress->Enter(LoadPhase::kVerifying);
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> graph, map(request.graph));
  GraphBytes bytes{graph->bytes(), {}};
  const size_t folder = request.graph.path.rfind('/') + 1;
  std::vector<std::unique_ptr<env::MappedFile>> external;
  for (const ModelFile& file : request.external) {
    AKIDB_ASSIGN_OR_RETURN(external.emplace_back(), map(file));
    // The graph calls them by their paths from its own folder.
    bytes.external.push_back({file.path.substr(folder), external.back()->bytes()});
  }
  if (progress != nullptr) progress->Enter(LoadPhase::kBuilding);
  Result<std::unique_ptr<Session>> session = runtime.CreateSession(bytes, request.spec);
  if (session.ok()) return session;
  return session.status().WithContext(env::JoinPath(request.folder, request.graph.path));
}

}  // namespace akidb::embedding
