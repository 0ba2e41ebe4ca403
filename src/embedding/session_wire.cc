#include "embedding/session_wire.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace akidb::embedding {
namespace {

constexpr size_t kStatusTextMax = 32u << 10;
constexpr uint64_t kCountMax = uint64_t{1} << 32;  // of items, tokens and numbers a token
constexpr size_t kStatesAlignment = 64;

// Both have one call operator for each kind of field, so that one list of fields, Visit, serves
// writing and reading.
class FieldWriter {
 public:
  explicit FieldWriter(std::vector<std::byte>& out) : out_(out) {}

  template <typename T>
    requires std::integral<T>
  void operator()(const T& value) {
    out_.Put(value);
  }
  void operator()(const float& value) { out_.Put(std::bit_cast<uint32_t>(value)); }
  void operator()(const std::string& text) {
    Count(text.size());
    out_.Text(text);
  }
  template <typename E>
  void Enum(const E& value, E /*last*/) {
    out_.Put(static_cast<uint8_t>(value));
  }
  void Count(size_t count) { out_.Put(static_cast<uint32_t>(count)); }

 private:
  ByteWriter out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> bytes) : in_(bytes) {}

  template <typename T>
    requires std::integral<T>
  void operator()(T& value) {
    value = in_.Get<T>();
  }
  void operator()(bool& value) { value = in_.Get<uint8_t>() != 0; }
  void operator()(float& value) { value = std::bit_cast<float>(in_.Get<uint32_t>()); }
  void operator()(std::string& text) { text = in_.Text(in_.Get<uint32_t>()); }
  template <typename E>
  void Enum(E& value, E last) {
    const auto number = in_.Get<uint8_t>();
    if (number > static_cast<uint8_t>(last)) return Fail();
    value = static_cast<E>(number);
  }
  // Of fields with a byte each at least.
  size_t Count() {
    const auto count = in_.Get<uint32_t>();
    if (count <= in_.remaining()) return count;
    Fail();
    return 0;
  }
  void Fail() { failed_ = true; }
  // Nothing is wrong or left.
  bool Done() const { return !failed_ && in_.AtEnd(); }

 private:
  ByteReader in_;
  bool failed_ = false;
};

// Messages as lists of fields. The structured bindings name every member: a struct that gets one
// more doesn't compile until it is here.

template <typename T>
void VisitList(FieldWriter& fields, const std::vector<T>& list);
template <typename T>
void VisitList(FieldReader& fields, std::vector<T>& list);

template <typename Fields>
void Visit(Fields& fields, auto& value)
  requires requires { fields(value); }
{
  fields(value);
}

template <typename T, typename U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

void Visit(auto& fields, Is<ModelFile> auto& file) {
  auto& [path, sha256, bytes, source] = file;
  fields(path);
  fields(sha256);
  fields(bytes);
  fields(source);
}

void Visit(auto& fields, Is<SessionInput> auto& input) {
  auto& [name, kind] = input;
  fields(name);
  fields.Enum(kind, InputKind::kPositions);
}

void Visit(auto& fields, Is<EmptyKv> auto& empty_kv) {
  auto& [names, heads, head_dim, type] = empty_kv;
  VisitList(fields, names);
  fields(heads);
  fields(head_dim);
  fields.Enum(type, ElementType::kInt64);
}

void Visit(auto& fields, Is<SessionOutput> auto& output) {
  auto& [name, type, dequantization] = output;
  auto& [scale, zero_point] = dequantization;
  fields(name);
  fields.Enum(type, ElementType::kInt64);
  fields(scale);
  fields(zero_point);
}

void VisitOptions(FieldWriter& fields, const ProviderOptions& options) {
  fields.Count(options.size());
  for (const auto& [name, value] : options) {
    fields(name);
    fields(value);
  }
}

void VisitOptions(FieldReader& fields, ProviderOptions& options) {
  for (size_t left = fields.Count(); left > 0; --left) {
    std::string name;
    fields(name);
    fields(options[name]);
  }
}

