// Reading a gate's file.
#include <set>

#include <simdjson.h>

#include "cli/selftest/gate.h"

namespace akidb::cli {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr size_t kModelsMax = 1000;
constexpr size_t kCapabilitiesMax = 32;

Status Wrong(const std::string& path, std::string_view what) {
  return ValidationError("`" + path + "` " + std::string(what));
}

// Members of thresholds, and the most that makes sense.
struct Member {
  std::string_view name;
  std::optional<double> Thresholds::*limit;
  double most;
};
constexpr double kMost = 1e18;
constexpr Member kMembers[] = {
    {"query_p50_ms_max", &Thresholds::query_p50_ms_max, kMost},
    {"query_p95_ms_max", &Thresholds::query_p95_ms_max, kMost},
    {"queries_per_s_min", &Thresholds::queries_per_s_min, kMost},
    {"tokens_per_s_min", &Thresholds::tokens_per_s_min, kMost},
    {"golden_cosine_min", &Thresholds::golden_cosine_min, 1},
    {"memory_bytes_max", &Thresholds::memory_bytes_max, kMost},
};

std::string KnownMembers() {
  std::string known;
  for (const Member& member : kMembers) {
    known.append(known.empty() ? "" : ", ").append(member.name);
  }
  return known;
}

Status ReadMember(const std::string& path, std::string_view name, element value,
                  Thresholds& limits) {
  for (const Member& member : kMembers) {
    if (member.name != name) continue;
    std::optional<double>& limit = limits.*member.limit;
    if (limit) return Wrong(path, "is given twice");
    double number = 0;
    if (value.get_double().get(number) || !(number > 0) || number > member.most) {
      return Wrong(path, member.most == 1 ? "must be a number above 0 and at most 1"
                                          : "must be a number above 0");
    }
    limit = number;
    return OkStatus();
  }
  return Wrong(path, "is not known; known are " + KnownMembers());
}

Status ReadModels(element value, Gate& gate) {
  object models;
  if (value.get(models)) return Wrong("models", "must be an object");
  if (models.size() == 0) return Wrong("models", "names no model; \"*\" stands for any");
  if (models.size() > kModelsMax) return Wrong("models", "has more than 1000 members");
  std::set<std::string_view> names;
  for (const auto& [name, inner] : models) {
    const std::string path = "models." + std::string(name);
    if (!names.insert(name).second) return Wrong(path, "is given twice");
    object members;
    if (inner.get(members)) return Wrong(path, "must be an object");
    Thresholds limits;
    for (const auto& [key, limit] : members) {
      AKIDB_RETURN_IF_ERROR(ReadMember(path + "." + std::string(key), key, limit, limits));
    }
    if (limits.empty()) return Wrong(path, "has no threshold; known are " + KnownMembers());
    gate.models.emplace_back(name, limits);
  }
  return OkStatus();
}

// "8.7"
bool IsCapability(std::string_view text) {
  const size_t point = text.find('.');
  return point != text.npos && point > 0 && point + 1 < text.size() && text.size() <= 8 &&
         text.find_first_not_of("0123456789.") == text.npos &&
         text.find('.', point + 1) == text.npos;
}

Status ReadCapabilities(const std::string& path, element value, Gate& gate) {
  simdjson::dom::array capabilities;
  if (value.get(capabilities) || capabilities.size() == 0 ||
      capabilities.size() > kCapabilitiesMax) {
    return Wrong(path, "must be an array of 1 to 32 strings");
  }
  for (element one : capabilities) {
    std::string_view text;
    if (one.get(text) || !IsCapability(text)) {
      return Wrong(path, "must hold strings such as \"8.7\"");
    }
    gate.compute_capabilities.emplace_back(text);
  }
  return OkStatus();
}

Status ReadRequires(element value, Gate& gate) {
  object members;
  if (value.get(members)) return Wrong("requires", "must be an object");
  for (const auto& [key, inner] : members) {
    const std::string path = "requires." + std::string(key);
    if (key == "compute_capability") {
      AKIDB_RETURN_IF_ERROR(ReadCapabilities(path, inner, gate));
    } else if (key == "gpu_provider") {
      if (inner.get(gate.on_gpu)) return Wrong(path, "must be true or false");
    } else {
      return Wrong(path, "is not known; known are compute_capability, gpu_provider");
    }
  }
  return OkStatus();
}

}  // namespace

Result<Gate> ParseGate(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (auto error = parser.parse(json.data(), json.size()).get(root)) {
    return MalformedError(std::string("it is not JSON: ") + simdjson::error_message(error));
  }
  object members;
  if (root.get(members)) return ValidationError("it must be an object with `models`");
  Gate gate;
  std::set<std::string_view> seen;
  for (const auto& [key, value] : members) {
    if (!seen.insert(key).second) return Wrong(std::string(key), "is given twice");
    if (key == "models") {
      AKIDB_RETURN_IF_ERROR(ReadModels(value, gate));
    } else if (key == "requires") {
      AKIDB_RETURN_IF_ERROR(ReadRequires(value, gate));
    } else {
      return Wrong(std::string(key), "is not known; known are models, requires");
    }
  }
  if (gate.models.empty()) return Wrong("models", "is missing");
  return gate;
}

}  // namespace akidb::cli
