#include "embedding/manifest_writer.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"

namespace akidb::embedding {
namespace {

std::string_view NameOf(InputKind kind) {
  switch (kind) {
    case InputKind::kIds:
      return "ids";
    case InputKind::kMask:
      return "mask";
    case InputKind::kTokenTypes:
      return "token_types";
    case InputKind::kPositions:
      return "positions";
  }
  return "";
}

void WriteFile(const ModelFile& file, JsonWriter& json) {
  json.Key("path");
  json.String(file.path);
  json.Key("sha256");
  json.String(file.sha256);
  json.Key("bytes");
  json.Uint(file.bytes);
}

void WriteTokenizer(const Manifest& manifest, JsonWriter& json) {
  json.Key("tokenizer");
  json.BeginObject();
  WriteFile(manifest.tokenizer, json);
  if (!manifest.append_ids.empty()) {
    json.Key("append_ids");
    json.BeginArray();
    for (int32_t id : manifest.append_ids) json.Int(id);
    json.EndArray();
  }
  json.EndObject();
}

void WriteOutput(const SessionOutput& output, JsonWriter& json) {
  json.Key("output");
  json.String(output.name);
  if (output.type == ElementType::kFloat32) return;
  json.Key("output_type");
  json.String(NameOf(output.type));
  if (BytesOf(output.type) != 1) return;
  json.Key("dequantize");
  json.BeginObject();
  json.Key("scale");
  json.Float(output.dequantization.scale);
  json.Key("zero_point");
  json.Float(output.dequantization.zero_point);
  json.EndObject();
}

void WriteTexts(const Manifest& manifest, JsonWriter& json) {
  json.Key("prompts");
  json.BeginObject();
  json.Key("query");
  json.String(manifest.query_prompt);
  json.Key("document");
  json.String(manifest.document_prompt);
  if (manifest.default_instruction) {
    json.Key("default_instruction");
    json.String(*manifest.default_instruction);
  }
  json.EndObject();
  json.Key("max_tokens");
  json.Uint(manifest.max_tokens);
}

void WriteDims(const Manifest& manifest, JsonWriter& json) {
  json.Key("dims");
  json.BeginObject();
  json.Key("native");
  json.Uint(manifest.dims);
  if (!manifest.dims_offered.empty()) {
    json.Key("offered");
    json.BeginArray();
    for (uint32_t dims : manifest.dims_offered) json.Uint(dims);
    json.EndArray();
  }
  json.EndObject();
}

void WriteGolden(const std::vector<GoldenText>& golden, JsonWriter& json) {
  json.Key("golden");
  json.BeginArray();
  for (const GoldenText& text : golden) {
    json.BeginObject();
    json.Key("type");
    json.String(text.input_type == InputType::kQuery ? "query" : "document");
    json.Key("text");
    json.String(text.text);
    json.Key("head");
    json.Floats(text.head);
    json.Key("min_cosine");
    json.Double(text.min_cosine);
    json.EndObject();
  }
  json.EndArray();
}

void WriteGraph(const Manifest& manifest, const KvPatterns& kv, JsonWriter& json) {
  json.Key("graph");
  json.BeginObject();
  WriteFile(manifest.graph.file, json);
  if (!manifest.graph.external.empty()) {
    json.Key("external");
    json.BeginArray();
    for (const ModelFile& file : manifest.graph.external) {
      json.BeginObject();
      WriteFile(file, json);
      json.EndObject();
    }
    json.EndArray();
  }
  json.Key("inputs");
  json.BeginObject();
  for (const SessionInput& input : manifest.graph.inputs) {
    json.Key(input.name);
    json.String(NameOf(input.kind));
  }
  json.EndObject();
  if (kv.layers != 0) {
    json.Key("empty_kv");
    json.BeginObject();
    json.Key("layers");
    json.Uint(kv.layers);
    json.Key("heads");
    json.Uint(manifest.graph.empty_kv.heads);
    json.Key("head_dim");
    json.Uint(manifest.graph.empty_kv.head_dim);
    json.Key("key");
    json.String(kv.first);
    json.Key("value");
    json.String(kv.second);
    json.Key("type");
    json.String(NameOf(manifest.graph.empty_kv.type));
    json.EndObject();
  }
  WriteOutput(manifest.graph.output, json);
  json.EndObject();
}

// Each member on a line of its own, but for short lists: for those who edit it.
std::string Indented(std::string_view json) {
  std::string out;
  size_t depth = 0;
  size_t lists = 0;
  bool in_text = false;
  bool escaped = false;  // by a backslash
  auto new_line = [&] {
    if (lists == 0) out.append("\n").append(2 * depth, ' ');
  };
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    const bool closes = !in_text && (c == '}' || (c == ']' && lists > 0));
    if (c == '"' && !escaped) in_text = !in_text;
    escaped = c == '\\' && !escaped;
    if (in_text || c == '"') {
      out += c;
    } else if (c == '{') {
      ++depth;
      out += c;
      new_line();
    } else if (closes && c == '}') {
      --depth;
      new_line();
      out += c;
    } else if (c == '[' && i + 1 < json.size() && json[i + 1] != '{') {
      ++lists;
      out += c;
    } else if (closes) {
      --lists;
      out += c;
    } else {
      out += c;
      if (c == ':') out += ' ';
      if (c == ',' && lists > 0) out += ' ';
      if (c == ',') new_line();
    }
  }
  return out + "\n";
}

}  // namespace

std::string WriteManifest(const Manifest& manifest, const KvPatterns& kv) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"id", manifest.id},
                                   {"revision", manifest.revision},
                                   {"licence", manifest.licence}}) {
    json.Key(key);
    json.String(value);
  }
  if (!manifest.aliases.empty()) {
    json.Key("aliases");
    json.BeginArray();
    for (const std::string& alias : manifest.aliases) json.String(alias);
    json.EndArray();
  }
  WriteTokenizer(manifest, json);
  WriteGraph(manifest, kv, json);
  json.Key("batch");
  json.String(manifest.one_text_a_run ? "one" : "any");
  WriteTexts(manifest, json);
  json.Key("pooling");
  json.String(NameOf(manifest.pooling));
  WriteDims(manifest, json);
  WriteGolden(manifest.golden, json);
  json.EndObject();
  return Indented(text);
}

}  // namespace akidb::embedding
