#include "api/grpc/collections_service.h"

#include <utility>
#include <vector>

#include <qdrant.pb.h>

#include "api/dialect/collection_json.h"
#include "api/grpc/config_message_json.h"
#include "api/grpc/messages.h"
#include "api/grpc/method_table.h"

namespace akidb::rpc {
namespace {

using qdrant::CollectionOperationResponse;

Status GetCollection(const Call& call, const qdrant::GetCollectionInfoRequest&,
                     qdrant::GetCollectionInfoResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const service::CollectionInfo info,
                         call.service.GetCollection(call.context, call.collection));
  EncodeInfo(info, *reply.mutable_result());
  return OkStatus();
}

Status ListCollections(const Call& call, const qdrant::ListCollectionsRequest&,
                       qdrant::ListCollectionsResponse& reply) {
  for (const std::string& name : call.service.ListCollections()) {
    if (call.caller.Sees(name)) reply.add_collections()->set_name(name);
  }
  return OkStatus();
}

Status DoCreateCollection(const Call& call, const qdrant::CreateCollection& request,
                          CollectionOperationResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const std::string body, BodyOf(request));
  AKIDB_ASSIGN_OR_RETURN(const CollectionConfig config, dialect::DecodeCreateCollection(body));
  AKIDB_RETURN_IF_ERROR(call.service.CreateCollection(call.collection, config));
  reply.set_result(true);
  return OkStatus();
}

Status DoUpdateCollection(const Call& call, const qdrant::UpdateCollection& request,
                          CollectionOperationResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const std::string body, BodyOf(request));
  AKIDB_ASSIGN_OR_RETURN(const service::OptionsChange change,
                         dialect::DecodeChangeCollection(body));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeCollection(call.context, call.collection, change));
  reply.set_result(true);
  return OkStatus();
}

Status DoDeleteCollection(const Call& call, const qdrant::DeleteCollection&,
                          CollectionOperationResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const bool existed, call.service.DeleteCollection(call.collection));
  reply.set_result(existed);
  return OkStatus();
}

Status DoCollectionExists(const Call& call, const qdrant::CollectionExistsRequest&,
                          qdrant::CollectionExistsResponse& reply) {
  reply.mutable_result()->set_exists(call.service.CollectionExists(call.collection));
  return OkStatus();
}

Result<service::AliasChange> DecodeAliasChange(const qdrant::AliasOperations& message) {
  switch (message.action_case()) {
    case qdrant::AliasOperations::kCreateAlias:
      return service::AliasChange(service::CreateAlias{message.create_alias().collection_name(),
                                                       message.create_alias().alias_name()});
    case qdrant::AliasOperations::kRenameAlias:
      return service::AliasChange(service::RenameAlias{message.rename_alias().old_alias_name(),
                                                       message.rename_alias().new_alias_name()});
    case qdrant::AliasOperations::kDeleteAlias:
      return service::AliasChange(service::DeleteAlias{message.delete_alias().alias_name()});
    case qdrant::AliasOperations::ACTION_NOT_SET:
      break;
  }
  return MalformedError("actions: expected one action");
}

Status DoChangeAliases(const Call& call, const qdrant::ChangeAliases& request,
                       CollectionOperationResponse& reply) {
  std::vector<service::AliasChange> changes;
  for (const qdrant::AliasOperations& message : request.actions()) {
    AKIDB_ASSIGN_OR_RETURN(service::AliasChange change, DecodeAliasChange(message));
    changes.push_back(std::move(change));
  }
  AKIDB_RETURN_IF_ERROR(call.service.ChangeAliases(changes));
  reply.set_result(true);
  return OkStatus();
}

void EncodeAliases(const Call& call, const std::vector<service::Alias>& aliases,
                   qdrant::ListAliasesResponse& reply) {
  for (const service::Alias& alias : aliases) {
    if (!call.caller.Sees(alias.collection)) continue;
    qdrant::AliasDescription& message = *reply.add_aliases();
    message.set_alias_name(alias.name);
    message.set_collection_name(alias.collection);
  }
}

