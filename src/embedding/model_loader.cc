#include "embedding/model_loader.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"

namespace akidb::embedding {
namespace {

constexpr size_t kHashStep = size_t{8} << 20;
constexpr uint64_t kTokenizerBytesMax = uint64_t{256} << 20;

Status NotInstalled(const Manifest& manifest, const std::string& path) {
  const bool can_pull = !manifest.graph.source.empty() && !manifest.tokenizer.source.empty();
  return InvalidArgumentError(
      "model " + manifest.id + " is not installed: " + path + " is missing; " +
      (can_pull ? "run `akidb models pull " + manifest.id + "`" : "put the file there"));
}

// A file of a model in its folder.
struct PlacedFile {
  const std::string& folder;
  const Manifest& manifest;
  const ModelFile& file;
  LoadProgress* progress = nullptr;
};

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

// The whole file, mapped, once its size and checksum are those of the manifest. What is checked
// here is what is used afterwards: the file isn't opened again.
Result<std::unique_ptr<env::MappedFile>> MapVerified(env::FileSystem& fs,
                                                     const PlacedFile& placed) {
  const ModelFile& file = placed.file;
  const Manifest& manifest = placed.manifest;
  const std::string path = env::JoinPath(placed.folder, file.path);
  Result<std::unique_ptr<env::MappedFile>> mapped = fs.Map(path);
  if (!mapped.ok()) {
    if (mapped.status().code() == ErrorCode::kNotFound) return NotInstalled(manifest, path);
    return mapped.status();
  }
  const uint64_t bytes = (*mapped)->bytes().size();
  if (bytes != file.bytes) {
    return CorruptionError(path + " has " + std::to_string(bytes) + " bytes instead of " +
                           std::to_string(file.bytes) +
                           ": it is truncated or another file; run "
                           "`akidb models pull " +
                           manifest.id + "`");
  }
  const std::string sha256 = HashOf((*mapped)->bytes(), placed.progress);
  if (sha256 != file.sha256) {
    return CorruptionError(path + " has the SHA-256 " + sha256 + " instead of " + file.sha256 +
                           "; run `akidb models pull " + manifest.id + "`");
  }
  return mapped;
}

// An appended id that is no token would be a row of the model that nobody trained.
Result<std::unique_ptr<Tokenizer>> CheckNamed(const Manifest& manifest,
                                              std::unique_ptr<Tokenizer> tokenizer) {
  for (int32_t id : manifest.append_ids) {
    if (tokenizer->TokenOf(id)) continue;
    return CorruptionError("append_ids of model " + manifest.id + " holds " + std::to_string(id) +
                           ", but the tokenizer has no token of that id; its ids end at " +
                           std::to_string(tokenizer->vocabulary_size() - 1));
  }
  return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> MakeTokenizer(env::FileSystem& fs, const InstalledModel& model) {
  const Manifest& manifest = model.manifest;
  if (manifest.tokenizer.bytes > kTokenizerBytesMax) {
    return CorruptionError("the tokenizer of model " + manifest.id + " is larger than 256 MiB");
  }
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> file,
                         MapVerified(fs, {model.folder, manifest, manifest.tokenizer}));
  std::string_view json(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json, manifest.tokenizer_options);
  if (!tokenizer.ok()) {
    return CorruptionError(env::JoinPath(model.folder, manifest.tokenizer.path) + ": " +
                           std::string(tokenizer.status().message()));
  }
  const size_t special = (*tokenizer)->prefix_ids().size() + (*tokenizer)->suffix_ids().size() +
                         manifest.append_ids.size();
  if (manifest.max_tokens <= special) {
    return CorruptionError("max_tokens of model " + manifest.id + " leaves no room for text");
  }
  return CheckNamed(manifest, std::move(tokenizer).value());
}

SessionSpec SpecOf(const Manifest& manifest, int threads) {
  SessionSpec spec;
  spec.inputs = manifest.inputs;
  spec.empty_kv = manifest.empty_kv;
  spec.output = manifest.output;
  spec.pooled_in_graph = manifest.pooling == Pooling::kNone;
  spec.width = manifest.dims;
  spec.threads = threads;
  return spec;
}

}  // namespace

std::string MissingFiles(env::FileSystem& fs, const InstalledModel& model) {
  for (const ModelFile* file : {&model.manifest.graph, &model.manifest.tokenizer}) {
    const std::string path = env::JoinPath(model.folder, file->path);
    Result<bool> exists = fs.Exists(path);
    if (!exists.ok()) return std::string(exists.status().message());
    if (!*exists) return std::string(NotInstalled(model.manifest, path).message());
  }
  return "";
}

Result<std::shared_ptr<const TextEncoder>> LoadTextEncoder(env::FileSystem& fs,
                                                           const InstalledModel& model) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, MakeTokenizer(fs, model));
  return std::make_shared<const TextEncoder>(model.manifest, std::move(tokenizer));
}

Result<std::unique_ptr<Pipeline>> LoadModel(env::FileSystem& fs, const ModelParts& parts,
                                            OnnxRuntime& runtime, const PipelineOptions& options) {
  const Manifest& manifest = parts.encoder->manifest();
  const auto enter = [&](LoadPhase phase) {
    if (parts.progress != nullptr) parts.progress->Enter(phase);
  };
  std::unique_ptr<Session> session;
  {
    enter(LoadPhase::kVerifying);
    AKIDB_ASSIGN_OR_RETURN(
        std::unique_ptr<env::MappedFile> graph,
        MapVerified(fs, {parts.folder, manifest, manifest.graph, parts.progress}));
    enter(LoadPhase::kBuilding);
    Result<std::unique_ptr<Session>> created =
        runtime.CreateSession(graph->bytes(), SpecOf(manifest, options.threads_per_run));
    if (!created.ok()) {
      return created.status().WithContext(env::JoinPath(parts.folder, manifest.graph.path));
    }
    session = std::move(created).value();
  }
  auto pipeline = std::make_unique<Pipeline>(parts.encoder, std::move(session), options);
  enter(LoadPhase::kProving);
  if (Status proved = pipeline->Prove(); !proved.ok()) {
    return proved.WithContext("model " + manifest.id);
  }
  return pipeline;
}

}  // namespace akidb::embedding
