// The version of Channel that fails on purpose, for tests: it loses requests before they reach the peer, loses replies of
// calls that the peer did handle (the two cases that break naive repetition), and delivers late.
#pragma once

#include <cstdint>
#include <memory>

#include "rpc/channel.h"

namespace headrace {

/// Chances between 0 and 1 for each call, drawn from `seed`: the same calls in the same order meet the same faults.
struct FaultyChannelOptions {
  uint64_t seed = 1;
  double lose_request = 0;
  double lose_reply = 0;
  double delay_request = 0;
  Duration delay = Duration(0);
};

/// A loss is reported as kUnavailable, as a broken connection is.
HR_EXPORT std::shared_ptr<Channel> MakeFaultyChannel(std::shared_ptr<Channel> channel,
                                                     const FaultyChannelOptions& options);

}  // namespace headrace
