#include "embedding/onnx_nodes.h"

#include <algorithm>
#include <array>

#include "embedding/wire_reader.h"

namespace akidb::embedding {
namespace {

using Bytes = std::span<const std::byte>;

// Nodes between a table or ids and what they come from.
constexpr int kStepsMax = 8;

// Calls `use` with each field; false: not a message.
template <typename Use>
bool ForEachField(Bytes message, const Use& use) {
  WireReader reader(message);
  while (!reader.done()) {
    const std::optional<WireReader::Field> field = reader.Next();
    if (!field || !use(*field)) return false;
  }
  return true;
}

struct Tensor {
  std::string_view name;
  std::vector<uint64_t> dims;
  std::optional<OnnxTable> table() const {
    return dims.size() < 2 ? std::nullopt : std::optional(OnnxTable{dims[0], dims[1]});
  }
};

// TensorProto: dims 1, which may be packed, and name 8.
bool ReadTensor(Bytes bytes, Tensor& tensor) {
  return ForEachField(bytes, [&](const WireReader::Field& field) {
    if (field.number == 8) tensor.name = field.text();
    if (field.number != 1) return true;
    if (!field.is_delimited) {
      tensor.dims.push_back(field.value);
      return true;
    }
    WireReader packed(field.bytes);
    while (!packed.done()) {
      const std::optional<uint64_t> dim = packed.Varint();
      if (!dim) return false;
      tensor.dims.push_back(*dim);
    }
    return true;
  });
}

// AttributeProto: name 1, i 3, t 5.
bool ReadAttribute(Bytes bytes, OnnxNode& node) {
  std::string_view name;
  std::optional<int64_t> number;
  const bool read = ForEachField(bytes, [&](const WireReader::Field& field) {
    if (field.number == 1) name = field.text();
    if (field.number == 3) number = static_cast<int64_t>(field.value);
    if (field.number != 5) return true;
    Tensor tensor;
    if (!ReadTensor(field.bytes, tensor)) return false;
    node.constant = tensor.table();
    return true;
  });
  if (number) node.numbers.emplace_back(name, *number);
  return read;
}

// NodeProto: input 1, output 2, op_type 4, attribute 5.
bool ReadNode(Bytes bytes, OnnxNode& node) {
  return ForEachField(bytes, [&](const WireReader::Field& field) {
    if (field.number == 1) node.inputs.push_back(field.text());
    if (field.number == 2) node.outputs.push_back(field.text());
    if (field.number == 4) node.type = field.text();
    return field.number != 5 || ReadAttribute(field.bytes, node);
  });
}

template <size_t kCount>
bool IsOneOf(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view OnnxNode::input(size_t index) const {
  return index < inputs.size() ? inputs[index] : std::string_view();
}

int64_t OnnxNode::number(std::string_view name, int64_t otherwise) const {
  for (const auto& [key, value] : numbers) {
    if (key == name) return value;
  }
  return otherwise;
}

std::optional<OnnxLookup> LookupOf(const OnnxNode& node) {
  if (node.type == "EmbedLayerNormalization") return OnnxLookup{node.input(2), node.input(0)};
  // Rows only; not what is packed along them.
  const bool by_rows = node.type == "Gather" ? node.number("axis", 0) == 0
                                             : node.type == "GatherBlockQuantized" &&
                                                   node.number("gather_axis", 0) == 0 &&
                                                   node.number("quantize_axis", 1) != 0;
  return by_rows ? std::optional(OnnxLookup{node.input(0), node.input(1)}) : std::nullopt;
}

std::optional<OnnxNodes> OnnxNodes::Read(Bytes file) {
  OnnxNodes nodes;
  // ModelProto: graph 7.
  const bool read = ForEachField(file, [&](const WireReader::Field& field) {
    return field.number != 7 || nodes.ReadGraph(field.bytes);
  });
  return read ? std::optional(std::move(nodes)) : std::nullopt;
}

// GraphProto: node 1, initializer 5.
bool OnnxNodes::ReadGraph(Bytes graph) {
  const bool read = ForEachField(graph, [&](const WireReader::Field& field) {
    if (field.number == 1) return ReadNode(field.bytes, nodes_.emplace_back());
    if (field.number != 5) return true;
    Tensor tensor;
    if (!ReadTensor(field.bytes, tensor)) return false;
    tables_.emplace(tensor.name, tensor.table());
    return true;
  });
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (std::string_view output : nodes_[i].outputs) makers_.emplace(output, i);
  }
  return read;
}

const OnnxNode* OnnxNodes::MakerOf(std::string_view value) const {
  auto it = makers_.find(value);
  return it == makers_.end() ? nullptr : &nodes_[it->second];
}

bool OnnxNodes::IsInput(std::string_view value, std::string_view input) const {
  static constexpr std::array<std::string_view, 6> kSame = {"Cast",    "Identity",  "Reshape",
                                                            "Flatten", "Unsqueeze", "Squeeze"};
  for (int step = 0; step < kStepsMax; ++step) {
    if (value == input) return true;
    const OnnxNode* maker = MakerOf(value);
    if (maker == nullptr || !IsOneOf(kSame, maker->type)) return false;
    value = maker->input(0);
  }
  return false;
}

std::optional<OnnxTable> OnnxNodes::TableOf(std::string_view value) const {
  return TableOf(value, kStepsMax);
}

std::optional<OnnxTable> OnnxNodes::TableOf(std::string_view value, int steps) const {
  static constexpr std::array<std::string_view, 3> kSameRows = {"Cast", "Identity",
                                                                "DequantizeLinear"};
  // Of which one may be a row, or a column, for all of the other.
  static constexpr std::array<std::string_view, 4> kElementwise = {"Mul", "Sub", "Add", "Div"};
  if (auto it = tables_.find(value); it != tables_.end()) return it->second;
  const OnnxNode* maker = MakerOf(value);
  if (maker == nullptr || steps == 0) return std::nullopt;
  if (maker->type == "Constant") return maker->constant;
  if (IsOneOf(kSameRows, maker->type)) return TableOf(maker->input(0), steps - 1);
  if (!IsOneOf(kElementwise, maker->type)) return std::nullopt;
  const OnnxTable left = TableOf(maker->input(0), steps - 1).value_or(OnnxTable{});
  const OnnxTable right = TableOf(maker->input(1), steps - 1).value_or(OnnxTable{});
  const OnnxTable whole{std::max(left.rows, right.rows), std::max(left.columns, right.columns)};
  return whole.rows > 1 ? std::optional(whole) : std::nullopt;
}

}  // namespace akidb::embedding