void Visit(auto& fields, Is<SessionSpec> auto& spec) {
  auto& [inputs, empty_kv, output, pooled_in_graph, width, threads, provider, options] = spec;
  VisitList(fields, inputs);
  Visit(fields, empty_kv);
  Visit(fields, output);
  fields(pooled_in_graph);
  fields(width);
  fields(threads);
  fields.Enum(provider, Provider::kCpu);
  VisitOptions(fields, options);
}

void Visit(auto& fields, Is<SessionRequest> auto& request) {
  auto& [model_id, folder, graph, external, can_pull, spec] = request;
  fields(model_id);
  fields(folder);
  Visit(fields, graph);
  VisitList(fields, external);
  fields(can_pull);
  Visit(fields, spec);
}

void Visit(FieldWriter& fields, const Status& status) {
  fields.Enum(status.code(), ErrorCode::kInternal);
  fields(std::string(status.message().substr(0, kStatusTextMax)));
}

void Visit(FieldReader& fields, Status& status) {
  ErrorCode code = ErrorCode::kOk;
  std::string text;
  fields.Enum(code, ErrorCode::kInternal);
  fields(text);
  status = code == ErrorCode::kOk ? OkStatus() : Status(code, std::move(text));
}

void Visit(auto& fields, Is<OpenRequest> auto& message) {
  auto& [libraries, session] = message;
  VisitList(fields, libraries);
  Visit(fields, session);
}

void Visit(auto& fields, Is<LoadReport> auto& message) {
  auto& [phase, verified_bytes] = message;
  fields.Enum(phase, LoadPhase::kProving);
  fields(verified_bytes);
}

void Visit(auto& fields, Is<NodeCount> auto& count) {
  auto& [provider, nodes] = count;
  fields(provider);
  fields(nodes);
}

void Visit(auto& fields, Is<OpenReport> auto& message) {
  auto& [status, nodes, memory_bytes] = message;
  Visit(fields, status);
  VisitList(fields, nodes);
  fields(memory_bytes);
}

void Visit(auto& fields, Is<OpenLane> auto& message) { fields(message.lane); }

void Visit(auto& fields, Is<CancelRun> auto& message) {
  fields(message.lane);
  fields(message.run);
}

void Visit(auto& fields, Is<RunRequest> auto& message) {
  auto& [run, items, tokens] = message;
  fields(run);
  fields(items);
  fields(tokens);
}

void Visit(auto& fields, Is<RunReport> auto& message) {
  auto& [run, status, memory_bytes, number] = message;
  fields(run);
  Visit(fields, status);
  fields(memory_bytes);
  fields(number);
}

void Visit(auto& /*fields*/, Is<ReleaseMemory> auto& /*message*/) {}

void Visit(auto& /*fields*/, Is<ReturnMemory> auto& /*message*/) {}

void Visit(auto& fields, Is<GpuDevice> auto& device) {
  auto& [name, compute_capability, memory_bytes, integrated] = device;
  fields(name);
  fields(compute_capability);
  fields(memory_bytes);
  fields(integrated);
}

void Visit(auto& fields, Is<LookReport> auto& message) {
  auto& [kernel_driver, cuda_version, cuda_problem, devices, tensorrt_version] = message.gpu;
  fields(kernel_driver);
  fields(cuda_version);
  fields(cuda_problem);
  VisitList(fields, devices);
  fields(tensorrt_version);
}

void Visit(auto& /*fields*/, Is<LookRequest> auto& /*message*/) {}

template <typename T>
void VisitList(FieldWriter& fields, const std::vector<T>& list) {
  fields.Count(list.size());
  for (const T& value : list) Visit(fields, value);
}

template <typename T>
void VisitList(FieldReader& fields, std::vector<T>& list) {
  list.resize(fields.Count());
  for (T& value : list) Visit(fields, value);
}

