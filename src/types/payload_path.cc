#include "types/payload_path.h"

#include <charconv>

namespace akidb {
namespace {

Status Malformed(std::string_view path, std::string_view why) {
  return ValidationError("`" + std::string(path) + "` is no payload path: " + std::string(why));
}

// Reads one member name at `position`: quoted, or up to '.' or '['.
Result<std::string> ReadName(std::string_view path, size_t& position) {
  if (position < path.size() && path[position] == '"') {
    size_t end = path.find('"', position + 1);
    if (end == std::string_view::npos) return Malformed(path, "a quote is not closed");
    std::string name(path.substr(position + 1, end - position - 1));
    position = end + 1;
    return name;
  }
  size_t end = std::min(path.find_first_of(".[", position), path.size());
  if (end == position) return Malformed(path, "a name is empty");
  std::string name(path.substr(position, end - position));
  if (name.find('"') != std::string::npos) return Malformed(path, "a quote inside a name");
  position = end;
  return name;
}

// Reads "[]" or "[12]" at `position`, which is at '['.
Result<PayloadPath::Step> ReadElement(std::string_view path, size_t& position) {
  size_t end = path.find(']', position);
  if (end == std::string_view::npos) return Malformed(path, "`[` is not closed");
  std::string_view digits = path.substr(position + 1, end - position - 1);
  position = end + 1;
  if (digits.empty()) return PayloadPath::Step(PayloadPath::AnyElement{});
  size_t index = 0;
  auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || stop != digits.data() + digits.size()) {
    return Malformed(path, "`[` wants a number or nothing before `]`");
  }
  return PayloadPath::Step(index);
}

using Visit = std::function<bool(PayloadValue)>;

// False once f has returned false.
bool Walk(PayloadValue value, std::span<const PayloadPath::Step> steps, const Visit& f) {
  if (steps.empty()) return f(value);
  std::span<const PayloadPath::Step> rest = steps.subspan(1);
  if (const auto* name = std::get_if<std::string>(&steps[0])) {
    std::optional<PayloadValue> member = value.Member(*name);
    return !member || Walk(*member, rest, f);
  }
  if (const auto* index = std::get_if<size_t>(&steps[0])) {
    std::optional<PayloadValue> element = value.Element(*index);
    return !element || Walk(*element, rest, f);
  }
  bool go_on = true;
  value.ForEachElement([&](PayloadValue element) {
    go_on = Walk(element, rest, f);
    return go_on;
  });
  return go_on;
}

}  // namespace

Result<PayloadPath> PayloadPath::Parse(std::string_view text) {
  PayloadPath path;
  path.text_ = text;
  size_t position = 0;
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, ReadName(text, position));
    path.steps_.emplace_back(std::move(name));
    while (position < text.size() && text[position] == '[') {
      AKIDB_ASSIGN_OR_RETURN(Step step, ReadElement(text, position));
      path.steps_.push_back(std::move(step));
    }
    if (position == text.size()) return path;
    if (text[position] != '.') return Malformed(text, "`.` or `[` expected after a name");
    ++position;
  }
}

void PayloadPath::ForEach(PayloadValue root, const std::function<bool(PayloadValue)>& f) const {
  Walk(root, steps_, f);
}

}  // namespace akidb
