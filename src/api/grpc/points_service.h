// The service Points: each method a decoder, a call of service, an encoder.
#pragma once

#include <memory>

#include <grpcpp/grpcpp.h>

#include "api/grpc/call.h"

namespace akidb::rpc {

// `environment` outlives it.
std::unique_ptr<grpc::Service> MakePointsService(const CallEnvironment& environment);

}  // namespace akidb::rpc
