// The messages of akidb.v1 (proto/akidb/v1/akidb.proto), but for those of a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <akidb/v1/akidb.pb.h>

#include "base/status.h"
#include "service/service.h"
#include "types/query.h"
#include "types/search_plan.h"

namespace akidb::rpc {

// Borrows the texts, which are copied into `texts`. kValidation: no text or more than
// kEmbedTextsMax; kMalformed: a value that an enumeration lacks.
Status DecodeEmbed(const v1::EmbedRequest& message, std::vector<std::string>& texts,
                   service::EmbedRequest& out);
// Likewise.
Status DecodeTokenize(const v1::TokenizeRequest& message, std::vector<std::string>& texts,
                      service::TokenizeRequest& out);
// A query that is to be explained.
struct Explained {
  QueryRequest query;
  std::optional<uint64_t> timeout_s;
};

// kMalformed: no query, none of a kind that has a plan, or of another collection than the message.
Status DecodeExplained(const v1::ExplainRequest& message, Explained& out);

void EncodeEmbedded(const service::EmbedResult& result, v1::EmbedResponse& out);
void EncodeTokenized(const service::TokenizeResult& result, v1::TokenizeResponse& out);
void EncodeModel(const service::ModelInfo& model, v1::Model& out);
void EncodePlan(const SearchPlan& plan, v1::SearchPlan& out);
// Adds to what is there.
void EncodeTokens(const service::InferenceUsage& usage, uint64_t truncated_texts, v1::Usage& out);

}  // namespace akidb::rpc
