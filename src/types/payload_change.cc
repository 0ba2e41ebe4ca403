#include "types/payload_change.h"

#include <map>
#include <string_view>

namespace akidb {
namespace {

using Kind = PayloadValue::Kind;
using Steps = std::span<const PayloadPath::Step>;

Status TooLong() {
  return InvalidArgumentError("the payload would be longer than " +
                              std::to_string(kChangedPayloadBytesMax) + " bytes");
}

// The members of an object, each key once: where it stands first, with the value that it has last.
class Members {
 public:
  explicit Members(PayloadValue object) {
    object.ForEachMember([&](std::string_view key, PayloadValue value) {
      auto [place, is_new] = places_.try_emplace(key, entries_.size());
      if (is_new) {
        entries_.emplace_back(key, value);
      } else {
        entries_[place->second].second = value;
      }
      return true;
    });
  }
  const std::vector<std::pair<std::string_view, PayloadValue>>& entries() const { return entries_; }
  const PayloadValue* Find(std::string_view key) const {
    auto place = places_.find(key);
    return place == places_.end() ? nullptr : &entries_[place->second].second;
  }

 private:
  std::vector<std::pair<std::string_view, PayloadValue>> entries_;
  std::map<std::string_view, size_t> places_;
};

// Writes a payload with `values` merged into what a path reaches.
class Merger {
 public:
  explicit Merger(PayloadValue values) : values_(values) {}

  void Set(PayloadValue value, Steps steps, PayloadBuilder& out) {
    if (steps.empty()) return Merge(value, out);
    if (const auto* key = std::get_if<std::string>(&steps[0])) {
      return SetMember(value, *key, steps.subspan(1), out);
    }
    // Elements are changed, never added.
    out.BeginArray();
    size_t index = 0;
    const auto* wanted = std::get_if<size_t>(&steps[0]);
    value.ForEachElement([&](PayloadValue element) {
      if (wanted == nullptr || index == *wanted) {
        Set(element, steps.subspan(1), out);
      } else {
        Copy(element, out);
      }
      ++index;
      return bytes_ <= kChangedPayloadBytesMax;
    });
    out.EndArray();
  }

  // More than kChangedPayloadBytesMax when the payload is cut short; else about what was written.
  size_t bytes() const { return bytes_; }

 private:
  void SetMember(PayloadValue object, std::string_view key, Steps rest, PayloadBuilder& out) {
    out.BeginObject();
    bool found = false;
    const Members members(object);
    for (const auto& [name, value] : members.entries()) {
      Key(name, out);
      if (name == key) {
        found = true;
        Set(value, rest, out);
      } else {
        Copy(value, out);
      }
    }
    if (!found) {
      Key(key, out);
      Set(PayloadValue(), rest, out);
    }
    out.EndObject();
  }

  void Merge(PayloadValue object, PayloadBuilder& out) {
    const Members present(object);
    const Members values(values_);
    out.BeginObject();
    auto put = [&](std::string_view name, PayloadValue value) {
      if (bytes_ > kChangedPayloadBytesMax) return;
      Key(name, out);
      Copy(value, out);
    };
    for (const auto& [name, value] : present.entries()) {
      const PayloadValue* other = values.Find(name);
      if (other == nullptr) {
        put(name, value);
      } else if (other->kind() != Kind::kNull) {
        put(name, *other);
      }
    }
    for (const auto& [name, value] : values.entries()) {
      if (value.kind() != Kind::kNull && present.Find(name) == nullptr) put(name, value);
    }
    out.EndObject();
  }

  void Key(std::string_view key, PayloadBuilder& out) {
    bytes_ += key.size() + 8;
    out.Key(key);
  }
  void Copy(PayloadValue value, PayloadBuilder& out) {
    bytes_ += value.encoded().size();
    if (bytes_ > kChangedPayloadBytesMax) return out.Null();
    out.Value(value);
  }

  const PayloadValue values_;
  size_t bytes_ = 0;
};

// Writes `value` without what the path reaches inside of it.
void Remove(PayloadValue value, Steps steps, PayloadBuilder& out) {
  const auto* key = std::get_if<std::string>(&steps[0]);
  const bool last = steps.size() == 1;
  if (key != nullptr && value.kind() == Kind::kObject) {
    out.BeginObject();
    value.ForEachMember([&](std::string_view name, PayloadValue member) {
      if (name != *key) {
        out.Key(name);
        out.Value(member);
      } else if (!last) {
        out.Key(name);
        Remove(member, steps.subspan(1), out);
      }
      return true;
    });
    return out.EndObject();
  }
  const auto* wanted = std::get_if<size_t>(&steps[0]);
  // What an index means changes once an element is gone, so that one is never removed by it.
  if (key != nullptr || value.kind() != Kind::kArray || (wanted != nullptr && last)) {
    return out.Value(value);
  }
  out.BeginArray();
  size_t index = 0;
  value.ForEachElement([&](PayloadValue element) {
    if (!last && (wanted == nullptr || index == *wanted)) {
      Remove(element, steps.subspan(1), out);
    } else if (!last) {
      out.Value(element);
    }
    ++index;
    return !last;
  });
  out.EndArray();
}

Status TooDeep() {
  return InvalidArgumentError("the payload would be nested deeper than " +
                              std::to_string(kPayloadDepthMax));
}

Result<Payload> Apply(PayloadValue before, const SetPayload& set) {
  // The path itself is walked by recursion.
  if (set.key && set.key->steps().size() >= size_t{kPayloadDepthMax}) return TooDeep();
  PayloadBuilder out;
  Merger merger(set.values.root());
  merger.Set(before, set.key ? set.key->steps() : Steps(), out);
  if (merger.bytes() > kChangedPayloadBytesMax) return TooLong();
  Payload payload = out.Finish();
  // Without a path the result is no deeper than what it is made of.
  if (set.key && !ValidatePayload(payload.encoded()).ok()) return TooDeep();
  return payload;
}

Result<Payload> Apply(PayloadValue, const OverwritePayload& overwrite) { return overwrite.payload; }

Result<Payload> Apply(PayloadValue before, const DeletePayloadKeys& remove) {
  std::span<const std::byte> encoded = before.encoded();
  Payload payload(std::vector<std::byte>(encoded.begin(), encoded.end()));
  for (const PayloadPath& key : remove.keys) {
    PayloadBuilder out;
    Remove(payload.root(), key.steps(), out);
    payload = out.Finish();
  }
  return payload;
}

Result<Payload> Apply(PayloadValue, const ClearPayload&) { return Payload(); }

}  // namespace

bool DependsOnPayload(const PayloadChange& change) {
  return !std::holds_alternative<OverwritePayload>(change) &&
         !std::holds_alternative<ClearPayload>(change);
}

Result<Payload> ChangedPayload(PayloadValue before, const PayloadChange& change) {
  AKIDB_ASSIGN_OR_RETURN(Payload payload,
                         std::visit([&](const auto& one) { return Apply(before, one); }, change));
  if (payload.encoded().size() > kChangedPayloadBytesMax) return TooLong();
  return payload;
}

}  // namespace akidb
