#include "embedding/model_import.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "embedding/file_sha256.h"
#include "embedding/manifest_writer.h"
#include "embedding/model_folder_json.h"
#include "embedding/model_loader.h"
#include "embedding/onnx_external_files.h"
#include "embedding/onnx_graph_facts.h"
#include "embedding/published_proof.h"

namespace akidb::embedding {
namespace {

constexpr size_t kHeadSize = 16;
// Components that differ by more in a batch than alone: not rounding, but another number.
constexpr float kBatchError = 1e-4f;
constexpr std::string_view kLayer = "{layer}";

const std::array<std::string, 4> kTexts = {
    "How do I find which package a file belongs to?",
    "Mount the file system and edit /etc/fstab to keep it so.",
    "a",
    "The server keeps every package, each with its licence, in one folder; a second run finds them "
    "there and fetches nothing, so that it works without a network, too.",
};

Status CannotProve(std::string what) { return UnsupportedError(std::move(what)); }

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

// "past_key_values.12.key" as "past_key_values.{layer}.key" and 12; nullopt without one number.
std::optional<std::pair<std::string, size_t>> SplitLayer(const std::string& name) {
  const size_t begin = name.find_first_of("0123456789");
  if (begin == std::string::npos) return std::nullopt;
  const size_t end = std::min(name.find_first_not_of("0123456789", begin), name.size());
  if (end - begin > 4 || name.find_first_of("0123456789", end) != std::string::npos) {
    return std::nullopt;
  }
  const size_t layer = std::stoul(name.substr(begin, end - begin));
  return std::pair(name.substr(0, begin) + std::string(kLayer) + name.substr(end), layer);
}

// Finds out one model, step by step, into a manifest.
class Importer {
 public:
  Importer(env::FileSystem& fs, std::shared_ptr<OnnxRuntime> runtime, const ImportRequest& request)
      : fs_(fs), runtime_(std::move(runtime)), request_(request) {}

  Result<ImportedModel> Run() {
    AKIDB_ASSIGN_OR_RETURN(facts_, ReadModelFolder(fs_, request_.folder));
    if (request_.published != nullptr) AKIDB_RETURN_IF_ERROR(TakePublished(*request_.published));
    AKIDB_RETURN_IF_ERROR(NameModel());
    AKIDB_RETURN_IF_ERROR(TakeFiles());
    AKIDB_RETURN_IF_ERROR(ReadGraph());
    AKIDB_RETURN_IF_ERROR(ChoosePooling());
    AKIDB_RETURN_IF_ERROR(ChooseTexts());
    AKIDB_RETURN_IF_ERROR(RunModel());
    ImportedModel imported;
    imported.json = WriteManifest(manifest_, kv_);
    // Read again as the server will.
    AKIDB_ASSIGN_OR_RETURN(imported.manifest, ParseManifest(imported.json));
    imported.notes = std::move(facts_.notes);
    return imported;
  }

 private:
  // What the publisher says stands in for what the files leave out.
  Status TakePublished(const PublishedModel& model) {
    AKIDB_RETURN_IF_ERROR(CheckPublished(model, facts_));
    if (model.example.cosines.empty() && !facts_.layers) {
      return CannotProve("nothing proves that the folder is of " + std::string(model.id) +
                         ": put its publisher's config.json beside the graph");
    }
    facts_.width = model.dims;
    facts_.pooling = model.pooling;
    facts_.max_tokens = std::min(facts_.max_tokens.value_or(model.window), model.max_tokens);
    facts_.licence = model.licence;
    facts_.query_prompt = model.query_prompt;
    facts_.document_prompt = model.document_prompt;
    if (!model.instruction.empty()) manifest_.default_instruction = model.instruction;
    if (request_.id.empty()) manifest_.aliases = {FoldName(model.publication)};
    return OkStatus();
  }

  Status NameModel() {
    std::string folder = request_.folder;
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    manifest_.id = !request_.id.empty()            ? request_.id
                   : request_.published != nullptr ? std::string(request_.published->id)
                                                   : FoldName(folder.substr(folder.rfind('/') + 1));
    manifest_.licence = request_.licence.empty() ? facts_.licence : request_.licence;
    if (!manifest_.licence.empty()) return OkStatus();
    return CannotProve("no README.md names a licence that is known: say it by --licence");
  }

