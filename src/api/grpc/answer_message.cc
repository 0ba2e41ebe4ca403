#include "api/grpc/answer_message.h"

#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"

namespace akidb::rpc {
namespace {

void EncodeOrderValue(const OrderValue& value, qdrant::OrderValue& out) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    out.set_int_(*integer);
  } else {
    out.set_float_(std::get<double>(value));
  }
}

void EncodeGroupKey(const service::GroupKey& key, qdrant::GroupId& out) {
  if (const auto* text = std::get_if<std::string>(&key)) {
    out.set_string_value(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&key)) {
    // As the dialect has it, a number is signed only where it has to be.
    if (*integer < 0) {
      out.set_integer_value(*integer);
    } else {
      out.set_unsigned_value(static_cast<uint64_t>(*integer));
    }
  } else {
    out.set_unsigned_value(std::get<uint64_t>(key));
  }
}

}  // namespace

void EncodeRecord(const PointRecord& record, qdrant::RetrievedPoint& out) {
  EncodeId(record.id, *out.mutable_id());
  if (record.payload) EncodePayload(*record.payload, *out.mutable_payload());
  if (record.vectors) EncodeVectors(*record.vectors, *out.mutable_vectors());
}

void EncodeScored(const service::ScoredPoint& point, qdrant::ScoredPoint& out) {
  EncodeId(point.id, *out.mutable_id());
  out.set_score(point.score);
  out.set_version(point.version);
  if (point.payload) EncodePayload(*point.payload, *out.mutable_payload());
  if (point.vectors) EncodeVectors(*point.vectors, *out.mutable_vectors());
  if (point.order_value) EncodeOrderValue(*point.order_value, *out.mutable_order_value());
}

void EncodeGroups(const std::vector<service::PointGroup>& groups, qdrant::GroupsResult& out) {
  for (const service::PointGroup& group : groups) {
    qdrant::PointGroup& message = *out.add_groups();
    EncodeGroupKey(group.id, *message.mutable_id());
    EncodeScoredPoints(group.hits, *message.mutable_hits());
    if (group.lookup) EncodeRecord(*group.lookup, *message.mutable_lookup());
  }
}

}  // namespace akidb::rpc
