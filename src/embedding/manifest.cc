#include "embedding/manifest.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "base/sha256.h"

namespace akidb::embedding {

bool StaysInFolder(std::string_view path) {
  if (path.empty() || path.front() == '/' ||
      path.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) {
    return false;
  }
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string FoldName(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

bool HasName(const Manifest& manifest, std::string_view name) {
  const std::string folded = FoldName(name);
  return manifest.id == folded ||
         std::any_of(manifest.aliases.begin(), manifest.aliases.end(),
                     [&](const std::string& alias) { return FoldName(alias) == folded; });
}

double HeadCosine(std::span<const float> vector, std::span<const float> head) {
  double dot = 0;
  double norm_vector = 0;
  double norm_head = 0;
  for (size_t i = 0; i < std::min(vector.size(), head.size()); ++i) {
    dot += double{vector[i]} * double{head[i]};
    norm_vector += double{vector[i]} * double{vector[i]};
    norm_head += double{head[i]} * double{head[i]};
  }
  return dot / std::sqrt(norm_vector * norm_head);
}

std::vector<const ModelFile*> RequiredFiles(const Manifest& manifest) {
  std::vector<const ModelFile*> files = {&manifest.graph.file};
  for (const ModelFile& file : manifest.graph.external) files.push_back(&file);
  files.push_back(&manifest.tokenizer);
  return files;
}

uint64_t MemoryBytes(const Manifest& manifest) {
  if (manifest.memory_bytes > 0) return manifest.memory_bytes;
  uint64_t bytes = 0;
  for (const ModelFile* file : RequiredFiles(manifest)) bytes += file->bytes;
  return 2 * bytes;
}

std::string Fingerprint(const Manifest& manifest) {
  std::string text;
  JsonWriter json(text);
  json.BeginArray();
  json.String(manifest.id);
  json.String(manifest.revision);
  json.String(manifest.tokenizer.sha256);
  json.String(manifest.graph.file.sha256);
  json.String(manifest.graph.output.name);
  json.String(manifest.query_prompt);
  json.String(manifest.document_prompt);
  json.String(manifest.default_instruction.value_or(""));
  json.Uint(manifest.max_tokens);
  json.String(NameOf(manifest.pooling));
  json.Uint(manifest.dims);
  // Written only where they say something, so that older fingerprints stay what they are.
  if (!manifest.append_ids.empty()) {
    json.String("append_ids");
    for (int32_t id : manifest.append_ids) json.Int(id);
  }
  if (manifest.tokenizer_options.specials_in_text == SpecialsInText::kPlain) {
    json.String("specials_in_text plain");
  }
  if (manifest.graph.output.type != ElementType::kFloat32) {
    json.String("output " + std::string(NameOf(manifest.graph.output.type)));
    json.Double(double{manifest.graph.output.dequantization.scale});
    json.Double(double{manifest.graph.output.dequantization.zero_point});
  }
  if (!manifest.graph.external.empty()) {
    json.String("external");
    for (const ModelFile& file : manifest.graph.external) json.String(file.sha256);
  }
  json.EndArray();
  return manifest.id + "@" + Sha256Hex(std::as_bytes(std::span(text))).substr(0, 16);
}

}  // namespace akidb::embedding
