// Channel: calls to one peer. Versions: gRPC (grpc_channel.h), in process, and one that fails on purpose (for tests).
//
// A method is named by its path, "/tensorflow.WorkerService/RunGraph"; requests and responses are bytes. What the bytes mean
// is the business of `cluster`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "os/clock.h"
#include "rpc/payload.h"
#include "sync/cancellation.h"

namespace headrace {

inline constexpr TimePoint kNoDeadline = TimePoint::max();

/// How one call is made.
struct CallOptions {
  /// kDeadlineExceeded when it passes first; the peer learns of it.
  TimePoint deadline = kNoDeadline;
  /// Waits, until the deadline, for a peer that cannot be reached, instead of failing with kUnavailable.
  bool wait_for_ready = false;
  /// Ends the call early, with the token's status. Outlives the call.
  CancellationToken* cancellation = nullptr;
};

/// Thread-safe. An error that arose on the way (not in the peer's handler) names the method, the peer and its address.
class HR_EXPORT Channel {
 public:
  using Done = std::function<void(const Status& status, Payload response)>;

  virtual ~Channel() = default;
  /// Calls `done` exactly once, on any thread, maybe before returning. `done` must not block.
  virtual void Call(const std::string& method, Payload request, const CallOptions& options, Done done) = 0;
  /// The same for a caller that has nothing else to do: it may do the transport's work itself, which saves a handoff.
  virtual Result<Payload> CallAndWait(const std::string& method, Payload request, const CallOptions& options);
  /// Who answers, for messages: "/job:ps/replica:0/task:0 at 127.0.0.1:2222".
  virtual const std::string& peer() const = 0;
};

}  // namespace headrace
