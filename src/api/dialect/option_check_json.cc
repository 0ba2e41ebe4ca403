#include "api/dialect/option_check_json.h"

#include <algorithm>
#include <string>

#include "api/rest/schema/option_shapes.h"

namespace akidb::dialect {

using rest::FindField;
using rest::FindMemberShape;
using rest::ForEachChoice;
using rest::kAnything;
using rest::kNoBound;
using rest::kQuantization;
namespace {

using Kind = Shape::Kind;

Status CheckShape(JsonElement value, const FieldPath& path, const Shape& shape);

std::string ShownNumber(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text += '0';
  return text;
}

Status CheckBounds(double number, const FieldPath& path, const Shape& shape) {
  if (number >= shape.min && number <= shape.max) return OkStatus();
  const bool whole = shape.kind == Kind::kUint;
  auto shown = [&](double bound) {
    return whole ? std::to_string(static_cast<uint64_t>(bound)) : ShownNumber(bound);
  };
  std::string text = "value " + shown(number) + " invalid, must be ";
  if (shape.max == kNoBound) return RangeError(path, text + shown(shape.min) + " or larger");
  return RangeError(path, text + "from " + shown(shape.min) + " to " + shown(shape.max));
}

Status CheckChoice(JsonElement value, const FieldPath& path, std::string_view choices) {
  std::string_view chosen;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, chosen));
  std::string expected;
  bool known = false;
  ForEachChoice(choices, [&](std::string_view choice) {
    known = known || choice == chosen;
    expected.append(expected.empty() ? "`" : ", `").append(choice).append("`");
  });
  return known ? OkStatus()
               : FieldError(path, "unknown variant `" + std::string(chosen) +
                                      "`, expected one of " + expected);
}

Status CheckFields(JsonElement value, const FieldPath& path, const Shape& shape) {
  AKIDB_RETURN_IF_ERROR(CheckOptions(value, path, shape.fields));
  JsonElement member;
  for (const Field& field : shape.fields) {
    if (field.required && !FindMember(value, field.name, member)) {
      return MissingField(path, field.name);
    }
  }
  if (!shape.closed) return OkStatus();
  return ForEachMember(
      value, path, "an object", [&](std::string_view key, JsonElement, const FieldPath& at) {
        if (FindField(shape.fields, key) != nullptr) return OkStatus();
        std::string expected;
        for (const Field& field : shape.fields) {
          expected.append(expected.empty() ? "`" : ", `").append(field.name).append("`");
        }
        return UnknownField(at, expected);
      });
}

// Whether a value of this JSON type may be one of the shape, whatever is in it.
bool IsOfKind(JsonElement value, const Shape& shape) {
  switch (shape.kind) {
    case Kind::kBool:
      return value.is_bool();
    case Kind::kUint:
    case Kind::kInteger:
    case Kind::kNumber:
      return value.is_number();
    case Kind::kString:
    case Kind::kChoice:
      return value.is_string();
    case Kind::kObject:
    case Kind::kMap:
      return value.is_object();
    case Kind::kArray:
      return value.is_array();
    case Kind::kAny:
    case Kind::kNull:
    case Kind::kOneOf:
      return true;
  }
  return true;
}

// Whether an object says by a word of its own that it is one of these.
bool IsMeant(JsonElement value, const Shape& shape) {
  bool named = false;
  for (const Field& field : shape.fields) {
    if (!field.required || field.shape->kind != Kind::kChoice) continue;
    JsonElement member;
    std::string_view word;
    if (!FindMember(value, field.name, member) || member.get(word)) return false;
    bool known = false;
    ForEachChoice(field.shape->choices,
                  [&](std::string_view choice) { known = known || choice == word; });
    if (!known) return false;
    named = true;
  }
  return named;
}

// By the first option that admits it; else what is wrong by the last one of its JSON type.
Status CheckOneOf(JsonElement value, const FieldPath& path, const Shape& shape) {
  Status wrong = TypeError(path, "another type of value", value);
  for (const Shape* option : shape.options) {
    if (!IsOfKind(value, *option)) continue;
    wrong = CheckShape(value, path, *option);
    if (wrong.ok() || IsMeant(value, *option)) return wrong;
  }
  return wrong;
}

