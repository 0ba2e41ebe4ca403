#include <utility>

#include "engine/collection_impl.h"

namespace akidb::engine {
namespace {

// Of records that wait for the disk with their group: a fraction of what the log lets wait.
constexpr uint64_t kWaitingBytesMax = uint64_t{32} << 20;

}  // namespace

class CollectionImpl::Group final : public WriteGroup {
 public:
  explicit Group(CollectionImpl& collection)
      : collection_(collection), committed_bytes_(collection.LoggedBytes()) {}
  ~Group() override { static_cast<void>(Commit()); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  Result<WriteResult> Upsert(const RequestContext& context, std::vector<Point> points) override {
    return Note(collection_.LogUpsert(context, std::move(points)));
  }
  Result<WriteResult> Delete(const RequestContext& context, std::span<const PointId> ids) override {
    return Note(collection_.LogDelete(context, ids));
  }
  Result<WriteResult> DeleteByFilter(const RequestContext& context, const Filter& filter) override {
    return Note(collection_.LogDeleteByFilter(context, filter));
  }
  Result<EditResult> ChangePayloads(const RequestContext& context, const PointSelector& selector,
                                    const PayloadChange& change) override {
    return Note(collection_.LogPayloadChange(context, selector, change));
  }
  Result<WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> points,
                                  const UpsertCondition& condition) override {
    AKIDB_ASSIGN_OR_RETURN(const EditResult edited,
                           Note(collection_.LogUpsertWhere(context, std::move(points), condition)));
    return edited.write;
  }
  Result<EditResult> UpdateVectors(const RequestContext& context, std::vector<Point> points,
                                   const Filter* filter) override {
    return Note(collection_.LogVectorsUpdate(context, std::move(points), filter));
  }
  Result<EditResult> DeleteVectors(const RequestContext& context, const PointSelector& selector,
                                   std::span<const std::string> names) override {
    return Note(collection_.LogVectorsRemoval(context, selector, names));
  }

  Status Commit() override {
    if (seq_ == 0) return OkStatus();
    return collection_.Commit(std::exchange(seq_, 0)).status();
  }

 private:
  Result<WriteResult> Note(Result<uint64_t> logged) {
    if (!logged.ok()) return logged.status();
    seq_ = *logged;
    const uint64_t bytes = collection_.LoggedBytes();
    if (bytes - committed_bytes_ > kWaitingBytesMax) {
      AKIDB_RETURN_IF_ERROR(Commit());
      committed_bytes_ = bytes;
    }
    return WriteResult{*logged, collection_.config_.durability == Durability::kSync};
  }
  Result<EditResult> Note(Result<EditResult> logged) {
    if (!logged.ok()) return logged;
    AKIDB_ASSIGN_OR_RETURN(logged->write, Note(logged->write.seq));
    return logged;
  }

  CollectionImpl& collection_;
  uint64_t committed_bytes_;  // that the collection had logged when this began or was committed
  uint64_t seq_ = 0;          // of the last write that waits; 0: none does
};

std::unique_ptr<WriteGroup> CollectionImpl::BeginWrites() { return std::make_unique<Group>(*this); }

}  // namespace akidb::engine
