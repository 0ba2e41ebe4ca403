#include "engine/segment_payload_indexes.h"

#include <algorithm>

#include "types/text_options_json.h"

namespace akidb::engine {
namespace {

// Rows between two looks at whether to stop.
constexpr uint32_t kStopRows = 1024;

constexpr storage::SectionKey kSection{storage::SectionId::kPayloadIndexes};

bool SameStep(const PayloadPath::Step& a, const PayloadPath::Step& b) {
  if (a.index() != b.index()) return false;
  if (const auto* member = std::get_if<std::string>(&a)) return *member == std::get<std::string>(b);
  if (const auto* element = std::get_if<size_t>(&a)) return *element == std::get<size_t>(b);
  return true;
}

bool SamePath(const PayloadPath& a, const PayloadPath& b) {
  return std::equal(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(),
                    SameStep);
}

PayloadIndexKind KindOf(PayloadFieldKind kind) {
  switch (kind) {
    case PayloadFieldKind::kKeyword:
      return PayloadIndexKind::kKeyword;
    case PayloadFieldKind::kInteger:
      return PayloadIndexKind::kInteger;
    case PayloadFieldKind::kFloat:
      return PayloadIndexKind::kFloat;
    case PayloadFieldKind::kBool:
      return PayloadIndexKind::kBool;
    case PayloadFieldKind::kDatetime:
      return PayloadIndexKind::kDatetime;
    case PayloadFieldKind::kUuid:
      return PayloadIndexKind::kUuid;
    case PayloadFieldKind::kGeo:
      return PayloadIndexKind::kGeo;
    case PayloadFieldKind::kText:
      return PayloadIndexKind::kText;
  }
  return PayloadIndexKind::kKeyword;
}

Result<PayloadIndexSpec> MakeSpec(PayloadPath path, const PayloadFieldIndex& index) {
  PayloadIndexSpec spec{std::move(path), KindOf(index.kind)};
  if (index.kind != PayloadFieldKind::kText) return spec;
  AKIDB_ASSIGN_OR_RETURN(TextOptions options, TextOptionsFromJson(index.params_json));
  AKIDB_ASSIGN_OR_RETURN(TextAnalyzer analyzer, TextAnalyzer::Create(std::move(options)));
  spec.analyzer = std::make_shared<const TextAnalyzer>(std::move(analyzer));
  spec.sequences = WantsPhrases(index.params_json);
  spec.lengths = WantsRanking(index.params_json);
  return spec;
}

}  // namespace

Result<std::shared_ptr<const PayloadIndexSchema>> PayloadIndexSchema::Make(
    PayloadFieldIndexes fields) {
  if (fields.size() > kPayloadIndexesMax) {
    return ValidationError("[field_name: a collection has at most " +
                           std::to_string(kPayloadIndexesMax) + " payload indexes]");
  }
  auto schema = std::make_shared<PayloadIndexSchema>();
  for (const auto& [name, index] : fields) {
    if (name.size() > kFieldBytesMax) {
      return ValidationError("[field_name: at most " + std::to_string(kFieldBytesMax) +
                             " bytes, got " + std::to_string(name.size()) + "]");
    }
    if (index.params_json.size() > kParamsBytesMax) {
      return ValidationError("[field_schema: at most " + std::to_string(kParamsBytesMax) +
                             " bytes, got " + std::to_string(index.params_json.size()) + "]");
    }
    AKIDB_ASSIGN_OR_RETURN(PayloadPath path, PayloadPath::Parse(name));
    if (std::optional<std::string> same = schema->NameOf(path)) {
      return ValidationError("[field_name: `" + name + "` and `" + *same + "` are the same field]");
    }
    AKIDB_ASSIGN_OR_RETURN(PayloadIndexSpec spec, MakeSpec(std::move(path), index));
    schema->specs_.push_back(std::move(spec));
  }
  schema->fields_ = std::move(fields);
  return std::shared_ptr<const PayloadIndexSchema>(std::move(schema));
}

std::optional<std::string> PayloadIndexSchema::NameOf(const PayloadPath& path) const {
  const PayloadIndexSpec* spec = SpecOf(path);
  return spec == nullptr ? std::nullopt : std::optional(spec->path.text());
}

const PayloadIndexSpec* PayloadIndexSchema::SpecOf(const PayloadPath& path) const {
  for (const PayloadIndexSpec& spec : specs_) {
    if (SamePath(spec.path, path)) return &spec;
  }
  return nullptr;
}

bool PayloadIndexSchema::has_texts() const {
  return std::any_of(specs_.begin(), specs_.end(),
                     [](const PayloadIndexSpec& spec) { return spec.analyzer != nullptr; });
}

const PayloadIndexReader* FindIndex(const PayloadIndexSection& section,
                                    const PayloadIndexSpec& spec) {
  for (const PayloadIndexReader* index : section.On(spec.path)) {
    if (index->kind() == spec.kind && index->fingerprint() == spec.fingerprint()) return index;
  }
  return nullptr;
}

bool PayloadIndexSchema::IsCoveredBy(const PayloadIndexSection& section) const {
  return std::all_of(specs_.begin(), specs_.end(), [&](const PayloadIndexSpec& spec) {
    const PayloadIndexReader* index = FindIndex(section, spec);
    return index != nullptr && (!spec.sequences || index->was_to_hold_sequences()) &&
           (!spec.lengths || index->was_to_hold_lengths());
  });
}

Result<std::optional<IndexSection>> PayloadIndexSectionBuilder::Build(
    const storage::SegmentRows& rows, size_t memory_max) const {
  const std::span<const PayloadIndexSpec> specs = schema_.specs();
  if (specs.empty()) return std::optional<IndexSection>();
  std::vector<std::optional<PayloadIndexBuilder>> builders;
  for (const PayloadIndexSpec& spec : specs) {
    builders.emplace_back(PayloadIndexBuilder(spec, memory_max / specs.size()));
  }
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    if (row % kStopRows == 0 && stop_) {
      return CancelledError("the building of payload indexes was stopped");
    }
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> payload, rows.payload(row));
    for (size_t i = 0; i < specs.size(); ++i) {
      if (!builders[i]) continue;
      Status added = builders[i]->AddRow(PayloadValue(payload));
      if (added.ok()) continue;
      log_.Write(LogLevel::kWarning, "payload_index_left_out", added.message(),
                 {{"field", specs[i].path.text()}, {"rows", uint64_t{rows.rows()}}});
      builders[i].reset();
    }
  }
  std::vector<std::vector<std::byte>> indexes;
  for (std::optional<PayloadIndexBuilder>& builder : builders) {
    if (builder) indexes.push_back(std::move(*builder).Finish());
    builder.reset();
  }
  if (indexes.empty()) return std::optional<IndexSection>();
  return std::optional<IndexSection>({kSection, WritePayloadIndexes(rows.rows(), indexes)});
}

PayloadIndexSection OpenPayloadIndexes(const storage::SegmentReader& reader, Logger& log) {
  PayloadIndexSection none(reader.rows());
  auto bytes = reader.Section(kSection);
  if (bytes.ok() && !*bytes) return none;
  Status status = bytes.status();
  if (status.ok()) {
    Result<PayloadIndexSection> opened = PayloadIndexSection::Open(**bytes, reader.rows());
    if (opened.ok()) return std::move(opened).value();
    status = opened.status();
  }
  log.Write(LogLevel::kError, "index_damaged", status.message(), {{"file", reader.path()}});
  return none;
}

}  // namespace akidb::engine
