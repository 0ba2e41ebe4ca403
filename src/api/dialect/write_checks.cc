#include "api/dialect/write_checks.h"

#include <string>

namespace akidb::dialect {
namespace {

Status CheckSelector(const PointSelector& points) {
  if (points.filter || !points.ids.empty()) return OkStatus();
  return InvalidArgumentError("Empty update request");
}

Status CheckOperation(const UpdateOperation& operation) {
  if (const auto* edit = std::get_if<PayloadEdit>(&operation)) return CheckNotEmpty(*edit);
  const auto* removal = std::get_if<VectorsRemoval>(&operation);
  return removal == nullptr ? OkStatus() : CheckNotEmpty(*removal);
}

}  // namespace

Status CheckNotEmpty(const PayloadEdit& edit) { return CheckSelector(edit.points); }

Status CheckNotEmpty(const VectorsRemoval& removal) {
  for (const PointSelector& points : removal.points) AKIDB_RETURN_IF_ERROR(CheckSelector(points));
  return OkStatus();
}

Status CheckNotEmpty(std::span<const UpdateOperation> operations) {
  for (size_t i = 0; i < operations.size(); ++i) {
    Status checked = CheckOperation(operations[i]);
    if (!checked.ok()) return checked.WithContext("operations[" + std::to_string(i) + "]");
  }
  return OkStatus();
}

Status CheckFound(const service::WriteReply& reply, bool wait) {
  if (!wait || !reply.not_found) return OkStatus();
  return NotFoundError("No point with id " + reply.not_found->ToString() + " found");
}

}  // namespace akidb::dialect
