// The version of Channel that stays in the process: calls go to a table of handlers, without serialization by a transport.
#pragma once

#include <memory>
#include <string>

#include "rpc/channel.h"
#include "rpc/service.h"

namespace headrace {

/// Calls of methods that the table lacks end with kUnimplemented.
HR_EXPORT std::shared_ptr<Channel> MakeInProcessChannel(std::shared_ptr<const ServiceTable> table,
                                                        std::string peer_name);

}  // namespace headrace
