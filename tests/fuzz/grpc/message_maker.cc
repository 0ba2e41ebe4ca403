#include "message_maker.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include <google/protobuf/descriptor.pb.h>

namespace akidb::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

constexpr int kDepthMax = 12;
constexpr size_t kMessagesMax = 80;
constexpr size_t kManyMessages = 3000;
constexpr int kDimensions = 4;

struct Words {
  std::string_view fields;  // their names, between spaces
  std::vector<const char*> texts;
};

// What the collections of fuzzed_server.cc have, by the names of fields that ask for it.
const std::vector<Words>& KnownWords() {
  static const std::vector<Words> words = {
      {" collection_name collection ",
       {"bodies", "bodies", "bodies", "bodies", "bodies", "bodies", "other", "made_here"}},
      {" key field_name group_by variable keys fields datetime_key to ",
       {"city", "year", "name", "place", "made", "parts[].name", "parts", "$score", "year"}},
      {" vector_name using names has_vector ", {"", "words", "words", "added", "extra"}},
      {" model ", {"small", "small", "qdrant/bm25", "sentence-transformers/all-MiniLM-L6-v2"}},
      {" type_url ",
       {"type.googleapis.com/qdrant.QueryPoints", "type.googleapis.com/qdrant.SearchPoints",
        "type.googleapis.com/qdrant.Nothing"}},
      {" uuid ", {"5c56c793-69f3-4fbf-87e6-c4bf54c28c26", "5c56c79369f34fbf87e6c4bf54c28c26"}},
      {" payload_json ", {R"({"city":"Rome","year":1999})", R"({"parts":[{"name":"lid"}]})", "{}"}},
      {" datetime ", {"2024-05-11T12:00:00Z", "2024-05-11", "2024-05-11 12:00"}},
      {" alias_name old_alias_name new_alias_name ", {"alias", "alias2", "bodies"}},
      {" snapshot_name ", {"none.snapshot", "../../x", ""}},
      {" language languages ", {"english", "german", "klingon"}},
  };
  return words;
}
constexpr const char* kTexts[] = {
    "Rome", "Oslo", "fox", "the quick brown fox", "quick", "lid", "2024-05-11T12:00:00Z", "city"};
constexpr const char* kOddTexts[] = {"",
                                     " ",
                                     ".",
                                     "a.b[",
                                     "[]",
                                     "parts[]",
                                     "\"",
                                     "\\",
                                     "%s%n",
                                     "\xe6\x89\x8b\xe5\x8f\x8b",
                                     "\xf0\x9f\xa6\x8a",
                                     "e\xcc\x81",
                                     "../../../../etc/passwd",
                                     "9999-99-99T99:99:99Z",
                                     "5c56c793-69f3-4fbf-87e6-c4bf54c28c2Z",
                                     "NaN",
                                     "$score[99999999999999999999]",
                                     "$score[1]"};
constexpr int64_t kIntegers[] = {0, 1, 1, 2, 3, 5, 10, 12, 40, 1980, 1990};
constexpr uint64_t kOddIntegers[] = {
    0,      4096,      65536,      0x7FFFFFFF, 0x80000000,     0xFFFFFFFF,        999999999,
    100000, INT64_MAX, UINT64_MAX, 1000000,    UINT64_MAX - 1, uint64_t{1} << 63, 1u << 31};
constexpr double kReals[] = {0, 1, 0.5, -1, 2, 0.25, 10, 1980, 45, 12.5, 0.9};
constexpr double kOddReals[] = {std::numeric_limits<double>::quiet_NaN(),
                                std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::denorm_min(),
                                3.4e38,
                                -3.4e38,
                                1e-45,
                                -0.0,
                                181,
                                9007199254740993.0,
                                1e308};
// What every request that has it is refused for, or that few have.
constexpr std::string_view kRare[] = {
    "shard_key_selector", "timeout",          "fallback", "lookup_from",
    "with_lookup",        "read_consistency", "ordering"};

std::optional<std::string_view> OneOfWords(const FieldDescriptor& field, Choices& choices) {
  const std::string name = " " + field.name() + " ";
  for (const Words& words : KnownWords()) {
    if (words.fields.find(name) != std::string_view::npos) return choices.OneOf(words.texts);
  }
  return std::nullopt;
}

// Fields from a message down to another of its own kind: a filter's condition's filter.
bool FindCycle(const Descriptor& from, const Descriptor& to, int steps,
               std::vector<const FieldDescriptor*>& path) {
  for (int i = 0; i < from.field_count(); ++i) {
    const FieldDescriptor& field = *from.field(i);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    path.push_back(&field);
    if (field.message_type() == &to) return true;
    if (steps > 1 && FindCycle(*field.message_type(), to, steps - 1, path)) return true;
    path.pop_back();
  }
  return false;
}

