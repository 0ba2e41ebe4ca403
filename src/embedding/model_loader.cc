#include "embedding/model_loader.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "embedding/golden_proof.h"
#include "embedding/onnx_embedding_rows.h"
#include "embedding/provider_chain.h"
#include "env/random.h"

namespace akidb::embedding {
namespace {

constexpr uint64_t kTokenizerBytesMax = uint64_t{256} << 20;
// Padded tokens of a run. On the processor, what its caches hold (docs/internals/embedding.md); on
// a GPU, about what one reading of the weights is good for.
constexpr size_t kProcessorTokens = 256;
constexpr size_t kGpuTokens = 4096;

bool CanPull(const Manifest& manifest) {
  return !manifest.graph.file.source.empty() && !manifest.tokenizer.source.empty();
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
  AKIDB_ASSIGN_OR_RETURN(
      std::unique_ptr<env::MappedFile> file,
      MapVerified(fs, {manifest.id, model.folder, manifest.tokenizer, CanPull(manifest)}, nullptr));
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

// How many tokens the graphs of a model know.
struct TokenRows {
  std::atomic<uint64_t> least = UINT64_MAX;
  std::atomic<bool> too_few = false;  // for golden texts
};

// Of a graph whose checksum was right. Where its golden texts have ids without rows, so that any
// text may, the tokenizer is another model's.
Status TakeTokenRows(env::FileSystem& fs, const SessionRequest& request, const TextEncoder& encoder,
                     TokenRows& known) {
  const std::vector<SessionInput>& inputs = request.spec.inputs;
  const auto ids = std::find_if(inputs.begin(), inputs.end(), [](const SessionInput& input) {
    return input.kind == InputKind::kIds;
  });
  if (ids == inputs.end()) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> graph,
                         fs.Map(env::JoinPath(request.folder, request.graph.path)));
  const std::optional<uint64_t> rows = EmbeddingRows(graph->bytes(), ids->name);
  if (!rows) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::vector<int32_t>> golden,
                         EncodeGoldenTexts(encoder));
  for (const std::vector<int32_t>& sequence : golden) {
    const int32_t id = *std::max_element(sequence.begin(), sequence.end());
    if (uint64_t(id) < *rows) continue;
    known.too_few = true;
    return CorruptionError("the tokenizer gives golden texts the id " + std::to_string(id) +
                           ", but " + request.graph.path + " knows only " + std::to_string(*rows) +
                           " (rows of its table of embeddings): they don't belong together");
  }
  uint64_t seen = known.least.load();
  while (*rows < seen && !known.least.compare_exchange_weak(seen, *rows)) {
  }
  return OkStatus();
}

// Reads the graph's files anew: whoever made the session has told an error, but not of what.
bool AreAsDescribed(env::FileSystem& fs, const SessionRequest& request) {
  const auto is_right = [&](const ModelFile& file) {
    return MapVerified(fs, {request.model_id, request.folder, file, request.can_pull}, nullptr)
        .ok();
  };
  return is_right(request.graph) &&
         std::all_of(request.external.begin(), request.external.end(), is_right);
}

// What the links of a chain make sessions with.
struct LinkParts {
  const LoadOptions& options;
  std::shared_ptr<const TextEncoder> encoder;
  std::shared_ptr<TokenRows> rows;
};

// The links of a chain, in the order of preference.
std::vector<ProviderLink> LinksOf(env::FileSystem& fs, std::vector<PlannedSession> sessions,
                                  const LinkParts& parts) {
  const LoadOptions& options = parts.options;
  std::vector<ProviderLink> links;
  for (PlannedSession& planned : sessions) {
    ProviderLink& link = links.emplace_back();
    link.provider = planned.request.spec.provider;
    link.variant = planned.variant;
    link.slow = planned.slow && !options.wait_for_engines;
    link.items_max = planned.items_max;
    link.expected = RunsOnGpu(link.provider) && !options.providers.gpu.devices.empty();
    link.shares_fate = !options.isolated && RunsOnGpu(link.provider);
    if (!RunsOnGpu(link.provider) && links.size() > 1) link.tokens_max = kProcessorTokens;
    if (!planned.engine_folder.empty()) {
      link.delete_kept = [&fs, rows = parts.rows, request = planned.request,
                          folder = planned.engine_folder]() -> Result<bool> {
        // No engine is to blame for another model's tokenizer, nor for damaged files of its own.
        if (rows->too_few || !AreAsDescribed(fs, request)) return false;
        return DeleteEngines(fs, folder);
      };
    }
    link.make =
        [&fs, encoder = parts.encoder, rows = parts.rows, maker = options.make_session,
         planned = std::move(planned)](LoadProgress* progress) -> Result<std::unique_ptr<Session>> {
      if (!planned.engine_folder.empty()) {
        AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(planned.engine_folder));
      }
      AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, maker(planned.request, progress));
      AKIDB_RETURN_IF_ERROR(TakeTokenRows(fs, planned.request, *encoder, *rows));
      return session;
    };
  }
  return links;
}

