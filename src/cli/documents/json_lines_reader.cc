#include <array>

#include "base/status.h"
#include "cli/documents/format_readers.h"
#include "types/payload_json.h"

namespace akidb::cli {
namespace {

constexpr std::array<std::string_view, 3> kTextMembers = {"text", "content", "body"};

bool IsOwnMember(std::string_view key, std::string_view text_member) {
  return key == text_member || key == "title" || key == "section";
}

Result<std::vector<std::string>> SectionPath(PayloadValue section) {
  std::vector<std::string> path;
  if (section.kind() == PayloadValue::Kind::kString) {
    path.emplace_back(section.AsString());
    return path;
  }
  if (section.kind() == PayloadValue::Kind::kNull) return path;
  bool strings_only = section.kind() == PayloadValue::Kind::kArray;
  section.ForEachElement([&](PayloadValue element) {
    strings_only = strings_only && element.kind() == PayloadValue::Kind::kString;
    if (strings_only) path.emplace_back(element.AsString());
    return strings_only;
  });
  if (!strings_only) return MalformedError("`section` must be a string or an array of strings");
  return path;
}

std::optional<Payload> OtherMembers(PayloadValue record, std::string_view text_member) {
  PayloadBuilder fields;
  size_t count = 0;
  fields.BeginObject();
  record.ForEachMember([&](std::string_view key, PayloadValue value) {
    if (IsOwnMember(key, text_member)) return true;
    fields.Key(key);
    fields.Value(value);
    ++count;
    return true;
  });
  fields.EndObject();
  Payload payload = fields.Finish();
  if (count == 0) return std::nullopt;
  return payload;
}

Status AddRecord(std::string_view line, uint32_t number, DocumentBuilder& builder) {
  AKIDB_ASSIGN_OR_RETURN(Payload record, ParsePayloadJson(line));
  PayloadValue root = record.root();
  std::string_view text_member;
  std::string_view text;
  for (std::string_view member : kTextMembers) {
    std::optional<PayloadValue> value = root.Member(member);
    if (!value || value->kind() != PayloadValue::Kind::kString) continue;
    text_member = member;
    text = value->AsString();
    break;
  }
  if (text_member.empty()) {
    return MalformedError("the record has no string member `text`, `content` or `body`");
  }
  std::vector<std::string> path;
  if (std::optional<PayloadValue> title = root.Member("title");
      title && title->kind() == PayloadValue::Kind::kString) {
    path.emplace_back(title->AsString());
  }
  if (std::optional<PayloadValue> section = root.Member("section")) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> below, SectionPath(*section));
    path.insert(path.end(), below.begin(), below.end());
  }
  builder.BeginRecord(std::move(path), OtherMembers(root, text_member));
  Block block;
  block.text = std::string(text);
  block.line = number;
  builder.Add(std::move(block));
  return OkStatus();
}

}  // namespace

Result<Document> ReadJsonLines(const SourceFile& source) {
  DocumentBuilder builder;
  std::string_view rest = source.bytes;
  uint32_t number = 0;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Status added = AddRecord(line, number, builder);
    if (!added.ok()) return added.WithContext("line " + std::to_string(number));
  }
  return builder.Finish(source.stem);
}

}  // namespace akidb::cli
