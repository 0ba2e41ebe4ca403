// The services Collections and Qdrant: each method a decoder, a call of service, an encoder.
#pragma once

#include <memory>

#include <grpcpp/grpcpp.h>

#include "api/grpc/call.h"

namespace akidb::rpc {

// `environment` outlives them.
std::unique_ptr<grpc::Service> MakeCollectionsService(const CallEnvironment& environment);
std::unique_ptr<grpc::Service> MakeHealthCheckService(const CallEnvironment& environment);

}  // namespace akidb::rpc
