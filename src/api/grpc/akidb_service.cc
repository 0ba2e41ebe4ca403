#include "api/grpc/akidb_service.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/grpc/akidb_message.h"
#include "api/grpc/method_table.h"
#include "base/utf8.h"

namespace akidb::rpc {
namespace {

Status Embed(const Call& call, const v1::EmbedRequest& message, v1::EmbedResponse& reply) {
  std::vector<std::string> texts;
  service::EmbedRequest request;
  AKIDB_RETURN_IF_ERROR(DecodeEmbed(message, texts, request));
  AKIDB_ASSIGN_OR_RETURN(const service::EmbedResult result,
                         call.service.Embed(call.context, request));
  EncodeEmbedded(result, reply);
  return OkStatus();
}

Status Tokenize(const Call& call, const v1::TokenizeRequest& message, v1::TokenizeResponse& reply) {
  std::vector<std::string> texts;
  service::TokenizeRequest request;
  AKIDB_RETURN_IF_ERROR(DecodeTokenize(message, texts, request));
  AKIDB_ASSIGN_OR_RETURN(const service::TokenizeResult result,
                         call.service.Tokenize(call.context, request));
  EncodeTokenized(result, reply);
  return OkStatus();
}

Status Detokenize(const Call& call, const v1::DetokenizeRequest& message,
                  v1::DetokenizeResponse& reply) {
  service::DetokenizeRequest request;
  request.model = message.model();
  request.ids = {message.ids().data(), static_cast<size_t>(message.ids_size())};
  if (message.has_skip_special_tokens()) {
    request.skip_special_tokens = message.skip_special_tokens();
  }
  AKIDB_ASSIGN_OR_RETURN(const service::DetokenizeResult result,
                         call.service.Detokenize(call.context, request));
  reply.set_model(result.model);
  // Tokens may end within a character.
  reply.set_text(ReplaceInvalidUtf8(result.text));
  return OkStatus();
}

Status Models(const Call& call, const v1::ModelsRequest& message, v1::ModelsResponse& reply) {
  const std::vector<service::ModelInfo> models =
      message.include_absent() ? call.service.Models() : call.service.ModelsToServe();
  for (const service::ModelInfo& model : models) EncodeModel(model, *reply.add_models());
  return OkStatus();
}

Status Explain(const Call& call, const v1::ExplainRequest& message, v1::ExplainResponse& reply) {
  Explained explained;
  explained.query.recall = call.recall;
  AKIDB_RETURN_IF_ERROR(DecodeExplained(message, explained));
  // The query's own bounds hold as if it had come by itself.
  CallHead head;
  head.right = Right::kRead;
  head.collection = call.collection;
  head.timeout_s = explained.timeout_s;
  AKIDB_RETURN_IF_ERROR(CheckCall(call, head));
  AKIDB_RETURN_IF_ERROR(call.caller.MayLookUp(explained.query));
  const RequestContext bounded(
      std::min(call.context.deadline(), DeadlineOf(call.environment, call.server, head)));
  const RequestContext& context = explained.timeout_s ? bounded : call.context;
  AKIDB_ASSIGN_OR_RETURN(const service::QueryReply answer,
                         call.service.Query(context, call.collection, explained.query));
  EncodePlan(answer.plan, *reply.mutable_plan());
  reply.set_points(answer.points.size());
  reply.set_embed_ms(answer.embed_ms);
  reply.set_search_ms(answer.search_ms);
  if (!answer.usage.empty()) {
    EncodeTokens(answer.usage, answer.truncated_texts, *reply.mutable_usage());
  }
  return OkStatus();
}

}  // namespace

std::unique_ptr<grpc::Service> MakeAkidbService(const CallEnvironment& environment,
                                                IngestStreams& streams) {
  auto table = std::make_unique<MethodTable>(environment);
  table->Add("/akidb.v1.AkidbService/Embed", Right::kAny, Embed);
  table->Add("/akidb.v1.AkidbService/Tokenize", Right::kAny, Tokenize);
  table->Add("/akidb.v1.AkidbService/Detokenize", Right::kAny, Detokenize);
  table->Add("/akidb.v1.AkidbService/Models", Right::kAny, Models);
  table->Add("/akidb.v1.AkidbService/Explain", Right::kRead, Explain);
  table->AddStream("/akidb.v1.AkidbService/Ingest",
                   [&environment, &streams](grpc::CallbackServerContext* server) {
                     return IngestStream::Start(environment, *server, streams);
                   });
  return table;
}

}  // namespace akidb::rpc
