// MasterService: a task's sessions as clients use them, on TensorFlow's wire.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "kernel/runtime.h"
#include "rpc/service.h"
#include "session/graph_session.h"

namespace headrace {

struct MasterServiceOptions {
  std::shared_ptr<WorkerDirectory> workers;
  std::string master_task;
  uint64_t master_incarnation = 0;
  std::shared_ptr<Runtime> runtime;
  /// A session that no call has used for so long is closed: nobody tells when a client of TensorFlow dies. A client of
  /// Headrace holds a call, and its sessions end soon after it.
  Duration idle_session_limit = std::chrono::hours(12);
};

/// Thread-safe.
class MasterService {
 public:
  virtual ~MasterService() = default;
  /// Adds the 10 methods, and HoldSession of our own. The table keeps the service alive.
  virtual void AddTo(ServiceTable* table) = 0;
  /// Closes all sessions, and refuses new ones with `reason`. Blocks.
  virtual void Stop(const Status& reason) = 0;
  virtual int num_sessions() const = 0;
};

std::shared_ptr<MasterService> MakeMasterService(const MasterServiceOptions& options);

}  // namespace headrace
