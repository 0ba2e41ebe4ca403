#include <map>
#include <memory>

#include "types/payload.h"
#include "types/payload_path.h"

namespace akidb {
namespace {

// The selected paths as a tree of member names; element steps are left out, because a selector
// enters arrays by itself.
struct Node {
  bool selected = false;  // a path ends here: this field with all that is in it
  std::map<std::string, std::unique_ptr<Node>, std::less<>> members;
};

void Insert(std::string_view text, Node& root) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  Node* node = &root;
  auto descend = [&](std::string name) {
    std::unique_ptr<Node>& child = node->members[std::move(name)];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  };
  if (!path.ok()) {
    descend(std::string(text));  // not a path, so the name of a field
  } else {
    for (const PayloadPath::Step& step : path->steps()) {
      if (const auto* name = std::get_if<std::string>(&step)) descend(*name);
    }
  }
  node->selected = true;
}

// What is kept of a value: nothing, all of it, or the parts that `node` names.
class Copier {
 public:
  Copier(bool include, PayloadBuilder& out) : include_(include), out_(out) {}

  void Members(PayloadValue object, const Node& node) {
    out_.BeginObject();
    object.ForEachMember([&](std::string_view key, PayloadValue value) {
      auto found = node.members.find(key);
      const Node* child = found == node.members.end() ? nullptr : found->second.get();
      if (Keeps(value, child)) {
        out_.Key(key);
        Value(value, child);
      }
      return true;
    });
    out_.EndObject();
  }

 private:
  // Whether anything of `value` is kept.
  bool Keeps(PayloadValue value, const Node* node) const {
    if (node == nullptr) return !include_;
    if (node->selected) return include_;
    if (!include_) return true;
    return value.kind() == PayloadValue::Kind::kObject ||
           value.kind() == PayloadValue::Kind::kArray;
  }

  void Value(PayloadValue value, const Node* node) {
    if (node == nullptr || node->selected) return out_.Value(value);
    if (value.kind() == PayloadValue::Kind::kObject) return Members(value, *node);
    if (value.kind() != PayloadValue::Kind::kArray) return out_.Value(value);
    out_.BeginArray();
    value.ForEachElement([&](PayloadValue element) {
      if (element.kind() == PayloadValue::Kind::kObject || !include_) Value(element, node);
      return true;
    });
    out_.EndArray();
  }

  const bool include_;
  PayloadBuilder& out_;
};

}  // namespace

Payload SelectPayload(PayloadValue payload, const PayloadSelector& selector) {
  PayloadBuilder builder;
  switch (selector.mode) {
    case PayloadSelector::Mode::kNone:
      return Payload();
    case PayloadSelector::Mode::kAll:
      return Payload(std::vector<std::byte>(payload.encoded().begin(), payload.encoded().end()));
    case PayloadSelector::Mode::kInclude:
    case PayloadSelector::Mode::kExclude:
      break;
  }
  Node root;
  for (const std::string& path : selector.paths) Insert(path, root);
  Copier(selector.mode == PayloadSelector::Mode::kInclude, builder).Members(payload, root);
  return builder.Finish();
}

}  // namespace akidb
