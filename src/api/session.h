// Session: runs a graph, in this process or on a cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/output.h"

namespace headrace::api {

struct SessionOptions {
  /// Writes one table of all operations and their devices, to the log of the task that places them.
  bool log_device_placement = false;
  /// An operation may go to another device of its task where the device asked for does not exist.
  bool allow_soft_placement = false;
  /// How long Open waits for all tasks of the cluster. When it ends, the error names who is missing, its address and
  /// the last error.
  double open_timeout_seconds = 30;
  /// Tasks that take part, as device names ("/job:ps", "/job:worker/task:1"); empty: all. The target's task always
  /// does.
  std::vector<std::string> device_filters = {};
};

/// A tensor in place of what the graph computes.
struct Feed {
  Output output;
  Tensor value;
};

struct RunOptions {
  std::vector<Feed> feeds = {};
  std::vector<Operation> targets = {};  // to run besides what is fetched
  int64_t timeout_ms = 0;               // 0: none; afterwards DEADLINE_EXCEEDED
  /// Where it is set, the step is traced, and this becomes its RunMetadata in wire form: for SummaryWriter and timelines.
  std::string* run_metadata = nullptr;
};

/// Movable; closed when it goes. Run may be called from several threads at once, as long as no thread builds the graph
/// meanwhile.
class HR_EXPORT Session {
 public:
  /// `target`: "" runs in this process, on its own device; "grpc://host:port" on the cluster that the server there
  /// belongs to (without the network where it is in this process). The graph may grow afterwards; the next Run sends
  /// what is new.
  /// Errors: the graph's first mistake, with the place of the call; INVALID_ARGUMENT for an operation that cannot be
  /// placed; DEADLINE_EXCEEDED as above.
  static Result<Session> Open(const std::string& target, const Scope& scope, const SessionOptions& options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Runs until all is done. Errors: what an operation reports, with its name; OUT_OF_RANGE when an iterator is at its
  /// end; UNAVAILABLE or ABORTED when a task is lost.
  Status Run(const Operation& target, const RunOptions& options = {});
  Status Run(const std::vector<Operation>& targets, const RunOptions& options = {});
  /// The same, and returns the values.
  Result<Tensor> Run(const Output& fetch, const RunOptions& options = {});
  Result<std::vector<Tensor>> Run(const std::vector<Output>& fetches, const RunOptions& options = {});
  /// The same by names: tensors "name:0", operations "name".
  Result<std::vector<Tensor>> RunByName(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                        const std::vector<std::string>& fetches,
                                        const std::vector<std::string>& targets, int64_t timeout_ms = 0);

  /// Ends it; running steps are cancelled. Later calls fail with FAILED_PRECONDITION. State on the devices stays.
  Status Close();

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Drops the state (variables, iterators, ...) of all tasks behind `target`, in the named containers; none: the default
/// one.
HR_EXPORT Status ResetTarget(const std::string& target, const std::vector<std::string>& containers = {});

}  // namespace headrace::api
