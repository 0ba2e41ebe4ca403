#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "embedding/manifest_members_json.h"

namespace akidb::embedding {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr size_t kManifestBytesMax = size_t{1} << 20;
constexpr uint64_t kTokenIdMax = (uint64_t{1} << 31) - 1;
constexpr size_t kAppendedMax = 16;

// An id is a folder's name and part of URLs.
bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.front() != '.' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

// How the tokenizer's file is used: members beside those of the file.
Status ReadTokenizerUse(Members& tokenizer, Manifest& manifest) {
  if (tokenizer.Find("append_ids")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array ids, tokenizer.Array("append_ids"));
    for (element item : ids) {
      uint64_t id = 0;
      if (item.get_uint64().get(id) != simdjson::SUCCESS || id > kTokenIdMax) {
        return WrongField(tokenizer.PathOf("append_ids"),
                          "must hold integers from 0 to " + std::to_string(kTokenIdMax));
      }
      manifest.append_ids.push_back(static_cast<int32_t>(id));
    }
    if (manifest.append_ids.empty() || manifest.append_ids.size() > kAppendedMax) {
      return WrongField(tokenizer.PathOf("append_ids"),
                        "must hold from 1 to " + std::to_string(kAppendedMax) + " ids");
    }
  }
  if (tokenizer.Find("specials_in_text")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, tokenizer.Text("specials_in_text"));
    if (name != "match" && name != "plain") {
      return WrongField(tokenizer.PathOf("specials_in_text"), "must be match or plain");
    }
    if (name == "plain") manifest.tokenizer_options.specials_in_text = SpecialsInText::kPlain;
  }
  return OkStatus();
}

Status ReadMemory(Members& members, Manifest& manifest) {
  if (!members.Find("memory_bytes")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(manifest.memory_bytes, members.Number("memory_bytes", kModelBytesMax));
  return OkStatus();
}

Status ReadBatch(Members& members, Manifest& manifest) {
  if (!members.Find("batch")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(std::string name, members.Text("batch"));
  if (name != "any" && name != "one") return WrongField("batch", "must be any or one");
  manifest.one_text_a_run = name == "one";
  return OkStatus();
}

Status ReadFiles(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(element tokenizer_value, members.Require("tokenizer"));
  AKIDB_ASSIGN_OR_RETURN(Members tokenizer, Members::Of("tokenizer", tokenizer_value));
  AKIDB_ASSIGN_OR_RETURN(manifest.tokenizer, ReadFile(tokenizer));
  AKIDB_RETURN_IF_ERROR(ReadTokenizerUse(tokenizer, manifest));
  AKIDB_RETURN_IF_ERROR(tokenizer.Finish());

  AKIDB_ASSIGN_OR_RETURN(element graph_value, members.Require("graph"));
  AKIDB_ASSIGN_OR_RETURN(manifest.graph, ReadGraph("graph", graph_value));
  return ReadVariants(members, manifest);
}

Status ReadPrompts(Members& members, Manifest& manifest) {
  std::optional<element> value = members.Find("prompts");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members prompts, Members::Of("prompts", *value));
  AKIDB_ASSIGN_OR_RETURN(manifest.query_prompt, prompts.OptionalText("query"));
  AKIDB_ASSIGN_OR_RETURN(manifest.document_prompt, prompts.OptionalText("document"));
  if (prompts.Find("default_instruction")) {
    AKIDB_ASSIGN_OR_RETURN(manifest.default_instruction, prompts.Text("default_instruction"));
  }
  const bool takes_instruction =
      (manifest.query_prompt + manifest.document_prompt).find("{instruction}") != std::string::npos;
  if (takes_instruction != manifest.default_instruction.has_value()) {
    return WrongField("prompts.default_instruction",
                      "must be given if, and only if, a prompt holds {instruction}");
  }
  return prompts.Finish();
}

Status ReadPooling(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(std::string name, members.Text("pooling"));
  std::optional<Pooling> pooling = PoolingOf(name);
  if (!pooling) return WrongField("pooling", "must be one of mean, cls, last, in_graph");
  manifest.pooling = *pooling;
  return OkStatus();
}

Status ReadDims(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(element value, members.Require("dims"));
  AKIDB_ASSIGN_OR_RETURN(Members dims, Members::Of("dims", value));
  AKIDB_ASSIGN_OR_RETURN(uint64_t native, dims.Number("native", kDimsMax));
  manifest.dims = static_cast<uint32_t>(native);
  if (dims.Find("offered")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array offered, dims.Array("offered"));
    for (element item : offered) {
      AKIDB_ASSIGN_OR_RETURN(uint64_t count, Members::ReadNumber("dims.offered", item, native - 1));
      manifest.dims_offered.push_back(static_cast<uint32_t>(count));
    }
    if (!std::is_sorted(manifest.dims_offered.begin(), manifest.dims_offered.end())) {
      return WrongField("dims.offered", "must be in ascending order");
    }
  }
  return dims.Finish();
}

