#include "service/caller.h"

#include <algorithm>

namespace akidb::service {
namespace {

Status Forbidden(std::string text) { return Status(ErrorCode::kPermissionDenied, std::move(text)); }

}  // namespace

Status Caller::MayManage() const {
  const auto* global = std::get_if<Global>(&access_);
  if (global == nullptr) return Forbidden("Global access is required");
  return *global == Global::kManage ? OkStatus() : Forbidden("Global manage access is required");
}

Status Caller::MayReadAll() const {
  return std::holds_alternative<Global>(access_) ? OkStatus()
                                                 : Forbidden("Global access is required");
}

Status Caller::MayUse(std::string_view collection, CollectionRight right) const {
  if (std::holds_alternative<Global>(access_)) {
    return right == CollectionRight::kRead ? OkStatus() : MayManage();
  }
  const Grants& grants = std::get<Grants>(access_);
  const auto found = std::find_if(grants.begin(), grants.end(), [&](const CollectionGrant& grant) {
    return grant.collection == collection;
  });
  const std::string name(collection);
  if (found == grants.end()) return Forbidden("Access to collection " + name + " is required");
  if (found->right >= right) return OkStatus();
  return found->right == CollectionRight::kRead
             ? Forbidden("Write access to collection " + name + " is required")
             : Forbidden("Write access to more than the points of collection " + name +
                         " is required");
}

Status Caller::MayLookUp(const QueryStage& stage) const {
  if (stage.lookup_from) {
    AKIDB_RETURN_IF_ERROR(MayUse(stage.lookup_from->collection, CollectionRight::kRead));
  }
  for (const QueryStage& prefetch : stage.prefetch) {
    AKIDB_RETURN_IF_ERROR(MayLookUp(prefetch));
  }
  return OkStatus();
}

}  // namespace akidb::service