Status CheckElements(JsonElement value, const FieldPath& path, const Shape& shape) {
  size_t count = 0;
  AKIDB_RETURN_IF_ERROR(
      ForEachElement(value, path, "an array", [&](JsonElement element, const FieldPath& at) {
        ++count;
        return CheckShape(element, at, *shape.element);
      }));
  if (count >= shape.items_min) return OkStatus();
  return FieldError(path, "expected at least " + std::to_string(shape.items_min) + " of them");
}

Status CheckShape(JsonElement value, const FieldPath& path, const Shape& shape) {
  bool flag = false;
  uint64_t count = 0;
  double number = 0;
  std::string_view text;
  switch (shape.kind) {
    case Kind::kAny:
      return OkStatus();
    case Kind::kNull:
      return IsNull(value) ? OkStatus() : NotServed(path, "this parameter is");
    case Kind::kBool:
      return ReadBool(value, path, flag);
    case Kind::kUint:
      AKIDB_RETURN_IF_ERROR(ReadUint(value, path, count));
      return CheckBounds(static_cast<double>(count), path, shape);
    case Kind::kInteger:
    case Kind::kNumber:
      AKIDB_RETURN_IF_ERROR(ReadDouble(value, path, number));
      return CheckBounds(number, path, shape);
    case Kind::kString:
      return ReadString(value, path, text);
    case Kind::kChoice:
      return CheckChoice(value, path, shape.choices);
    case Kind::kObject:
      return CheckFields(value, path, shape);
    case Kind::kMap:
      return ForEachMember(value, path, "an object",
                           [&](std::string_view, JsonElement member, const FieldPath& at) {
                             return CheckShape(member, at, *shape.element);
                           });
    case Kind::kArray:
      return CheckElements(value, path, shape);
    case Kind::kOneOf:
      return CheckOneOf(value, path, shape);
  }
  return InternalError("a shape of unknown kind");
}

// The option that admits a value; the shape of anything where none does.
const Shape& ShapeMeant(JsonElement value, const Shape& shape) {
  for (const Shape* option : shape.options) {
    if (!IsOfKind(value, *option) || !CheckShape(value, FieldPath(), *option).ok()) continue;
    return option->kind == Kind::kOneOf ? ShapeMeant(value, *option) : *option;
  }
  return kAnything;
}

}  // namespace

Status CheckOptions(JsonElement value, const FieldPath& path, std::span<const Field> fields) {
  return ForEachMember(
      value, path, "an object", [&](std::string_view key, JsonElement member, const FieldPath& at) {
        const Field* field = IsNull(member) ? nullptr : FindField(fields, key);
        return field == nullptr ? OkStatus() : CheckShape(member, at, *field->shape);
      });
}

Status CheckQuantization(JsonElement value, const FieldPath& path) {
  if (IsNull(value)) return OkStatus();
  JsonElement member;
  for (const Shape* form : kQuantization.options) {
    const Field& kind = form->fields.front();
    if (FindMember(value, kind.name, member)) {
      return CheckShape(member, path.Member(kind.name), *kind.shape);
    }
  }
  return FieldError(path, "expected one of `scalar`, `product`, `binary`, `turbo`");
}

void WriteKnown(JsonElement value, const Shape& shape, JsonWriter& json) {
  if (shape.kind == Kind::kOneOf) return WriteKnown(value, ShapeMeant(value, shape), json);
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (shape.kind == Kind::kArray && !value.get(array)) {
    json.BeginArray();
    for (JsonElement element : array) WriteKnown(element, *shape.element, json);
    json.EndArray();
  } else if (shape.kind != Kind::kAny && !value.get(object)) {
    json.BeginObject();
    for (auto [key, member] : object) {
      const Shape* known = FindMemberShape(shape, key);
      if (known == nullptr) continue;
      json.Key(key);
      WriteKnown(member, *known, json);
    }
    json.EndObject();
  } else {
    json.Raw(simdjson::minify(value));
  }
}

std::string KnownJson(JsonElement value, const Shape& shape) {
  std::string text;
  JsonWriter json(text);
  WriteKnown(value, shape, json);
  return text;
}

}  // namespace akidb::dialect