bool ServesOnGpu(const Session& session) {
  const std::vector<ProviderState> states = session.Providers();
  return std::any_of(states.begin(), states.end(), [](const ProviderState& state) {
    return RunsOnGpu(state.provider) && (state.serves || state.state == LinkState::kBuilding);
  });
}

}  // namespace

Status FindFiles(env::FileSystem& fs, const InstalledModel& model) {
  const Manifest& manifest = model.manifest;
  for (const ModelFile* file : RequiredFiles(manifest)) {
    Result<bool> exists = fs.Exists(env::JoinPath(model.folder, file->path));
    if (!exists.ok()) return UnavailableError(std::string(exists.status().message()));
    if (!*exists) return NotInstalled({manifest.id, model.folder, *file, CanPull(manifest)});
  }
  return OkStatus();
}

Result<std::shared_ptr<const TextEncoder>> LoadTextEncoder(env::FileSystem& fs,
                                                           const InstalledModel& model) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, MakeTokenizer(fs, model));
  return std::make_shared<const TextEncoder>(model.manifest, std::move(tokenizer));
}

SessionMaker MakeSessionsHere(env::FileSystem& fs, std::shared_ptr<OnnxRuntime> runtime) {
  return
      [&fs, runtime = std::move(runtime)](const SessionRequest& request, LoadProgress* progress) {
        return OpenSession(fs, *runtime, request, progress);
      };
}

SessionMaker MakeIsolatedSessions(IsolationOptions options) {
  return
      [options = std::move(options)](const SessionRequest& request,
                                     LoadProgress* progress) -> Result<std::unique_ptr<Session>> {
        AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                               IsolatedSession::Open(options, request, progress));
        return session;
      };
}

Result<std::unique_ptr<Pipeline>> LoadModel(env::FileSystem& fs, Logger& log,
                                            const ModelParts& parts, const LoadOptions& options) {
  const Manifest& manifest = parts.encoder->manifest();
  const std::shared_ptr<const TextEncoder> encoder = parts.encoder;
  ProviderChainOptions chain_options;
  chain_options.model_id = manifest.id;
  chain_options.prove = [encoder](Session& session) {
    return ProveByGoldenTexts(*encoder, session);
  };
  chain_options.run_timeout = options.run_timeout;
  chain_options.seed = env::MakeSystemRandom()->Next();
  const auto rows = std::make_shared<TokenRows>();
  Result<std::unique_ptr<ProviderChain>> chain = ProviderChain::Start(
      LinksOf(fs, PlanSessions(fs, {parts.folder, manifest}, options.providers),
              {options, encoder, rows}),
      std::move(chain_options), log, parts.progress);
  if (!chain.ok()) return chain.status().WithContext("model " + manifest.id);
  PipelineOptions pipeline = options.pipeline;
  pipeline.token_rows = std::shared_ptr<const std::atomic<uint64_t>>(rows, &rows->least);
  if (pipeline.batch_tokens == 0) {
    pipeline.batch_tokens = ServesOnGpu(**chain) ? kGpuTokens : kProcessorTokens;
  }
  return std::make_unique<Pipeline>(encoder, std::move(chain).value(), pipeline);
}

}  // namespace akidb::embedding