// The alternative of that number; nothing for a number beyond the last.
template <size_t kIndex = 0>
std::optional<SessionMessage> ReadAlternative(size_t number, FieldReader& fields) {
  if constexpr (kIndex < std::variant_size_v<SessionMessage>) {
    if (number != kIndex) return ReadAlternative<kIndex + 1>(number, fields);
    std::variant_alternative_t<kIndex, SessionMessage> message;
    Visit(fields, message);
    return SessionMessage(std::move(message));
  } else {
    return std::nullopt;
  }
}

template <typename T>
void CopyTo(std::span<std::byte> memory, size_t& at, const std::vector<T>& values) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
  AKIDB_CHECK(at + bytes.size() <= memory.size());
  std::memcpy(memory.data() + at, bytes.data(), bytes.size());
  at += bytes.size();
}

template <typename T>
void CopyFrom(std::span<const std::byte> memory, size_t& at, std::vector<T>& values) {
  const size_t bytes = values.size() * sizeof(T);
  AKIDB_CHECK(at + bytes <= memory.size());
  std::memcpy(values.data(), memory.data() + at, bytes);
  at += bytes;
}

}  // namespace

std::vector<std::byte> EncodeMessage(const SessionMessage& message) {
  std::vector<std::byte> bytes;
  FieldWriter fields(bytes);
  fields(static_cast<uint8_t>(message.index()));
  std::visit([&](const auto& alternative) { Visit(fields, alternative); }, message);
  return bytes;
}

std::optional<SessionMessage> DecodeMessage(std::span<const std::byte> bytes) {
  FieldReader fields(bytes);
  uint8_t number = 0;
  fields(number);
  std::optional<SessionMessage> message = ReadAlternative(number, fields);
  if (!fields.Done()) return std::nullopt;
  return message;
}

std::optional<LaneLayout> LaneLayout::Of(const SessionSpec& spec, uint64_t items, uint64_t tokens) {
  if (items == 0 || tokens == 0 || items > kCountMax || tokens > kCountMax / items) {
    return std::nullopt;
  }
  LaneLayout layout;
  layout.items_ = items;
  layout.tokens_ = tokens;
  layout.states_tokens_ = spec.pooled_in_graph ? 1 : tokens;
  layout.width_ = spec.width;
  const uint64_t inputs = items * tokens * 2 * sizeof(int64_t) + items * sizeof(uint32_t);
  layout.states_at_ = (inputs + kStatesAlignment - 1) / kStatesAlignment * kStatesAlignment;
  // Below 2^32 rows of below 2^30 numbers: no overflow.
  const uint64_t rows = items * layout.states_tokens_;
  if (spec.width == 0 || spec.width > kBytesMax / sizeof(float) / rows) return std::nullopt;
  if (layout.bytes() > kBytesMax) return std::nullopt;
  return layout;
}

void LaneLayout::Write(const TokenBatch& batch, std::span<std::byte> memory) const {
  AKIDB_CHECK(batch.items == items_ && batch.tokens == tokens_);
  AKIDB_CHECK(batch.ids.size() == items_ * tokens_ && batch.mask.size() == items_ * tokens_ &&
              batch.lengths.size() == items_);
  size_t at = 0;
  CopyTo(memory, at, batch.ids);
  CopyTo(memory, at, batch.mask);
  CopyTo(memory, at, batch.lengths);
}

TokenBatch LaneLayout::Read(std::span<const std::byte> memory) const {
  TokenBatch batch;
  batch.items = items_;
  batch.tokens = tokens_;
  batch.ids.resize(items_ * tokens_);
  batch.mask.resize(items_ * tokens_);
  batch.lengths.resize(items_);
  size_t at = 0;
  CopyFrom(memory, at, batch.ids);
  CopyFrom(memory, at, batch.mask);
  CopyFrom(memory, at, batch.lengths);
  return batch;
}

std::span<float> LaneLayout::States(std::span<std::byte> memory) const {
  AKIDB_CHECK(memory.size() >= bytes());
  return {reinterpret_cast<float*>(memory.data() + states_at_), states_count()};
}

}  // namespace akidb::embedding