Status DoListAliases(const Call& call, const qdrant::ListAliasesRequest&,
                     qdrant::ListAliasesResponse& reply) {
  EncodeAliases(call, call.service.Aliases(), reply);
  return OkStatus();
}

Status DoListCollectionAliases(const Call& call, const qdrant::ListCollectionAliasesRequest&,
                               qdrant::ListAliasesResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<service::Alias> aliases,
                         call.service.AliasesOf(call.collection));
  EncodeAliases(call, aliases, reply);
  return OkStatus();
}

// One shard, here.
Status GetClusterInfo(const Call& call, const qdrant::CollectionClusterInfoRequest&,
                      qdrant::CollectionClusterInfoResponse& reply) {
  AKIDB_ASSIGN_OR_RETURN(const service::CollectionInfo info,
                         call.service.GetCollection(call.context, call.collection));
  reply.set_shard_count(1);
  qdrant::LocalShardInfo& shard = *reply.add_local_shards();
  shard.set_points_count(info.stats.points);
  shard.set_state(qdrant::Active);
  return OkStatus();
}

// What clusters do.
template <typename Request, typename Response>
Status RefuseStandalone(const Call&, const Request&, Response&) {
  return UnsupportedError("AkiDB is running in standalone mode");
}

}  // namespace

std::unique_ptr<grpc::Service> MakeCollectionsService(const CallEnvironment& environment) {
  auto table = std::make_unique<MethodTable>(environment);
  table->Add("/qdrant.Collections/Get", Right::kRead, GetCollection);
  table->Add("/qdrant.Collections/List", Right::kAny, ListCollections);
  table->Add("/qdrant.Collections/Create", Right::kManage, DoCreateCollection);
  table->Add("/qdrant.Collections/Update", Right::kManage, DoUpdateCollection);
  table->Add("/qdrant.Collections/Delete", Right::kManage, DoDeleteCollection);
  table->Add("/qdrant.Collections/UpdateAliases", Right::kManage, DoChangeAliases);
  table->Add("/qdrant.Collections/ListCollectionAliases", Right::kRead, DoListCollectionAliases);
  table->Add("/qdrant.Collections/ListAliases", Right::kAny, DoListAliases);
  table->Add("/qdrant.Collections/CollectionClusterInfo", Right::kRead, GetClusterInfo);
  table->Add("/qdrant.Collections/CollectionExists", Right::kRead, DoCollectionExists);
  table->Add("/qdrant.Collections/UpdateCollectionClusterSetup", Right::kManage,
             RefuseStandalone<qdrant::UpdateCollectionClusterSetupRequest,
                              qdrant::UpdateCollectionClusterSetupResponse>);
  table->Add("/qdrant.Collections/CreateShardKey", Right::kManage,
             RefuseStandalone<qdrant::CreateShardKeyRequest, qdrant::CreateShardKeyResponse>);
  table->Add("/qdrant.Collections/DeleteShardKey", Right::kManage,
             RefuseStandalone<qdrant::DeleteShardKeyRequest, qdrant::DeleteShardKeyResponse>);
  table->Add("/qdrant.Collections/ListShardKeys", Right::kRead,
             RefuseStandalone<qdrant::ListShardKeysRequest, qdrant::ListShardKeysResponse>);
  return table;
}

std::unique_ptr<grpc::Service> MakeHealthCheckService(const CallEnvironment& environment) {
  auto table = std::make_unique<MethodTable>(environment);
  // Open to everybody, as GET / is, and tells no more than that. Nothing that strangers send is
  // parsed: of 32 MB of unknown fields 1.8 GB would become.
  table->AddUnary("/qdrant.Qdrant/HealthCheck",
                  [&environment](grpc::CallbackServerContext* server, const grpc::ByteBuffer*,
                                 grpc::ByteBuffer* answer) {
                    qdrant::HealthCheckReply reply;
                    reply.set_title(environment.title);
                    reply.set_version(environment.version);
                    reply.set_commit(environment.commit);
                    return MethodTable::End(*server, SerializeMessage(reply, *answer));
                  });
  return table;
}

}  // namespace akidb::rpc
