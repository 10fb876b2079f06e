// RemoteReceiver: how a task takes the tensors that other tasks send in a step.
#pragma once

#include <memory>
#include <string>

#include "session/worker.h"

namespace headrace {

/// Thread-safe.
class HR_EXPORT RemoteReceiver {
 public:
  virtual ~RemoteReceiver() = default;
  /// Takes what `src_task` sends under `key` in the step. Calls `done` once, on any thread, maybe before it returns; with an
  /// error soon after `cancellation` is cancelled.
  virtual void RecvTensor(const std::string& src_task, int64_t step_id, const std::string& key,
                          CancellationToken* cancellation, Rendezvous::Done done) = 0;
};

/// Receives by Worker::RecvTensor of the directory's workers, whatever kind they are. The directory may own who uses the receiver,
/// so it is not kept alive.
HR_EXPORT std::shared_ptr<RemoteReceiver> MakeDirectoryReceiver(std::weak_ptr<WorkerDirectory> workers);

}  // namespace headrace
