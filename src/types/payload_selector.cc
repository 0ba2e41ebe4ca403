#include <map>
#include <memory>

#include "types/payload.h"
#include "types/payload_path.h"

namespace akidb {
namespace {

// The selected paths as a tree of steps: members by name, and the elements of an array.
struct Node {
  bool selected = false;  // a path ends here: this field with all that is in it
  std::map<std::string, std::unique_ptr<Node>, std::less<>> members;
  std::unique_ptr<Node> elements;
};

Node* Descend(std::unique_ptr<Node>& child) {
  if (!child) child = std::make_unique<Node>();
  return child.get();
}

void Insert(std::string_view text, Node& root) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (!path.ok()) {  // so it is the name of a field
    Descend(root.members[std::string(text)])->selected = true;
    return;
  }
  Node* node = &root;
  for (const PayloadPath::Step& step : path->steps()) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      node = Descend(node->members[*name]);
    } else if (std::holds_alternative<PayloadPath::AnyElement>(step)) {
      node = Descend(node->elements);
    } else {
      return;  // leads to nothing: a selector does not tell elements apart
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
      if (Keeps(child)) {
        out_.Key(key);
        Value(value, child);
      }
      return true;
    });
    out_.EndObject();
  }

 private:
  // Whether anything at the place of `node` is kept. On the way to what is included values are,
  // of whatever kind.
  bool Keeps(const Node* node) const {
    if (node == nullptr) return !include_;
    return !node->selected || include_;
  }

  void Value(PayloadValue value, const Node* node) {
    if (node == nullptr || node->selected) return out_.Value(value);
    if (value.kind() == PayloadValue::Kind::kObject) return Members(value, *node);
    if (value.kind() != PayloadValue::Kind::kArray) return out_.Value(value);
    out_.BeginArray();
    const Node* child = node->elements.get();
    if (Keeps(child)) {
      value.ForEachElement([&](PayloadValue element) {
        Value(element, child);
        return true;
      });
    }
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
