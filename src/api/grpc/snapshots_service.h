// The service Snapshots: those of a collection, and of the whole storage.
#pragma once

#include <memory>

#include <grpcpp/grpcpp.h>

#include "api/grpc/call.h"

namespace akidb::rpc {

// `environment` outlives it.
std::unique_ptr<grpc::Service> MakeSnapshotsService(const CallEnvironment& environment);

}  // namespace akidb::rpc
