// Points and costs in answers.
#pragma once

#include <string>
#include <vector>

#include "api/grpc/messages.h"
#include "service/service.h"

namespace akidb::rpc {

void EncodeRecord(const PointRecord& record, qdrant::RetrievedPoint& out);
void EncodeScored(const service::ScoredPoint& point, qdrant::ScoredPoint& out);
void EncodeGroups(const std::vector<service::PointGroup>& groups, qdrant::GroupsResult& out);

template <typename Repeated>
void EncodeScoredPoints(const std::vector<service::ScoredPoint>& points, Repeated& out) {
  for (const service::ScoredPoint& point : points) EncodeScored(point, *out.Add());
}

// Nothing where no model was run.
template <typename Response>
void EncodeUsage(const service::InferenceUsage& usage, Response& out) {
  if (usage.empty()) return;
  auto& models = *out.mutable_usage()->mutable_inference()->mutable_models();
  for (const auto& [model, tokens] : usage) models[model].set_tokens(tokens);
}

}  // namespace akidb::rpc