Result<GoldenText> ReadGoldenText(const std::string& path, element value, uint32_t dims) {
  AKIDB_ASSIGN_OR_RETURN(Members members, Members::Of(path, value));
  GoldenText golden;
  AKIDB_ASSIGN_OR_RETURN(golden.text, members.Text("text"));
  AKIDB_ASSIGN_OR_RETURN(std::string type, members.Text("type"));
  if (type != "query" && type != "document") {
    return WrongField(members.PathOf("type"), "must be query or document");
  }
  golden.input_type = type == "query" ? InputType::kQuery : InputType::kDocument;
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array head, members.Array("head"));
  for (element item : head) {
    double component = 0;
    if (item.get_double().get(component) != simdjson::SUCCESS || std::abs(component) > 1) {
      return WrongField(members.PathOf("head"), "must hold numbers from -1 to 1");
    }
    golden.head.push_back(static_cast<float>(component));
  }
  if (golden.head.size() < 8 || golden.head.size() > dims) {
    return WrongField(members.PathOf("head"), "must hold from 8 to dims.native numbers");
  }
  if (std::ranges::all_of(golden.head, [](float component) { return component == 0; })) {
    return WrongField(members.PathOf("head"), "has no direction: all its numbers are 0");
  }
  AKIDB_ASSIGN_OR_RETURN(element cosine, members.Require("min_cosine"));
  if (cosine.get_double().get(golden.min_cosine) != simdjson::SUCCESS || golden.min_cosine < 0.9 ||
      golden.min_cosine > 1) {
    return WrongField(members.PathOf("min_cosine"), "must be a number from 0.9 to 1");
  }
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return golden;
}

Status ReadGolden(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array golden, members.Array("golden"));
  for (element item : golden) {
    const std::string path = "golden[" + std::to_string(manifest.golden.size()) + "]";
    AKIDB_ASSIGN_OR_RETURN(GoldenText text, ReadGoldenText(path, item, manifest.dims));
    manifest.golden.push_back(std::move(text));
  }
  if (manifest.golden.empty()) {
    return WrongField("golden", "must hold a text, or nothing proves that the model works");
  }
  return OkStatus();
}

Status ReadNames(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(manifest.id, members.Text("id"));
  if (!IsId(manifest.id)) {
    return WrongField("id", "must be of lower-case letters, digits, '-', '_' and '.'");
  }
  if (members.Find("aliases")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array aliases, members.Array("aliases"));
    for (element item : aliases) {
      std::string_view alias;
      if (item.get_string().get(alias) != simdjson::SUCCESS || alias.empty()) {
        return WrongField("aliases", "must hold strings that are not empty");
      }
      manifest.aliases.emplace_back(alias);
    }
  }
  AKIDB_ASSIGN_OR_RETURN(manifest.revision, members.Text("revision"));
  AKIDB_ASSIGN_OR_RETURN(manifest.licence, members.Text("licence"));
  return OkStatus();
}

}  // namespace

Result<Manifest> ParseManifest(std::string_view json) {
  if (json.size() > kManifestBytesMax) return ValidationError("a manifest is larger than 1 MiB");
  simdjson::dom::parser parser;
  element root;
  if (auto error = parser.parse(simdjson::padded_string(json)).get(root); error) {
    return MalformedError(std::string("the manifest is not JSON: ") +
                          simdjson::error_message(error));
  }
  if (root.type() != element_type::OBJECT) return ValidationError("a manifest must be an object");
  Members members("", simdjson::dom::object(root));
  Manifest manifest;
  AKIDB_RETURN_IF_ERROR(ReadNames(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadFiles(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadBatch(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadMemory(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadPrompts(members, manifest));
  AKIDB_ASSIGN_OR_RETURN(uint64_t max_tokens, members.Number("max_tokens", kTokensMax));
  manifest.max_tokens = static_cast<uint32_t>(max_tokens);
  AKIDB_RETURN_IF_ERROR(ReadEngineProfile(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadPooling(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadDims(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadGolden(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadImage(members, manifest));
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return manifest;
}

}  // namespace akidb::embedding
