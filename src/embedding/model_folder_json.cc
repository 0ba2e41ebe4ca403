#include "embedding/model_folder_json.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include <simdjson.h>

namespace akidb::embedding {
namespace {

using simdjson::dom::element;

constexpr uint64_t kFileBytesMax = uint64_t{4} << 20;
constexpr uint64_t kTokensMax = uint64_t{1} << 20;  // more stands for "no limit" in such files

struct JsonFile {
  std::string path;
  simdjson::dom::parser parser;
  element root;
};

// Null where there is no such file.
Result<std::unique_ptr<JsonFile>> ReadJson(env::FileSystem& fs, std::string path) {
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(path));
  if (!exists) return std::unique_ptr<JsonFile>();
  AKIDB_ASSIGN_OR_RETURN(std::string text, env::ReadWholeFile(fs, path, kFileBytesMax));
  auto file = std::make_unique<JsonFile>();
  file->path = std::move(path);
  if (auto error = file->parser.parse(simdjson::padded_string(text)).get(file->root)) {
    return MalformedError(file->path + ": " + simdjson::error_message(error));
  }
  return file;
}

class FolderReader {
 public:
  FolderReader(env::FileSystem& fs, const std::string& folder) : fs_(fs), folder_(folder) {}

  Result<ModelFolderFacts> Read() {
    AKIDB_RETURN_IF_ERROR(ReadModules());
    AKIDB_RETURN_IF_ERROR(ReadPooling());
    AKIDB_RETURN_IF_ERROR(ReadWindow());
    AKIDB_RETURN_IF_ERROR(ReadPrompts());
    AKIDB_RETURN_IF_ERROR(ReadLicence());
    return std::move(facts_);
  }

 private:
  Result<std::unique_ptr<JsonFile>> Open(std::string_view name) const {
    return ReadJson(fs_, env::JoinPath(folder_, name));
  }