  Result<std::vector<std::string>> GraphFiles() const {
    std::vector<std::string> paths;
    for (const std::string below : {"", "onnx"}) {
      Result<std::vector<std::string>> names = fs_.List(env::JoinPath(request_.folder, below));
      if (names.status().code() == ErrorCode::kNotFound) continue;
      AKIDB_RETURN_IF_ERROR(names.status());
      for (const std::string& name : *names) {
        if (name.ends_with(".onnx")) paths.push_back(below.empty() ? name : below + "/" + name);
      }
    }
    return paths;
  }

  Result<ModelFile> Describe(const std::string& path) const {
    ModelFile file;
    file.path = path;
    const std::string whole = env::JoinPath(request_.folder, path);
    AKIDB_ASSIGN_OR_RETURN(file.sha256, Sha256OfFile(fs_, whole));
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::MappedFile> mapped, fs_.Map(whole));
    file.bytes = mapped->bytes().size();
    return file;
  }

  Status TakeFiles() {
    std::string graph = request_.graph;
    if (graph.empty()) {
      AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> paths, GraphFiles());
      if (paths.empty()) return NotFoundError("no .onnx file in " + request_.folder);
      if (paths.size() > 1) {
        return CannotProve("there are several graphs: choose one by --graph: " + Listed(paths));
      }
      graph = paths[0];
    }
    if (!StaysInFolder(graph)) return InvalidArgumentError("--graph is a path inside the folder");
    AKIDB_ASSIGN_OR_RETURN(manifest_.graph.file, Describe(graph));
    AKIDB_ASSIGN_OR_RETURN(manifest_.tokenizer, Describe("tokenizer.json"));
    manifest_.revision = request_.revision.empty()
                             ? "import-" + manifest_.graph.file.sha256.substr(0, 12)
                             : request_.revision;
    return OkStatus();
  }

