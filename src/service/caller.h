// What the key of a request allows, and the refusals of what it doesn't, in the dialect's words.
// A value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "types/filter.h"
#include "types/query.h"

namespace akidb::service {

// Each holds for those before it, too.
enum class CollectionRight : unsigned char {
  kRead,
  kWritePoints,
  kWrite,  // indexes and names of vectors, too
};

struct CollectionGrant {
  std::string collection;  // or an alias: access goes by the name that a request uses
  CollectionRight right = CollectionRight::kRead;
};

// A token is good as long as a point of this collection passes the filter.
struct RequiredPoint {
  std::string collection;
  std::shared_ptr<const Filter> filter;  // shared with the requests that look for it
};

class Caller {
 public:
  // May do nothing.
  Caller() = default;
  static Caller Manager() { return Caller(Global::kManage); }
  static Caller Reader() { return Caller(Global::kRead); }
  // Each collection once.
  static Caller Of(std::vector<CollectionGrant> grants) { return Caller(std::move(grants)); }

  // kPermissionDenied, each.
  Status MayManage() const;   // make and delete collections, aliases, whatever is of no collection
  Status MayReadAll() const;  // what is of no single collection
  Status MayUse(std::string_view collection, CollectionRight right) const;
  // Every collection that a stage of the query looks ids up in.
  Status MayLookUp(const QueryStage& stage) const;

  bool Sees(std::string_view collection) const {
    return MayUse(collection, CollectionRight::kRead).ok();
  }

  // Null: none is.
  const std::shared_ptr<const RequiredPoint>& required_point() const { return required_point_; }
  void Require(RequiredPoint point) {
    required_point_ = std::make_shared<const RequiredPoint>(std::move(point));
  }

 private:
  enum class Global : unsigned char { kRead, kManage };
  using Grants = std::vector<CollectionGrant>;
  explicit Caller(std::variant<Grants, Global> access) : access_(std::move(access)) {}

  std::variant<Grants, Global> access_;
  std::shared_ptr<const RequiredPoint> required_point_;  // shared: callers are copied
};

}  // namespace akidb::service
