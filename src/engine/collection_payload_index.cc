// Which fields of the payloads are indexed: a part of the configuration in the manifest, changed by
// publishing one that is the same but for it.
#include "engine/collection_checks.h"
#include "engine/collection_impl.h"
#include "engine/view_reader.h"

namespace akidb::engine {

Result<WriteResult> CollectionImpl::PutPayloadIndex(const RequestContext& context,
                                                    const std::string& field,
                                                    const PayloadFieldIndex& index) {
  AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, ParsePath(field, "field_name"));
  return ChangePayloadIndexes(context,
                              [&](const PayloadIndexSchema& present, PayloadFieldIndexes& fields) {
                                if (std::optional<std::string> name = present.NameOf(path))
                                  fields.erase(*name);
                                fields[field] = index;
                              });
}

Result<WriteResult> CollectionImpl::DropPayloadIndex(const RequestContext& context,
                                                     const std::string& field) {
  AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, ParsePath(field, "field_name"));
  return ChangePayloadIndexes(context,
                              [&](const PayloadIndexSchema& present, PayloadFieldIndexes& fields) {
                                if (std::optional<std::string> name = present.NameOf(path))
                                  fields.erase(*name);
                              });
}

Result<WriteResult> CollectionImpl::ChangePayloadIndexes(
    const RequestContext& context,
    const std::function<void(const PayloadIndexSchema&, PayloadFieldIndexes&)>& change) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  MutexLock publishing(publish_mutex_);
  storage::Manifest next;
  std::shared_ptr<const PayloadIndexSchema> present;
  WriteResult result;
  {
    MutexLock lock(write_mutex_);
    AKIDB_RETURN_IF_ERROR(CheckWritable());
    next = manifest_;
    present = payload_schema_;
    result.seq = visible_seq_;
  }
  change(*present, next.config.payload_indexes);
  if (next.config.payload_indexes == present->fields()) return result;
  AKIDB_ASSIGN_OR_RETURN(auto wanted, PayloadIndexSchema::Make(next.config.payload_indexes));
  AKIDB_RETURN_IF_ERROR(PublishManifest(std::move(next)));
  MutexLock lock(write_mutex_);
  payload_schema_ = std::move(wanted);
  readers_schema_ = payload_schema_;
  ScheduleMerge();
  return result;
}

Result<PayloadIndexInfos> CollectionImpl::PayloadIndexes(const RequestContext& context) const {
  std::shared_ptr<const PayloadIndexSchema> schema;
  {
    MutexLock lock(write_mutex_);
    schema = payload_schema_;
  }
  PayloadIndexInfos infos;
  if (schema->fields().empty()) return infos;
  const std::shared_ptr<const View> view = PinView();
  for (const PayloadIndexSpec& spec : schema->specs()) {
    // The sources whose rows can be counted without reading payloads from the disk.
    View counted;
    for (const auto& source : view->sources) {
      const PayloadIndexSection* section = source->payload_indexes();
      if (section == nullptr || FindIndex(*section, spec) != nullptr) {
        counted.sources.push_back(source);
      }
    }
    Filter filled;
    filled.must_not.push_back(IsEmptyCondition{spec.path});
    PayloadIndexInfo& info = infos[spec.path.text()];
    info.index = schema->fields().at(spec.path.text());
    AKIDB_ASSIGN_OR_RETURN(info.points, ViewReader(counted, schema_, context).Count(&filled));
  }
  return infos;
}

}  // namespace akidb::engine
