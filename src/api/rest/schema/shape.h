// What a JSON value may be, as tables of constants: the one description of messages that
// documentation, checks of options and generated tests go by.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace akidb::rest {

struct Field;

inline constexpr double kNoBound = std::numeric_limits<double>::infinity();

struct Shape {
  enum class Kind : unsigned char {
    kAny,   // whatever JSON there is
    kNull,  // null alone: what is understood and refused otherwise
    kBool,
    kUint,     // 0 to 2^64 - 1, within min and max
    kInteger,  // of 64 bits with a sign
    kNumber,   // within min and max
    kString,
    kChoice,  // one of some strings
    kObject,  // of the fields
    kMap,     // an object of any keys, each of `element`
    kArray,   // of `element`
    kOneOf,   // of the options
  };

  Kind kind = Kind::kAny;
  std::string_view name = {};  // where it is described once; without one in its place
  std::string_view doc = {};   // sentences
  double min = 0;              // of kUint and kNumber
  double max = kNoBound;
  std::string_view choices = {};       // "a|b", of kChoice
  std::string_view format = {};        // of kString, as JSON Schema names it
  std::span<const Field> fields = {};  // of kObject
  bool closed = false;                 // of kObject: other fields are refused
  const Shape* element = nullptr;      // of kMap, kArray, and kObject's other fields if kept
  size_t items_min = 0;                // of kArray
  std::span<const Shape* const> options = {};  // of kOneOf
  std::string_view example = {};  // JSON; without one it is made of the parts' examples
};

struct Field {
  std::string_view name;
  const Shape* shape;
  // Without it null is as good as leaving the field out.
  bool required = false;
  std::string_view doc = {};
};

// Fields of several tables, one after the other.
template <size_t... kSizes>
constexpr auto JoinFields(const std::array<Field, kSizes>&... tables) {
  std::array<Field, (kSizes + ...)> all{};
  size_t at = 0;
  const auto add = [&](const auto& table) {
    for (const Field& field : table) all[at++] = field;
  };
  (add(tables), ...);
  return all;
}

// f(choice) for each of "a|b|c".
template <typename F>
void ForEachChoice(std::string_view choices, F&& f) {
  for (size_t start = 0; start <= choices.size();) {
    const size_t end = std::min(choices.find('|', start), choices.size());
    f(choices.substr(start, end - start));
    start = end + 1;
  }
}

// The field called `name`, or null.
const Field* FindField(std::span<const Field> fields, std::string_view name);
// What the member `name` of a value of `shape` has to be; null for one that isn't known.
const Shape* FindMemberShape(const Shape& shape, std::string_view name);

}  // namespace akidb::rest