  Status ReadGraph() {
    GraphSignature signature;
    {
      GraphBytes graph;
      std::vector<std::unique_ptr<env::MappedFile>> files;
      const auto map = [&](const ModelFile& file) -> Result<std::span<const std::byte>> {
        AKIDB_ASSIGN_OR_RETURN(files.emplace_back(),
                               fs_.Map(env::JoinPath(request_.folder, file.path)));
        return files.back()->bytes();
      };
      AKIDB_ASSIGN_OR_RETURN(graph.graph, map(manifest_.graph.file));
      const Result<std::set<std::string>> locations = ExternalFilesOf(graph.graph);
      if (!locations.ok()) return locations.status().WithContext(manifest_.graph.file.path);
      for (const std::string& location : *locations) {
        AKIDB_RETURN_IF_ERROR(DescribeExternal(location));
        AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> bytes,
                               map(manifest_.graph.external.back()));
        graph.external.push_back({location, bytes});
      }
      AKIDB_ASSIGN_OR_RETURN(signature, runtime_->Inspect(graph));
      shown_ = ReadGraphFacts(graph.graph, {"input_ids", "token_type_ids"});
    }
    AKIDB_RETURN_IF_ERROR(ReadInputs(signature));
    if (request_.published != nullptr) {
      AKIDB_RETURN_IF_ERROR(CheckShown(*request_.published));
    }
    return ReadOutput(signature);
  }

  // What the graph shows counts, whatever config.json says of it.
  Status CheckShown(const PublishedModel& model) {
    const std::string id(model.id);
    for (const SessionInput& input : manifest_.graph.inputs) {
      if (input.kind != InputKind::kTokenTypes || !model.rotates) continue;
      return CannotProve("the folder is of another model than " + id +
                         ": the graph takes token_type_ids, " + id + " has none");
    }
    AKIDB_RETURN_IF_ERROR(CheckPublished(model, manifest_.graph.empty_kv));
    AKIDB_RETURN_IF_ERROR(CheckPublished(model, facts_, shown_));
    std::vector<std::string> hidden;
    if (!shown_.token_rows) hidden.emplace_back("its vocabulary");
    if (!shown_.layers) hidden.emplace_back("its number of layers");
    if (!shown_.rotates && !shown_.position_rows) hidden.emplace_back("its kind of positions");
    if (!hidden.empty()) {
      facts_.notes.push_back("the graph doesn't show " + Listed(hidden) +
                             ": config.json is believed");
    }
    return OkStatus();
  }

  // A file with weights, which the graph calls by its path from its own folder.
  Status DescribeExternal(const std::string& location) {
    if (!StaysInFolder(location)) {
      return CannotProve("the graph's weights lie in `" + location + "`, outside its folder");
    }
    const std::string& graph = manifest_.graph.file.path;
    AKIDB_ASSIGN_OR_RETURN(manifest_.graph.external.emplace_back(),
                           Describe(graph.substr(0, graph.rfind('/') + 1) + location));
    return OkStatus();
  }

  Status ReadInputs(const GraphSignature& signature) {
    static const std::map<std::string_view, InputKind> kKinds = {
        {"input_ids", InputKind::kIds},
        {"attention_mask", InputKind::kMask},
        {"token_type_ids", InputKind::kTokenTypes},
        {"position_ids", InputKind::kPositions}};
    std::vector<GraphValue> others;
    bool has_ids = false;
    for (const GraphValue& input : signature.inputs) {
      auto known = kKinds.find(input.name);
      if (known == kKinds.end()) {
        others.push_back(input);
        continue;
      }
      if (input.type != ElementType::kInt64 || input.shape.size() != 2) {
        return CannotProve("the graph's input `" + input.name +
                           "` is not int64, texts x tokens: other kinds are not implemented");
      }
      has_ids = has_ids || known->second == InputKind::kIds;
      if (input.shape[0] > 1) {
        return CannotProve("the graph's input `" + input.name + "` takes exactly " +
                           std::to_string(input.shape[0]) + " texts: that is not implemented");
      }
      takes_one_text_ = takes_one_text_ || input.shape[0] == 1;
      manifest_.graph.inputs.push_back({input.name, known->second});
    }
    if (!has_ids) {
      std::vector<std::string> names;
      for (const GraphValue& input : signature.inputs) names.push_back(input.name);
      return CannotProve("the graph has no input `input_ids`: it takes " + Listed(names));
    }
    return ReadEmptyKv(others);
  }

  // The rest of the inputs: of every layer a key and a value, or nothing that is known.
  Status ReadEmptyKv(const std::vector<GraphValue>& inputs) {
    std::map<std::string, std::vector<size_t>> layers;  // by pattern
    EmptyKv& kv = manifest_.graph.empty_kv;
    for (const GraphValue& input : inputs) {
      auto split = SplitLayer(input.name);
      const bool is_float = input.type == ElementType::kFloat32 ||
                            input.type == ElementType::kFloat16 ||
                            input.type == ElementType::kBfloat16;
      const bool is_kv = split && is_float && input.shape.size() == 4 && input.shape[1] > 0 &&
                         input.shape[2] < 0 && input.shape[3] > 0;
      if (!is_kv)
        return CannotProve("the graph's input `" + input.name + "` is none that is known");
      const EmptyKv of{{},
                       static_cast<uint32_t>(input.shape[1]),
                       static_cast<uint32_t>(input.shape[3]),
                       *input.type};
      if (layers.empty()) kv = of;
      if (kv.heads != of.heads || kv.head_dim != of.head_dim || kv.type != of.type) {
        return CannotProve("the graph's input `" + input.name + "` differs from those before it");
      }
      layers[split->first].push_back(split->second);
    }
    if (layers.empty()) return OkStatus();
    if (layers.size() != 2) {
      return CannotProve("the graph's other inputs are no pairs of keys and values");
    }
    for (auto& [pattern, numbers] : layers) {
      std::sort(numbers.begin(), numbers.end());
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] != i) return CannotProve("`" + pattern + "` misses a layer");
        kv.names.push_back(
            std::string(pattern).replace(pattern.find(kLayer), kLayer.size(), std::to_string(i)));
      }
      (kv_.layers == 0 ? kv_.first : kv_.second) = pattern;
      kv_.layers = numbers.size();
    }
    const bool is_even = layers.begin()->second.size() == layers.rbegin()->second.size();
    return is_even ? OkStatus() : CannotProve("there are not as many values as keys");
  }

  Status ReadOutput(const GraphSignature& signature) {
    std::vector<std::string> names;
    const GraphValue* chosen = nullptr;
    for (const GraphValue& output : signature.outputs) {
      // Keys and values for tokens to come.
      if (output.name.starts_with("present")) continue;
      names.push_back(output.name);
      if (request_.output.empty() || request_.output == output.name) chosen = &output;
    }
    if (chosen == nullptr) return NotFoundError("the graph's outputs are " + Listed(names));
    if (request_.output.empty() && names.size() > 1) {
      return CannotProve("the graph has several outputs: choose one by --output: " + Listed(names));
    }
    const std::string what = "the graph's output `" + chosen->name + "`";
    const size_t rank = chosen->shape.size();
    if (rank != 2 && rank != 3) return CannotProve(what + " is neither vectors nor hidden states");
    manifest_.graph.output.name = chosen->name;
    is_pooled_ = rank == 2;
    AKIDB_RETURN_IF_ERROR(ReadOutputType(*chosen, what));
    const int64_t width = chosen->shape.back();
    if (width < 0 && !facts_.width) {
      return CannotProve(what + " doesn't declare its width, and config.json has no hidden_size");
    }
    const bool must_agree = !is_pooled_ || request_.published != nullptr;
    if (width > 0 && facts_.width && must_agree && width != *facts_.width) {
      const std::string whose = request_.published != nullptr
                                    ? std::string(request_.published->id) + "'s"
                                    : "hidden_size";
      return CannotProve(what + " is " + std::to_string(width) + " wide, but " + whose + " is " +
                         std::to_string(*facts_.width));
    }
    manifest_.dims = width > 0 ? static_cast<uint32_t>(width) : *facts_.width;
    manifest_.dims_offered = request_.dims_offered;
    if (request_.published != nullptr && manifest_.dims_offered.empty()) {
      manifest_.dims_offered = request_.published->dims_offered;
    }
    return OkStatus();
  }

  Status ReadOutputType(const GraphValue& output, const std::string& what) {
    if (!output.type || BytesOf(*output.type) > 4 || output.type == ElementType::kInt32) {
      return CannotProve(what + " is of a type that is not implemented");
    }
    manifest_.graph.output.type = *output.type;
    if (BytesOf(*output.type) != 1) return OkStatus();
    if (!request_.dequantization) {
      return CannotProve(what +
                         " is of bytes, and nothing says what they stand for: --scale and "
                         "--zero-point do");
    }
    manifest_.graph.output.dequantization = *request_.dequantization;
    return OkStatus();
  }

  Status ChoosePooling() {
    if (is_pooled_) {
      if (request_.pooling && request_.pooling != Pooling::kNone) {
        return InvalidArgumentError("the chosen output is pooled already");
      }
      manifest_.pooling = Pooling::kNone;
      return OkStatus();
    }
    std::optional<Pooling> pooling = request_.pooling ? request_.pooling : facts_.pooling;
    if (pooling == Pooling::kNone) return InvalidArgumentError("the chosen output is not pooled");
    if (!pooling) {
      return CannotProve(
          "there is no 1_Pooling/config.json: say by --pooling what makes one vector "
          "of hidden states");
    }
    manifest_.pooling = *pooling;
    return OkStatus();
  }

  Status ChooseTexts() {
    std::optional<uint32_t> window = request_.max_tokens ? request_.max_tokens : facts_.max_tokens;
    if (!window) return CannotProve("no file says how many tokens the model takes: --max-tokens");
    manifest_.max_tokens = *window;
    const auto& query = request_.query_prompt ? request_.query_prompt : facts_.query_prompt;
    const auto& document =
        request_.document_prompt ? request_.document_prompt : facts_.document_prompt;
    if (!query && !document) facts_.notes.push_back("no file names prompts: there are none");
    manifest_.query_prompt = query.value_or("");
    manifest_.document_prompt = document.value_or("");
    const bool takes_instruction =
        (manifest_.query_prompt + manifest_.document_prompt).find("{instruction}") !=
        std::string::npos;
    if (!takes_instruction) manifest_.default_instruction.reset();
    if (takes_instruction && !manifest_.default_instruction) {
      return InvalidArgumentError("a prompt with {instruction} needs a default: edit the manifest");
    }
    if (request_.append_ids) manifest_.append_ids = *request_.append_ids;
    return OkStatus();
  }

  Status RunModel() {
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder, LoadEncoder());
    const std::unique_ptr<Logger> log = MakeNullLogger();
    RunsSeen seen;
    LoadOptions options;
    options.run_timeout = std::chrono::minutes(2);
    options.pipeline.ingest_run_max = std::chrono::milliseconds(0);  // all texts at once
    options.make_session = [make = MakeSessionsHere(fs_, runtime_), &seen](
                               const SessionRequest& request,
                               LoadProgress* progress) -> Result<std::unique_ptr<Session>> {
      AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, make(request, progress));
      return std::unique_ptr<Session>(std::make_unique<SeenSession>(std::move(session), seen));
    };
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline,
                           LoadModel(fs_, *log, {request_.folder, encoder, nullptr}, options));
    AKIDB_RETURN_IF_ERROR(ChooseBatch(*pipeline, seen.batch_failed));
    if (request_.published != nullptr) {
      AKIDB_RETURN_IF_ERROR(
          ProvePublished({*request_.published, *pipeline, seen, is_pooled_, facts_.notes}));
    }
    for (InputType type : {InputType::kQuery, InputType::kDocument}) {
      EmbedRequest request;
      request.texts = std::span(&kTexts[type == InputType::kQuery ? 0 : 1], 1);
      request.input_type = type;
      AKIDB_ASSIGN_OR_RETURN(EmbedResult result, pipeline->Embed(context_, request));
      GoldenText golden{request.texts[0], type, {}, 0.999};
      const size_t size = std::min<size_t>(kHeadSize, manifest_.dims);
      golden.head.assign(result.vectors.begin(),
                         result.vectors.begin() + static_cast<ptrdiff_t>(size));
      manifest_.golden.push_back(std::move(golden));
    }
    return OkStatus();
  }

  // Whether texts may be run together: the graph takes several, and gives the same for each.
  Status ChooseBatch(Pipeline& pipeline, const std::atomic<bool>& batch_failed) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<float> alone, EmbedTexts(pipeline, /*together=*/false));
    AKIDB_ASSIGN_OR_RETURN(std::vector<float> batched, EmbedTexts(pipeline, /*together=*/true));
    float error = 0;
    for (size_t i = 0; i < alone.size(); ++i) {
      error = std::max(error, std::abs(alone[i] - batched[i]));
    }
    std::string why;
    if (error > kBatchError) why = "vectors depend on what texts are batched with";
    if (batch_failed) why = "the graph fails for several texts at once";
    if (takes_one_text_) why = "the graph takes one text at a time";
    manifest_.one_text_a_run = !why.empty();
    if (!why.empty()) facts_.notes.push_back(why + ": each is run alone");
    return OkStatus();
  }

  // What is pooled must be known to stand at the end.
  Result<std::shared_ptr<const TextEncoder>> LoadEncoder() {
    const bool takes_last =
        manifest_.pooling == Pooling::kLast || (is_pooled_ && facts_.pooling == Pooling::kLast);
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<const TextEncoder> encoder,
                           LoadTextEncoder(fs_, {request_.folder, manifest_}));
    if (!takes_last || request_.append_ids) return encoder;
    AKIDB_ASSIGN_OR_RETURN(bool adds_one, AddsEndToken(*encoder));
    if (adds_one) return encoder;
    if (request_.published != nullptr && request_.published->end_token) {
      manifest_.append_ids = {*request_.published->end_token};
      return LoadTextEncoder(fs_, {request_.folder, manifest_});
    }
    return CannotProve(
        "the last token is pooled, and the tokenizer adds none: say by --append-ids "
        "which, or none");
  }

  Result<bool> AddsEndToken(const TextEncoder& encoder) const {
    TokenizeRequest request;
    request.texts = std::span(&kTexts[2], 1);
    AKIDB_ASSIGN_OR_RETURN(TokenizeResult with, encoder.Tokenize(context_, request));
    request.add_special_tokens = false;
    AKIDB_ASSIGN_OR_RETURN(TokenizeResult without, encoder.Tokenize(context_, request));
    return with.texts[0].ids.back() != without.texts[0].ids.back();
  }

  Result<std::vector<float>> EmbedTexts(Pipeline& pipeline, bool together) {
    EmbedRequest request;
    request.texts = kTexts;
    if (together) {
      AKIDB_ASSIGN_OR_RETURN(EmbedResult result, pipeline.Embed(context_, request));
      return std::move(result.vectors);
    }
    std::vector<float> vectors;
    for (const std::string& text : kTexts) {
      request.texts = std::span(&text, 1);
      AKIDB_ASSIGN_OR_RETURN(EmbedResult result, pipeline.Embed(context_, request));
      vectors.insert(vectors.end(), result.vectors.begin(), result.vectors.end());
    }
    return vectors;
  }

  env::FileSystem& fs_;
  const std::shared_ptr<OnnxRuntime> runtime_;
  const ImportRequest& request_;
  RequestContext context_;
  ModelFolderFacts facts_;
  OnnxGraphFacts shown_;
  Manifest manifest_;
  bool is_pooled_ = false;
  bool takes_one_text_ = false;  // as the shapes of its inputs say
  KvPatterns kv_;
};

}  // namespace

Result<ImportedModel> ImportModel(env::FileSystem& fs, std::shared_ptr<OnnxRuntime> runtime,
                                  const ImportRequest& request) {
  return Importer(fs, std::move(runtime), request).Run();
}

}  // namespace akidb::embedding
