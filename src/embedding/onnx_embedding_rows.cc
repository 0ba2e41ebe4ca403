#include "embedding/onnx_embedding_rows.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include "embedding/wire_reader.h"

namespace akidb::embedding {
namespace {

using Bytes = std::span<const std::byte>;

// Nodes between a table or ids and what they come from.
constexpr int kStepsMax = 8;

struct Node {
  std::string_view type;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  // Attributes that are integers, by name.
  std::vector<std::pair<std::string_view, int64_t>> numbers;
  std::optional<uint64_t> constant_rows;  // of a tensor among the attributes

  std::string_view input(size_t index) const {
    return index < inputs.size() ? inputs[index] : std::string_view();
  }
  int64_t number(std::string_view name, int64_t otherwise) const {
    for (const auto& [key, value] : numbers) {
      if (key == name) return value;
    }
    return otherwise;
  }
};

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
  std::optional<uint64_t> rows() const {
    return dims.size() < 2 ? std::nullopt : std::optional(dims[0]);
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
bool ReadAttribute(Bytes bytes, Node& node) {
  std::string_view name;
  std::optional<int64_t> number;
  const bool read = ForEachField(bytes, [&](const WireReader::Field& field) {
    if (field.number == 1) name = field.text();
    if (field.number == 3) number = static_cast<int64_t>(field.value);
    if (field.number != 5) return true;
    Tensor tensor;
    if (!ReadTensor(field.bytes, tensor)) return false;
    node.constant_rows = tensor.rows();
    return true;
  });
  if (number) node.numbers.emplace_back(name, *number);
  return read;
}

// NodeProto: input 1, output 2, op_type 4, attribute 5.
bool ReadNode(Bytes bytes, Node& node) {
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

class Graph {
 public:
  // GraphProto: node 1, initializer 5.
  bool Read(Bytes bytes) {
    const bool read = ForEachField(bytes, [&](const WireReader::Field& field) {
      if (field.number == 1) return ReadNode(field.bytes, nodes_.emplace_back());
      if (field.number != 5) return true;
      Tensor tensor;
      if (!ReadTensor(field.bytes, tensor)) return false;
      tables_.emplace(tensor.name, tensor.rows());
      return true;
    });
    for (const Node& node : nodes_) {
      for (std::string_view output : node.outputs) makers_.emplace(output, &node);
    }
    return read;
  }

  std::optional<uint64_t> RowsLookedUp(std::string_view ids_input) const {
    std::optional<uint64_t> least;
    for (const Node& node : nodes_) {
      const std::optional<Lookup> lookup = LookupOf(node);
      if (!lookup || !IsIds(lookup->ids, ids_input)) continue;
      const std::optional<uint64_t> rows = RowsOf(lookup->table, kStepsMax);
      if (rows && (!least || *rows < *least)) least = rows;
    }
    return least;
  }

 private:
  struct Lookup {
    std::string_view table;
    std::string_view ids;
  };

  static std::optional<Lookup> LookupOf(const Node& node) {
    if (node.type == "EmbedLayerNormalization") return Lookup{node.input(2), node.input(0)};
    // Rows only; not what is packed along them.
    const bool by_rows = node.type == "Gather" ? node.number("axis", 0) == 0
                                               : node.type == "GatherBlockQuantized" &&
                                                     node.number("gather_axis", 0) == 0 &&
                                                     node.number("quantize_axis", 1) != 0;
    return by_rows ? std::optional(Lookup{node.input(0), node.input(1)}) : std::nullopt;
  }

  const Node* MakerOf(std::string_view value) const {
    auto it = makers_.find(value);
    return it == makers_.end() ? nullptr : it->second;
  }

  // Whether `value` is what the graph is given, perhaps in another type or shape.
  bool IsIds(std::string_view value, std::string_view ids_input) const {
    static constexpr std::array<std::string_view, 6> kSame = {"Cast",    "Identity",  "Reshape",
                                                              "Flatten", "Unsqueeze", "Squeeze"};
    for (int step = 0; step < kStepsMax; ++step) {
      if (value == ids_input) return true;
      const Node* maker = MakerOf(value);
      if (maker == nullptr || !IsOneOf(kSame, maker->type)) return false;
      value = maker->input(0);
    }
    return false;
  }

  std::optional<uint64_t> RowsOf(std::string_view value, int steps) const {
    static constexpr std::array<std::string_view, 3> kSameRows = {"Cast", "Identity",
                                                                  "DequantizeLinear"};
    // Of which one may be a row, or a column, for all of the other.
    static constexpr std::array<std::string_view, 4> kElementwise = {"Mul", "Sub", "Add", "Div"};
    if (auto it = tables_.find(value); it != tables_.end()) return it->second;
    const Node* maker = MakerOf(value);
    if (maker == nullptr || steps == 0) return std::nullopt;
    if (maker->type == "Constant") return maker->constant_rows;
    if (IsOneOf(kSameRows, maker->type)) return RowsOf(maker->input(0), steps - 1);
    if (!IsOneOf(kElementwise, maker->type)) return std::nullopt;
    const uint64_t rows = std::max(RowsOf(maker->input(0), steps - 1).value_or(0),
                                   RowsOf(maker->input(1), steps - 1).value_or(0));
    return rows > 1 ? std::optional(rows) : std::nullopt;
  }

  std::vector<Node> nodes_;
  // Initializers; nothing for those that are no tables.
  std::unordered_map<std::string_view, std::optional<uint64_t>> tables_;
  std::unordered_map<std::string_view, const Node*> makers_;
};

}  // namespace

std::optional<uint64_t> EmbeddingRows(Bytes graph, std::string_view ids_input) {
  std::optional<uint64_t> rows;
  // ModelProto: graph 7.
  const bool read = ForEachField(graph, [&](const WireReader::Field& field) {
    if (field.number != 7) return true;
    Graph read_graph;
    if (!read_graph.Read(field.bytes)) return false;
    rows = read_graph.RowsLookedUp(ids_input);
    return true;
  });
  return read ? rows : std::nullopt;
}

}  // namespace akidb::embedding
