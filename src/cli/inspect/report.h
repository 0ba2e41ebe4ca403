// What was found in a file or folder, as a tree that is printed as text or as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace akidb::cli {

// One complete JSON value.
struct JsonText {
  std::string text;
};

struct Fact {
  std::string key;  // lower case, words joined by "_"
  std::variant<uint64_t, bool, std::string, JsonText> value;
};

struct Report {
  std::string kind;  // "segment", "log file", …
  std::string name;  // of the file or thing
  std::vector<Fact> facts;
  std::string damage;  // why it can't be read or trusted; empty: nothing was found
  std::vector<Report> parts;
  std::string not_read{};  // why it was not looked at, and so may be damaged or not; or empty

  // Of this one and all parts.
  uint64_t damages() const;
  uint64_t not_reads() const;
};

// Indented lines, no control characters, a newline at the end.
std::string ReportText(const Report& report);
// {"kind":…,"name":…, facts…, "damage":…,"not_read":…,"parts":[…]} without spaces; the last three
// where there are any.
std::string ReportJson(const Report& report);

}  // namespace akidb::cli
