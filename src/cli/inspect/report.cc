#include "cli/inspect/report.h"

#include <type_traits>

#include "base/json_writer.h"

namespace akidb::cli {
namespace {

// Thousands are told apart: "1,234,567".
std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, ",");
  }
  return digits;
}

// Names in a damaged file may hold anything.
std::string Printable(std::string_view text) {
  std::string printable;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    printable += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return printable;
}

std::string TextOf(const Fact& fact) {
  return std::visit(
      [](const auto& value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, uint64_t>) {
          return Grouped(value);
        } else if constexpr (std::is_same_v<Value, bool>) {
          return value ? "yes" : "no";
        } else if constexpr (std::is_same_v<Value, JsonText>) {
          return Printable(value.text);
        } else {
          return Printable(value);
        }
      },
      fact.value);
}

void AppendText(const Report& report, size_t depth, std::string& out) {
  const std::string indent(2 * depth, ' ');
  out += indent + report.kind + (report.name.empty() ? "" : " " + Printable(report.name)) + "\n";
  if (!report.damage.empty()) out += indent + "  DAMAGED: " + Printable(report.damage) + "\n";
  if (!report.not_read.empty()) out += indent + "  NOT READ: " + Printable(report.not_read) + "\n";
  for (const Fact& fact : report.facts) {
    std::string key = fact.key;
    for (char& c : key) c = c == '_' ? ' ' : c;
    out += indent + "  " + key + ": " + TextOf(fact) + "\n";
  }
  for (const Report& part : report.parts) AppendText(part, depth + 1, out);
}

void WriteJson(const Report& report, JsonWriter& json) {
  json.BeginObject();
  json.Key("kind");
  json.String(report.kind);
  json.Key("name");
  json.String(report.name);
  for (const Fact& fact : report.facts) {
    json.Key(fact.key);
    std::visit(
        [&](const auto& value) {
          using Value = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, uint64_t>) {
            json.Uint(value);
          } else if constexpr (std::is_same_v<Value, bool>) {
            json.Bool(value);
          } else if constexpr (std::is_same_v<Value, JsonText>) {
            json.Raw(value.text);
          } else {
            json.String(value);
          }
        },
        fact.value);
  }
  if (!report.damage.empty()) {
    json.Key("damage");
    json.String(report.damage);
  }
  if (!report.not_read.empty()) {
    json.Key("not_read");
    json.String(report.not_read);
  }
  if (!report.parts.empty()) {
    json.Key("parts");
    json.BeginArray();
    for (const Report& part : report.parts) WriteJson(part, json);
    json.EndArray();
  }
  json.EndObject();
}

}  // namespace

uint64_t Report::damages() const {
  uint64_t count = damage.empty() ? 0 : 1;
  for (const Report& part : parts) count += part.damages();
  return count;
}

uint64_t Report::not_reads() const {
  uint64_t count = not_read.empty() ? 0 : 1;
  for (const Report& part : parts) count += part.not_reads();
  return count;
}

std::string ReportText(const Report& report) {
  std::string out;
  AppendText(report, 0, out);
  return out;
}

std::string ReportJson(const Report& report) {
  std::string out;
  JsonWriter json(out);
  WriteJson(report, json);
  return out;
}

}  // namespace akidb::cli
