// Rendezvous: where the two ends of an edge between devices meet, in one step.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sync/cancellation.h"
#include "tensor/tensor.h"

namespace headrace {

/// "src_device;incarnation;dst_device;edge_name;frame:iteration": five parts, the incarnation as 16 lower-case hex digits.
struct HR_EXPORT RendezvousKey {
  std::string src_device;
  uint64_t src_incarnation = 0;
  std::string dst_device;
  std::string edge_name;
  uint64_t frame_id = 0;
  int64_t iteration = 0;

  static Result<RendezvousKey> Parse(std::string_view text);
  std::string ToString() const;
};

/// Thread-safe. One for each step; keys are in the text form.
class HR_EXPORT Rendezvous {
 public:
  using Done = std::function<void(const Status& status, Tensor value, bool is_dead)>;

  virtual ~Rendezvous() = default;
  /// Never blocks. Errors: the abort's status; kAborted for a key sent twice.
  virtual Status Send(const std::string& key, Tensor value, bool is_dead) = 0;
  /// Calls `done` once, on the sender's or the caller's thread: with the value, the abort's status, or kCancelled.
  virtual void RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) = 0;
  /// Fails all that waits and all that comes. `status` must not be OK.
  virtual void StartAbort(const Status& status) = 0;
};

/// A rendezvous inside one process.
HR_EXPORT std::shared_ptr<Rendezvous> MakeLocalRendezvous();

}  // namespace headrace