Message& Descend(Message& message, const std::vector<const FieldDescriptor*>& path) {
  Message* at = &message;
  for (const FieldDescriptor* field : path) {
    const Reflection& reflection = *at->GetReflection();
    at = field->is_repeated() ? reflection.AddMessage(at, field)
                              : reflection.MutableMessage(at, field);
  }
  return *at;
}

// Every message in a message, itself first. Down to a depth that is enough, for it calls itself.
void Collect(Message& message, int depth, std::vector<Message*>& out) {
  constexpr int kDeepEnough = 200;
  out.push_back(&message);
  if (depth > kDeepEnough) return;
  std::vector<const FieldDescriptor*> fields;
  const Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      Collect(*reflection.MutableMessage(&message, field), depth + 1, out);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      Collect(*reflection.MutableRepeatedMessage(&message, field, i), depth + 1, out);
    }
  }
}

void CopyFromSame(const Message& other, Choices& choices, Message& message) {
  std::vector<const FieldDescriptor*> fields;
  other.GetReflection()->ListFields(other, &fields);
  if (fields.empty()) return;
  const FieldDescriptor& field = *choices.OneOf(fields);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_repeated()) {
    message.MergeFrom(other);
    return;
  }
  const Message& from = other.GetReflection()->GetMessage(other, &field);
  message.GetReflection()->MutableMessage(&message, &field)->CopyFrom(from);
}

void RepeatElement(const FieldDescriptor& field, size_t count, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || !field.is_repeated() ||
      field.is_map() || reflection.FieldSize(message, &field) == 0) {
    return;
  }
  const std::string first = reflection.GetRepeatedMessage(message, &field, 0).SerializeAsString();
  for (size_t i = 0; i < count; ++i) {
    reflection.AddMessage(&message, &field)->ParsePartialFromString(first);
  }
}

}  // namespace

void MessageMaker::Fill(Message& message) {
  messages_left_ = choices_.OneIn(100) ? kManyMessages : kMessagesMax;
  FillMessage(message, 0);
  if (choices_.OneIn(40)) Change(message, message);
}

void MessageMaker::FillMessage(Message& message, int depth) {
  if (messages_left_ > 0) --messages_left_;
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& alternatives = *type.oneof_decl(i);
    if (IsOdd()) continue;
    const auto chosen =
        static_cast<int>(choices_.Below(static_cast<size_t>(alternatives.field_count())));
    FillField(message, *alternatives.field(chosen), depth);
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.real_containing_oneof() != nullptr) continue;
    const bool rare = field.options().deprecated() || std::find(std::begin(kRare), std::end(kRare),
                                                                field.name()) != std::end(kRare);
    if (rare && !choices_.OneIn(30)) continue;
    const bool is_scalar = field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE;
    // Few fields each in a message of many.
    const size_t one_in = field.has_presence() && (is_scalar || type.field_count() > 5) ? 4 : 2;
    const bool needed = field.name() == "points_selector" ||
                        (!field.has_presence() && (is_scalar || !field.is_repeated()));
    if (needed ? choices_.OneIn(20) : !choices_.OneIn(one_in)) continue;
    FillField(message, field, depth);
  }
}

void MessageMaker::FillField(Message& message, const Field& field, int depth) {
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (is_message && (depth >= kDepthMax || messages_left_ == 0)) return;
  if (field.is_repeated()) {
    AddElements(message, field, depth);
  } else {
    PutValue(message, field, depth);
  }
}

size_t MessageMaker::ElementsCount(const Field& field) {
  const std::string& owner = field.containing_type()->name();
  if (IsOdd()) return choices_.OneIn(10) ? 5000 : choices_.Below(8);
  if (owner == "SparseVector") return 2;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT && owner != "Rrf") return kDimensions;
  return choices_.Below(4);
}

void MessageMaker::AddElements(Message& message, const Field& field, int depth) {
  for (size_t i = ElementsCount(field); i > 0; --i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && messages_left_ == 0) return;
    PutValue(message, field, depth);
  }
}

std::string MessageMaker::TextOf(const Field& field) {
  if (IsOdd()) {
    if (choices_.OneIn(20)) return std::string(size_t{1} << choices_.Below(17), 'x');
    return choices_.Of(kOddTexts);
  }
  if (const auto known = OneOfWords(field, choices_)) return std::string(*known);
  return choices_.Of(kTexts);
}