  // The stages behind the network. Others than these would change vectors.
  Status ReadModules() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> file, Open("modules.json"));
    if (!file) return OkStatus();
    simdjson::dom::array modules;
    if (file->root.get(modules)) return MalformedError(file->path + ": expected an array");
    bool is_normalized = false;
    for (element module : modules) {
      std::string_view type;
      if (module["type"].get(type)) return MalformedError(file->path + ": a module has no type");
      const std::string_view name = type.substr(type.rfind('.') + 1);
      is_normalized = is_normalized || name == "Normalize";
      if (name == "Transformer" || name == "Pooling" || name == "Normalize") continue;
      return UnsupportedError(file->path + ": the module `" + std::string(name) +
                              "` is not implemented");
    }
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> more,
                           Open("config_sentence_transformers.json"));
    std::string_view similarity;
    if (is_normalized || !more || more->root["similarity_fn_name"].get(similarity)) {
      return OkStatus();
    }
    if (similarity == "cosine") return OkStatus();
    return UnsupportedError(more->path + ": vectors that are compared by `" +
                            std::string(similarity) +
                            "` at lengths of their own; AkiDB makes them unit length");
  }

  Status ReadPooling() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> file, Open("1_Pooling/config.json"));
    if (!file) return OkStatus();
    static constexpr std::array<std::pair<std::string_view, Pooling>, 3> kModes = {{
        {"pooling_mode_cls_token", Pooling::kCls},
        {"pooling_mode_mean_tokens", Pooling::kMean},
        {"pooling_mode_lasttoken", Pooling::kLast},
    }};
    simdjson::dom::object members;
    if (file->root.get(members)) return MalformedError(file->path + ": expected an object");
    for (auto [name, value] : members) {
      bool is_set = false;
      if (!name.starts_with("pooling_mode") || value.get(is_set) || !is_set) continue;
      const auto* mode = std::find_if(kModes.begin(), kModes.end(),
                                      [&](const auto& known) { return known.first == name; });
      if (mode == kModes.end() || facts_.pooling) {
        return UnsupportedError(file->path + ": `" + std::string(name) + "`" +
                                (facts_.pooling ? " beside another mode" : "") +
                                " is not implemented");
      }
      facts_.pooling = mode->second;
    }
    bool includes_prompt = true;
    if (!file->root["include_prompt"].get(includes_prompt) && !includes_prompt) {
      return UnsupportedError(file->path + ": `include_prompt` false is not implemented");
    }
    return OkStatus();
  }

  void TakeWindow(element value) {
    uint64_t tokens = 0;
    if (value.get(tokens) || tokens == 0 || tokens > kTokensMax) return;
    const auto found = static_cast<uint32_t>(tokens);
    facts_.max_tokens = std::min(facts_.max_tokens.value_or(found), found);
  }

  static std::optional<uint32_t> Count(const JsonFile& file, std::string_view name) {
    uint64_t count = 0;
    if (file.root[name].get(count) || count == 0 || count > UINT32_MAX) return std::nullopt;
    return static_cast<uint32_t>(count);
  }

  Status ReadWindow() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> bert, Open("sentence_bert_config.json"));
    element value;
    if (bert && !bert->root["max_seq_length"].get(value)) TakeWindow(value);
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> tokenizer, Open("tokenizer_config.json"));
    if (tokenizer && !tokenizer->root["model_max_length"].get(value)) TakeWindow(value);
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> config, Open("config.json"));
    if (!config) return OkStatus();
    facts_.width = Count(*config, "hidden_size");
    facts_.layers = Count(*config, "num_hidden_layers");
    facts_.query_heads = Count(*config, "num_attention_heads");
    facts_.kv_heads = Count(*config, "num_key_value_heads");
    facts_.vocabulary = Count(*config, "vocab_size");
    facts_.positions = Count(*config, "max_position_embeddings");
    // RoBERTa counts positions from 2 on: its number says more than it takes.
    std::string_view type;
    const bool counts_from_two =
        !config->root["model_type"].get(type) &&
        (type == "roberta" || type == "xlm-roberta" || type == "camembert");
    if (!counts_from_two && !config->root["max_position_embeddings"].get(value)) TakeWindow(value);
    return OkStatus();
  }

  Status ReadPrompts() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<JsonFile> file,
                           Open("config_sentence_transformers.json"));
    if (!file) return OkStatus();
    std::string_view chosen;
    if (!file->root["default_prompt_name"].get(chosen)) {
      return UnsupportedError(file->path + ": `default_prompt_name` is `" + std::string(chosen) +
                              "`: say what stands before texts by --query-prompt and "
                              "--document-prompt, and take the member out");
    }
    simdjson::dom::object prompts;
    if (file->root["prompts"].get(prompts)) return OkStatus();
    for (auto [name, value] : prompts) {
      std::string_view text;
      if (value.get(text)) return MalformedError(file->path + ": a prompt is no string");
      if (name == "query") {
        facts_.query_prompt = std::string(text);
      } else if (name == "document" || name == "passage") {
        facts_.document_prompt = std::string(text);
      } else {
        facts_.notes.push_back("the prompt `" + std::string(name) + "` is left out");
      }
    }
    return OkStatus();
  }

  // "license: mit" between the lines of dashes that a model card begins with.
  Status ReadLicence() {
    const std::string path = env::JoinPath(folder_, "README.md");
    AKIDB_ASSIGN_OR_RETURN(bool exists, fs_.Exists(path));
    if (!exists) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(std::string text, env::ReadWholeFile(fs_, path, kFileBytesMax));
    std::string_view rest = text;
    if (!rest.starts_with("---\n")) return OkStatus();
    rest.remove_prefix(4);
    rest = rest.substr(0, rest.find("\n---"));
    constexpr std::string_view kKey = "license:";
    while (!rest.empty()) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.starts_with(kKey)) continue;
      line.remove_prefix(kKey.size());
      while (line.starts_with(' ')) line.remove_prefix(1);
      facts_.licence = SpdxOf(line);
    }
    return OkStatus();
  }

  // Model cards write identifiers in lower case.
  static std::string SpdxOf(std::string_view card) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {{
        {"apache-2.0", "Apache-2.0"},
        {"mit", "MIT"},
        {"bsd-3-clause", "BSD-3-Clause"},
        {"cc-by-4.0", "CC-BY-4.0"},
        {"cc-by-nc-4.0", "CC-BY-NC-4.0"},
    }};
    for (const auto& [name, spdx] : kNames) {
      if (name == card) return std::string(spdx);
    }
    return "";
  }

  env::FileSystem& fs_;
  const std::string& folder_;
  ModelFolderFacts facts_;
};

}  // namespace

Result<ModelFolderFacts> ReadModelFolder(env::FileSystem& fs, const std::string& folder) {
  return FolderReader(fs, folder).Read();
}

}  // namespace akidb::embedding
