#include "api/grpc/akidb_message.h"

#include <algorithm>
#include <utility>

#include "api/grpc/message_bytes.h"
#include "api/grpc/messages.h"
#include "api/grpc/query_message.h"
#include "api/grpc/value_message.h"
#include "base/utf8.h"

namespace akidb::rpc {
namespace {

Status DecodeTexts(const google::protobuf::RepeatedPtrField<std::string>& message,
                   std::vector<std::string>& out) {
  const auto count = static_cast<size_t>(message.size());
  if (count == 0 || count > service::kEmbedTextsMax) {
    return ValidationError("[texts: expected 1 to " + std::to_string(service::kEmbedTextsMax) +
                           " texts, got " + std::to_string(count) + "]");
  }
  out.assign(message.begin(), message.end());
  return OkStatus();
}

Status DecodeInputType(v1::InputType message, service::InputType& out) {
  switch (message) {
    case v1::INPUT_TYPE_UNSPECIFIED:
      return OkStatus();
    case v1::INPUT_TYPE_QUERY:
      out = service::InputType::kQuery;
      return OkStatus();
    case v1::INPUT_TYPE_DOCUMENT:
      out = service::InputType::kDocument;
      return OkStatus();
    default:
      return CheckEnum(v1::InputType_IsValid, message, "input_type");
  }
}

Status DecodeTruncation(v1::Truncation message, service::Truncate& out) {
  switch (message) {
    case v1::TRUNCATION_UNSPECIFIED:
      return OkStatus();
    case v1::TRUNCATION_END:
      out = service::Truncate::kEnd;
      return OkStatus();
    case v1::TRUNCATION_START:
      out = service::Truncate::kStart;
      return OkStatus();
    case v1::TRUNCATION_NONE:
      out = service::Truncate::kNone;
      return OkStatus();
    default:
      return CheckEnum(v1::Truncation_IsValid, message, "truncate");
  }
}

v1::ProviderState StateOf(embedding::LinkState state) {
  switch (state) {
    case embedding::LinkState::kWaiting:
      return v1::PROVIDER_STATE_WAITING;
    case embedding::LinkState::kBuilding:
      return v1::PROVIDER_STATE_BUILDING;
    case embedding::LinkState::kReady:
      return v1::PROVIDER_STATE_READY;
    case embedding::LinkState::kOpen:
      return v1::PROVIDER_STATE_OPEN;
    case embedding::LinkState::kRefused:
      return v1::PROVIDER_STATE_REFUSED;
  }
  return v1::PROVIDER_STATE_UNSPECIFIED;
}

void EncodeProvider(const embedding::ProviderState& provider, v1::ModelProvider& out) {
  out.set_provider(std::string(NamesOf(provider.provider).runtime));
  out.set_variant(provider.variant);
  out.set_state(StateOf(provider.state));
  out.set_serves(provider.serves);
  out.set_failures(provider.failures);
  out.set_reason(ReplaceInvalidUtf8(provider.reason));
  out.set_retry_in_seconds(provider.retry_in_s);
}

v1::ModelState StateOf(service::ModelState state) {
  switch (state) {
    case service::ModelState::kAbsent:
      return v1::MODEL_STATE_ABSENT;
    case service::ModelState::kInstalled:
      return v1::MODEL_STATE_INSTALLED;
    case service::ModelState::kLoading:
      return v1::MODEL_STATE_LOADING;
    case service::ModelState::kReady:
      return v1::MODEL_STATE_READY;
    case service::ModelState::kFailed:
      return v1::MODEL_STATE_FAILED;
    case service::ModelState::kDraining:
      return v1::MODEL_STATE_DRAINING;
  }
  return v1::MODEL_STATE_UNSPECIFIED;
}

v1::SearchWay WayOf(SearchWay way) {
  switch (way) {
    case SearchWay::kNothing:
      return v1::SEARCH_WAY_NOTHING;
    case SearchWay::kVectors:
      return v1::SEARCH_WAY_VECTORS;
    case SearchWay::kListedVectors:
      return v1::SEARCH_WAY_LISTED_VECTORS;
    case SearchWay::kCodes:
      return v1::SEARCH_WAY_CODES;
    case SearchWay::kListedCodes:
      return v1::SEARCH_WAY_LISTED_CODES;
    case SearchWay::kGraph:
      return v1::SEARCH_WAY_GRAPH;
    case SearchWay::kFilteredGraph:
      return v1::SEARCH_WAY_FILTERED_GRAPH;
    case SearchWay::kInvertedLists:
      return v1::SEARCH_WAY_INVERTED_LISTS;
    case SearchWay::kTexts:
      return v1::SEARCH_WAY_TEXTS;
  }
  return v1::SEARCH_WAY_UNSPECIFIED;
}

void EncodeSource(const SourcePlan& source, v1::SourcePlan& out) {
  out.set_sealed(source.sealed);
  out.set_way(WayOf(source.way));
  out.set_degraded(source.degraded);
  if (source.no_graph) out.set_no_graph(std::string(NoGraphReasonName(*source.no_graph)));
  out.set_rows(source.rows);
  out.set_admitted_share(source.admitted_share);
  out.set_ef(source.ef);
  out.set_walks(source.walks);
  out.set_estimated(source.estimated);
  out.set_compared(source.compared);
  out.set_bytes(source.bytes);
  out.set_shared_by(source.shared_by);
  out.set_filter_ms(source.filter_ms);
  out.set_search_ms(source.search_ms);
  out.set_recall(source.recall);
}

// Whether `query` is a `Message` is told by `is`; what is in it then becomes `out`.
template <typename Message>
Status DecodeAs(const v1::ExplainRequest& request, Explained& out, bool& is) {
  is = request.query().Is<Message>();
  if (!is) return OkStatus();
  Message message;
  AKIDB_RETURN_IF_ERROR(ParseMessage(request.query().value(), message));
  if (!message.collection_name().empty() &&
      message.collection_name() != request.collection_name()) {
    return MalformedError("query.collection_name: expected `" + request.collection_name() +
                          "`, as `collection_name` says, or none, got `" +
                          message.collection_name() + "`");
  }
  AKIDB_RETURN_IF_ERROR(CheckConsistency(message));
  if (message.has_timeout()) out.timeout_s = message.timeout();
  return DecodeQuery(message, out.query);
}

}  // namespace

Status DecodeEmbed(const v1::EmbedRequest& message, std::vector<std::string>& texts,
                   service::EmbedRequest& out) {
  AKIDB_RETURN_IF_ERROR(DecodeTexts(message.texts(), texts));
  AKIDB_RETURN_IF_ERROR(DecodeInputType(message.input_type(), out.input_type));
  AKIDB_RETURN_IF_ERROR(DecodeTruncation(message.truncate(), out.truncate));
  out.texts = texts;
  out.model = message.model();
  if (message.has_instruction()) out.instruction = message.instruction();
  out.dims = message.dimensions();
  return OkStatus();
}

Status DecodeTokenize(const v1::TokenizeRequest& message, std::vector<std::string>& texts,
                      service::TokenizeRequest& out) {
  AKIDB_RETURN_IF_ERROR(DecodeTexts(message.texts(), texts));
  AKIDB_RETURN_IF_ERROR(DecodeInputType(message.input_type(), out.input_type));
  if (message.truncate() != v1::TRUNCATION_UNSPECIFIED) {
    AKIDB_RETURN_IF_ERROR(DecodeTruncation(message.truncate(), out.truncate.emplace()));
  }
  out.texts = texts;
  out.model = message.model();
  if (message.has_add_special_tokens()) out.add_special_tokens = message.add_special_tokens();
  if (message.has_instruction()) out.instruction = message.instruction();
  return OkStatus();
}

Status DecodeExplained(const v1::ExplainRequest& message, Explained& out) {
  bool is = false;
  Status read = DecodeAs<qdrant::QueryPoints>(message, out, is);
  if (!is) read = DecodeAs<qdrant::SearchPoints>(message, out, is);
  if (!is) read = DecodeAs<qdrant::RecommendPoints>(message, out, is);
  if (!is) read = DecodeAs<qdrant::DiscoverPoints>(message, out, is);
  if (is) return read;
  return MalformedError(
      "query: expected a qdrant.QueryPoints, qdrant.SearchPoints, qdrant.RecommendPoints or "
      "qdrant.DiscoverPoints, got `" +
      message.query().type_url() + "`");
}

void EncodeEmbedded(const service::EmbedResult& result, v1::EmbedResponse& out) {
  out.set_model(result.model);
  out.set_dimensions(result.dims);
  uint64_t tokens = 0;
  for (size_t i = 0; i < result.tokens.size(); ++i) {
    v1::Embedding& embedding = *out.add_embeddings();
    const std::span<const float> vector = result.vector(i);
    embedding.mutable_values()->Add(vector.begin(), vector.end());
    embedding.set_tokens(result.tokens[i]);
    embedding.set_truncated(result.truncated[i]);
    tokens += result.tokens[i];
  }
  const auto truncated = std::count(result.truncated.begin(), result.truncated.end(), true);
  EncodeTokens({{result.model, tokens}}, static_cast<uint64_t>(truncated), *out.mutable_usage());
}

void EncodeTokenized(const service::TokenizeResult& result, v1::TokenizeResponse& out) {
  out.set_model(result.model);
  out.set_max_tokens(result.max_tokens);
  for (const service::TokenizedText& text : result.texts) {
    v1::TokenizedText& message = *out.add_texts();
    message.mutable_ids()->Add(text.ids.begin(), text.ids.end());
    for (const std::string& token : text.tokens) message.add_tokens(ReplaceInvalidUtf8(token));
    message.set_truncated(text.truncated);
  }
}

void EncodeModel(const service::ModelInfo& model, v1::Model& out) {
  out.set_id(model.id);
  for (const std::string& alias : model.aliases) out.add_aliases(alias);
  out.set_dimensions(model.dims);
  out.mutable_dimensions_offered()->Add(model.dims_offered.begin(), model.dims_offered.end());
  out.set_max_tokens(model.max_tokens);
  out.set_state(StateOf(model.state));
  out.set_state_reason(model.state_reason);
  out.set_fingerprint(model.fingerprint);
  out.set_licence(model.licence);
  out.set_is_default(model.is_default);
  for (const embedding::ProviderState& provider : model.providers) {
    EncodeProvider(provider, *out.add_providers());
  }
  out.set_degraded(embedding::IsDegraded(model.providers));
  if (model.failed_seconds_ago) out.set_failed_seconds_ago(*model.failed_seconds_ago);
}

void EncodePlan(const SearchPlan& plan, v1::SearchPlan& out) {
  for (const SourcePlan& source : plan.sources) EncodeSource(source, *out.add_sources());
  out.set_fetch_ms(plan.fetch_ms);
  out.set_recall(plan.recall);
  out.set_degraded(plan.degraded);
}

void EncodeTokens(const service::InferenceUsage& usage, uint64_t truncated_texts, v1::Usage& out) {
  for (const auto& [model, tokens] : usage) (*out.mutable_tokens())[model] += tokens;
  out.set_truncated_texts(out.truncated_texts() + truncated_texts);
}

}  // namespace akidb::rpc
