#include "service/service.h"

namespace akidb::service {

Service::Service(engine::Database& database, embedding::Embedder& embedder)
    : database_(database), embedder_(embedder) {}

std::vector<std::string> Service::ListCollections() const { return database_.ListCollections(); }

bool Service::CollectionExists(std::string_view name) const {
  return database_.CollectionExists(name);
}

Status Service::CreateCollection(const std::string& name, const CollectionConfig& config) {
  return database_.CreateCollection(name, config);
}

Result<bool> Service::DeleteCollection(const std::string& name) {
  return database_.DeleteCollection(name);
}

Result<CollectionInfo> Service::GetCollection(std::string_view name) {
  // Pinned for this call: the collection may be deleted meanwhile.
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> collection,
                         database_.FindCollection(name));
  return CollectionInfo{collection->stats(), collection->config()};
}

}  // namespace akidb::service