void MessageMaker::PutInteger(Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  uint64_t value = static_cast<uint64_t>(choices_.Of(kIntegers));
  if (field.name() == "size") value = kDimensions;
  if (field.name() == "indices") {
    // Each once, and sorted or not.
    value = static_cast<uint64_t>(reflection.FieldSize(message, &field)) * 40 + choices_.Below(40);
  }
  if (IsOdd()) value = choices_.Of(kOddIntegers);
  const bool adds = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto narrow = static_cast<int32_t>(value);
      return adds ? reflection.AddInt32(&message, &field, narrow)
                  : reflection.SetInt32(&message, &field, narrow);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto narrow = static_cast<uint32_t>(value);
      return adds ? reflection.AddUInt32(&message, &field, narrow)
                  : reflection.SetUInt32(&message, &field, narrow);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto whole = static_cast<int64_t>(value);
      return adds ? reflection.AddInt64(&message, &field, whole)
                  : reflection.SetInt64(&message, &field, whole);
    }
    default:
      return adds ? reflection.AddUInt64(&message, &field, value)
                  : reflection.SetUInt64(&message, &field, value);
  }
}

void MessageMaker::PutReal(Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  const double value = IsOdd() ? choices_.Of(kOddReals) : choices_.Of(kReals);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    return field.is_repeated() ? reflection.AddDouble(&message, &field, value)
                               : reflection.SetDouble(&message, &field, value);
  }
  constexpr double kFloatMax = std::numeric_limits<float>::max();
  const auto narrow =
      static_cast<float>(std::isfinite(value) ? std::clamp(value, -kFloatMax, kFloatMax) : value);
  return field.is_repeated() ? reflection.AddFloat(&message, &field, narrow)
                             : reflection.SetFloat(&message, &field, narrow);
}

void MessageMaker::PutValue(Message& message, const Field& field, int depth) {
  const Reflection& reflection = *message.GetReflection();
  const bool adds = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillMessage(adds ? *reflection.AddMessage(&message, &field)
                              : *reflection.MutableMessage(&message, &field),
                         depth + 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return adds ? reflection.AddString(&message, &field, TextOf(field))
                  : reflection.SetString(&message, &field, TextOf(field));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const EnumDescriptor& type = *field.enum_type();
      int number =
          type.value(static_cast<int>(choices_.Below(static_cast<size_t>(type.value_count()))))
              ->number();
      if (IsOdd()) number = static_cast<int>(choices_.Of(kOddIntegers));
      return adds ? reflection.AddEnumValue(&message, &field, number)
                  : reflection.SetEnumValue(&message, &field, number);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = choices_.OneIn(2);
      return adds ? reflection.AddBool(&message, &field, value)
                  : reflection.SetBool(&message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return PutReal(message, field);
    default:
      return PutInteger(message, field);
  }
}

// Down from a message that can hold one of its own kind, by the same way each time.
void MessageMaker::Deepen(Message& message) {
  std::vector<const FieldDescriptor*> path;
  if (!FindCycle(*message.GetDescriptor(), *message.GetDescriptor(), 3, path)) return;
  Message* at = &message;
  for (size_t i = size_t{1} << choices_.Below(10); i > 0; --i) at = &Descend(*at, path);
  messages_left_ = kMessagesMax;
  FillMessage(*at, 0);
}

void MessageMaker::Change(const Message& other, Message& message) {
  std::vector<Message*> all;
  Collect(message, 0, all);
  Message& changed = *choices_.OneOf(all);
  const Descriptor& type = *changed.GetDescriptor();
  if (type.field_count() == 0) return;
  const FieldDescriptor& field =
      *type.field(static_cast<int>(choices_.Below(static_cast<size_t>(type.field_count()))));
  switch (choices_.Below(8)) {
    case 0:
      return changed.GetReflection()->ClearField(&changed, &field);
    case 1:
      return RepeatElement(field, choices_.OneIn(10) ? 2000 : choices_.Below(5), changed);
    case 2:
      return Deepen(changed);
    case 3: {
      if (&other == &message) return;
      const std::unique_ptr<Message> copy(other.New());
      copy->CopyFrom(other);
      std::vector<Message*> theirs;
      Collect(*copy, 0, theirs);
      const Message& one = *choices_.OneOf(theirs);
      if (one.GetDescriptor() == &type) CopyFromSame(one, choices_, changed);
      return;
    }
    default:
      messages_left_ = kMessagesMax;
      changed.GetReflection()->ClearField(&changed, &field);
      return FillField(changed, field, 0);
  }
}

}  // namespace akidb::fuzz
