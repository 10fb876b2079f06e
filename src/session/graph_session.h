// GraphSession: the master's side of a session. It places a graph on the tasks of a cluster, cuts it for each combination of
// feeds, fetches and targets, and runs steps over the workers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/node_def.h"
#include "kernel/runtime.h"
#include "session/worker.h"

namespace headrace {

struct HR_EXPORT GraphSessionOptions {
  std::shared_ptr<WorkerDirectory> workers;
  std::string master_task;  // the task that this session runs in: its CPU:0 is where feeds enter and fetches leave
  uint64_t master_incarnation = 0;
  std::shared_ptr<Runtime> runtime;

  /// Only tasks that match one of these are used, and the master's own; none means all.
  std::vector<std::string> device_filters;
  bool allow_soft_placement = false;
  bool log_device_placement = false;
  bool isolate_session_state = false;
  /// How long Create waits for the tasks. Zero: for ever; the missing ones are then named in the log every 10 s.
  int64_t creation_timeout_ms = 30'000;
  /// For runs that set no timeout of their own. Zero: none.
  int64_t operation_timeout_ms = 0;
};

struct HR_EXPORT RunOptions {
  int64_t timeout_ms = 0;  // zero: the session's
  /// Where the step tells what it did; null where nobody asks. Not in a callable's options: a trace is one step's.
  std::shared_ptr<StepTrace> trace;
};

/// Feeds, fetches and targets that are run many times.
struct HR_EXPORT CallableSpec {
  std::vector<std::string> feeds;
  std::vector<std::string> fetches;
  std::vector<std::string> targets;
  RunOptions options;
};

/// Thread-safe: steps run at the same time, and while others are prepared. The calls that are not async block, so they do not
/// belong on a compute thread.
class HR_EXPORT GraphSession {
 public:
  /// Called once, on any thread, maybe before the call returns.
  using RunDone = std::function<void(const Status&, std::vector<Tensor> fetches)>;

  /// Waits for the tasks, checks and places the whole graph.
  /// Errors: kDeadlineExceeded, naming who is missing, its address and the last error; those of ImportGraphDef and Place.
  static Result<std::shared_ptr<GraphSession>> Create(const GraphDef& graph, GraphSessionOptions options);
  /// Closes the session.
  virtual ~GraphSession() = default;

  virtual const std::string& handle() const = 0;
  /// Of all tasks that the session uses, by name.
  virtual std::vector<DeviceAttributes> ListDevices() const = 0;

  /// Adds the nodes of `graph`. Errors: kInvalidArgument for a node that is there already; as Create. On error nothing is added.
  virtual Status Extend(const GraphDef& graph) = 0;

  /// Runs one step. Feeds and fetches are "name:k" or "name", targets are node names.
  /// Errors: kNotFound for an unknown name; kInvalidArgument for a tensor fed twice or both fed and fetched, or when nothing is
  /// asked for; kDeadlineExceeded; kCancelled by `cancellation` or by Close; kFailedPrecondition after Close; what kernels report.
  virtual Result<std::vector<Tensor>> Run(const std::vector<NamedTensor>& feeds,
                                          const std::vector<std::string>& fetches,
                                          const std::vector<std::string>& targets, const RunOptions& options = {},
                                          CancellationToken* cancellation = nullptr) = 0;
  /// The same for a caller that does not wait for the step; the timeout is the caller's to keep. A combination that was not run
  /// before is prepared before the call returns, and that may take long. `cancellation` stays until `done`.
  virtual void RunAsync(std::vector<NamedTensor> feeds, const std::vector<std::string>& fetches,
                        const std::vector<std::string>& targets, CancellationToken* cancellation, RunDone done,
                        std::shared_ptr<StepTrace> trace = nullptr) = 0;

  /// Prepares a combination once; the fetches of RunCallable are in its order, as are the feeds.
  virtual Result<int64_t> MakeCallable(const CallableSpec& spec) = 0;
  virtual Result<std::vector<Tensor>> RunCallable(int64_t callable, std::span<const Tensor> feeds,
                                                  CancellationToken* cancellation = nullptr) = 0;
  virtual void RunCallableAsync(int64_t callable, std::vector<Tensor> feeds, CancellationToken* cancellation,
                                RunDone done) = 0;
  virtual Status ReleaseCallable(int64_t callable) = 0;

  /// Declares all feeds and fetches of a step that is to run in several calls. Returns its handle.
  virtual Result<std::string> PartialRunSetup(const std::vector<std::string>& feeds,
                                              const std::vector<std::string>& fetches,
                                              const std::vector<std::string>& targets) = 0;
  /// Adds feeds that were declared, and returns fetches that they allow. The step ends when all is used, or with an error.
  /// Errors: kInvalidArgument for names that were not declared or were used before, or fetches that need more feeds.
  virtual Result<std::vector<Tensor>> PartialRun(const std::string& partial_run, const std::vector<NamedTensor>& feeds,
                                                 const std::vector<std::string>& fetches,
                                                 CancellationToken* cancellation = nullptr) = 0;

  /// Cancels the steps that run, waits for them and for what they left at the workers, and ends the session there. Later calls do
  /// nothing. Not from within a step's callback.
  virtual Status Close() = 0;
};

}  // namespace headrace
