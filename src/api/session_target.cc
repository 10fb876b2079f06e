// See session_target.h.
#include "api/session_target.h"

#include <utility>

#include "cluster/remote_session.h"
#include "session/local_worker.h"

namespace headrace::api {
namespace {

constexpr char kLocalTask[] = "/job:localhost/replica:0/task:0";

// The cluster of a session without cluster: one task in this process, whose state is the session's own.
class OneTask final : public WorkerDirectory {
 public:
  explicit OneTask(std::shared_ptr<LocalWorker> worker) : worker_(std::move(worker)) {}

  std::vector<std::string> TaskNames() const override { return {worker_->task_name()}; }
  Result<std::shared_ptr<Worker>> Find(const std::string& task_name) override {
    if (task_name == worker_->task_name()) return std::shared_ptr<Worker>(worker_);
    return NotFound("There is no task ", task_name, ": the session has ", worker_->task_name(), " only");
  }
  std::string AddressOf(const std::string&) const override { return "in process"; }

 private:
  const std::shared_ptr<LocalWorker> worker_;
};

GraphSessionOptions CommonOptions(const SessionOptions& options) {
  GraphSessionOptions common;
  common.runtime = Runtime::Default();
  common.device_filters = options.device_filters;
  common.allow_soft_placement = options.allow_soft_placement;
  common.log_device_placement = options.log_device_placement;
  common.creation_timeout_ms = static_cast<int64_t>(options.open_timeout_seconds * 1000);
  return common;
}

Result<std::shared_ptr<GraphSession>> OpenLocal(const GraphDef& graph, const SessionOptions& options) {
  GraphSessionOptions session = CommonOptions(options);
  LocalWorkerOptions worker_options;
  worker_options.task_name = kLocalTask;
  worker_options.runtime = session.runtime;
  auto worker = std::make_shared<LocalWorker>(std::move(worker_options));
  session.master_task = kLocalTask;
  session.master_incarnation = worker->incarnation();
  session.workers = std::make_shared<OneTask>(std::move(worker));
  return GraphSession::Create(graph, std::move(session));
}

}  // namespace

Result<std::shared_ptr<GraphSession>> OpenTarget(const std::string& target, const GraphDef& graph,
                                                 const SessionOptions& options) {
  if (target.empty()) return OpenLocal(graph, options);
  return OpenSession(target, graph, CommonOptions(options));
}

}  // namespace headrace::api
