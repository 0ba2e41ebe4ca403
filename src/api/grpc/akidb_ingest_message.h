// Batches of points that stream in, as messages of akidb.v1.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <akidb/v1/akidb.pb.h>

#include "base/status.h"
#include "service/service.h"
#include "types/query.h"

namespace akidb::rpc {

// Of points that a refusal names.
inline constexpr size_t kRefusedPointsMax = 100;

// `model`: of texts that name none. Numbers of vectors are copied once. A point without an id, a
// vector without its kind, and what its JSON or numbers can't mean is refused in the words of the
// dialect's upsert.
Status DecodeIngestPoint(const v1::IngestPoint& message, const std::string& model, PointInput& out);
// All points that can be decoded, and of the others the first kRefusedPointsMax.
std::vector<service::RefusedPoint> DecodeIngestBatch(const v1::IngestBatch& message,
                                                     const std::string& model,
                                                     std::vector<PointInput>& out);

// Whether a batch is refused for what it holds: another one may do.
bool IsOfBatch(const Status& status);
void EncodeRefusal(const v1::IngestBatch& batch, const Status& status,
                   std::span<const service::RefusedPoint> points, v1::IngestRefusal& out);

}  // namespace akidb::rpc
