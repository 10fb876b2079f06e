// The gRPC version of RpcServer: HTTP/2 without encryption, on the address that it is given and no other.
#pragma once

#include <memory>
#include <string>

#include "rpc/service.h"

namespace headrace {

struct GrpcServerOptions {
  std::string address;  // "host:port"; port 0 takes a free one
};

/// Serves `table`. Messages of up to 2 GiB - 1, compressed or not. An address in use by another
/// server is an error, one that an ended process held is free at once.
/// Errors: kUnavailable when the address cannot be bound.
HR_EXPORT Result<std::unique_ptr<RpcServer>> StartGrpcServer(const GrpcServerOptions& options,
                                                             const std::shared_ptr<const ServiceTable>& table);

}  // namespace headrace
