// The service akidb.v1.AkidbService: what the dialect lacks (docs/api/akidb_v1.md).
#pragma once

#include <memory>

#include <grpcpp/impl/service_type.h>

#include "api/grpc/akidb_ingest_stream.h"
#include "api/grpc/call.h"

namespace akidb::rpc {

// Both outlive the service.
std::unique_ptr<grpc::Service> MakeAkidbService(const CallEnvironment& environment,
                                                IngestStreams& streams);

}  // namespace akidb::rpc
