// The gRPC version of Channel: HTTP/2 without encryption, as TensorFlow speaks it.
#pragma once

#include <memory>
#include <string>

#include "rpc/channel.h"

namespace headrace {

struct GrpcChannelOptions {
  std::string address;    // "host:port"
  std::string peer_name;  // for messages, "/job:ps/replica:0/task:0"; may be empty
};

/// Connects at the first call and again whenever needed, at least once a second while calls wait. Messages of up to 2 GiB - 1.
HR_EXPORT std::shared_ptr<Channel> MakeGrpcChannel(const GrpcChannelOptions& options);

}  // namespace headrace
