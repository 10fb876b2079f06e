#include "session/local_worker.h"

#include <atomic>

#include "os/log.h"
#include "session/registered_graph.h"
#include "session/step_table.h"
#include "session/worker_session.h"

namespace headrace {

namespace {

std::vector<DeviceAttributes> MakeDevices(const LocalWorkerOptions& options) {
  uint64_t incarnation = 0;
  while (incarnation == 0) incarnation = RandomBits();
  std::vector<DeviceAttributes> devices;
  for (int i = 0; i < options.num_devices; ++i) {
    DeviceAttributes device;
    device.name = StrCat(options.task_name, "/device:CPU:", i);
    device.device_type = kCpu;
    device.memory_limit_bytes = options.runtime->memory->limit_bytes();
    device.incarnation = incarnation;
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<std::shared_ptr<ResourceManager>> MakeResources(int num_devices) {
  std::vector<std::shared_ptr<ResourceManager>> resources;
  for (int i = 0; i < num_devices; ++i) resources.push_back(std::make_shared<ResourceManager>());
  return resources;
}

/// The fetches of one call of a partial run. Kept by the callbacks of its receives.
struct PartialCall : std::enable_shared_from_this<PartialCall> {
  std::shared_ptr<WorkerStep> step;
  CancellationToken* cancellation = nullptr;  // of the call
  uint64_t cancel_id = 0;
  bool is_last = false;
  std::vector<Tensor> fetches;
  std::function<void(const Status&, std::vector<Tensor>)> done;
  std::atomic<size_t> num_waiting{0};
  std::mutex mutex;
  Status status;  // guarded by mutex

  void Received(size_t index, const std::string& key, const Status& outcome, Tensor value, bool is_dead) {
    if (!outcome.ok() || is_dead) {
      std::lock_guard lock(mutex);
      KeepRootCause(&status,
                    outcome.ok() ? InvalidArgument("The tensor returned for ", key, " was not valid.") : outcome);
    } else {
      fetches[index] = std::move(value);
    }
    Arrived();
  }
  void Arrived() {
    if (num_waiting.fetch_sub(1) > 1) return;
    if (cancellation != nullptr) cancellation->Deregister(cancel_id);
    if (status.ok() && !is_last) return done(status, std::move(fetches));
    if (!status.ok()) step->cancellation().Cancel(status.AsDerived());
    step->WhenFinished([call = shared_from_this()](const Status& outcome) {
      Status root = outcome;
      KeepRootCause(&root, call->status);
      call->done(root, root.ok() ? std::move(call->fetches) : std::vector<Tensor>());
    });
  }
};

}  // namespace

LocalWorker::LocalWorker(LocalWorkerOptions options)
    : options_(std::move(options)),
      devices_(MakeDevices(options_)),
      resources_(MakeResources(options_.num_devices)),
      steps_(std::make_shared<StepTable>(options_.task_name, options_.receiver)) {}

LocalWorker::~LocalWorker() {
  Stop(Unavailable("Task ", task_name(), " has stopped"));
  // Iterators hold their device's state; without this the two would keep each other.
  for (const auto& resources : resources_) resources->ClearAll();
}

void LocalWorker::GetStatus(TimePoint, std::function<void(const Status&, std::vector<DeviceAttributes>)> done) {
  done(OkStatus(), devices_);
}

void LocalWorker::CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint, StatusDone done) {
  std::vector<std::string> replaced;
  Status status;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [handle, session] : sessions_) {
      if (!request.master_task.empty() && session->master_task() == request.master_task &&
          session->master_incarnation() != request.master_incarnation) {
        replaced.push_back(handle);
      }
    }
    const auto resources = request.isolate_session_state ? MakeResources(options_.num_devices) : resources_;
    auto session = std::make_shared<WorkerSession>(request, devices_, options_.runtime, resources);
    if (!sessions_.emplace(request.session_handle, std::move(session)).second) {
      status = AlreadyExists("Session ", request.session_handle, " already exists at ", task_name());
    }
  }
  for (const std::string& handle : replaced) {
    LogWarning("session", task_name(), ": dropping session ", handle, ": its master ", request.master_task,
               " has restarted");
    DeleteWorkerSession(handle, TimePoint::max(), [](const Status&) {});
  }
  done(status);
}

void LocalWorker::DeleteWorkerSession(const std::string& session_handle, TimePoint, StatusDone done) {
  std::shared_ptr<WorkerSession> session;  // ends after the lock
  {
    std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session_handle);
    if (found != sessions_.end()) {
      session = std::move(found->second);
      sessions_.erase(found);
    }
  }
  if (session != nullptr) {
    steps_->CancelSession(session_handle, Cancelled("The worker session ", session_handle, " was deleted"));
    session->ClearIsolatedState();
  }
  done(OkStatus());
}

Result<std::shared_ptr<WorkerSession>> LocalWorker::FindSession(const std::string& session_handle) const {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session_handle);
  if (found == sessions_.end()) {
    return Aborted("Session handle is not found: ", session_handle, ". Possibly this worker (\"", task_name(),
                   "\") just restarted.");
  }
  return found->second;
}

void LocalWorker::RegisterGraph(RegisterGraphRequest request, TimePoint,
                                std::function<void(const Status&, std::string graph_handle)> done) {
  const Result<std::shared_ptr<WorkerSession>> session = FindSession(request.session_handle);
  if (!session.ok()) return done(session.status(), "");
  Result<std::string> graph_handle = (*session)->Register(std::move(request.graph));
  if (!graph_handle.ok()) return done(graph_handle.status(), "");
  done(OkStatus(), *std::move(graph_handle));
}

void LocalWorker::DeregisterGraph(const std::string& session_handle, const std::string& graph_handle, StatusDone done) {
  const Result<std::shared_ptr<WorkerSession>> session = FindSession(session_handle);
  if (session.ok()) (*session)->Deregister(graph_handle);
  done(session.status());
}

Result<std::shared_ptr<RegisteredGraph>> LocalWorker::FindGraph(const std::string& session_handle,
                                                                const std::string& graph_handle) const {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<WorkerSession> session, FindSession(session_handle));
  return session->FindGraph(graph_handle);
}

void LocalWorker::RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                           std::function<void(const Status&, std::vector<Tensor> fetches)> done) {
  const Result<std::shared_ptr<RegisteredGraph>> graph = FindGraph(request.session_handle, request.graph_handle);
  if (!graph.ok()) return done(graph.status(), {});
  Result<std::shared_ptr<WorkerStep>> begun = steps_->Begin(request.step_id, request.session_handle);
  if (!begun.ok()) return done(begun.status(), {});
  const std::shared_ptr<WorkerStep> step = *std::move(begun);

  uint64_t cancel_id = 0;
  if (cancellation != nullptr) {
    cancel_id = cancellation->OnCancel([step, cancellation] { step->cancellation().Cancel(cancellation->status()); });
    if (cancel_id == 0) step->cancellation().Cancel(cancellation->status());
  }
  if (request.is_partial)
    return RunPartial(**graph, step, std::move(request), cancellation, cancel_id, std::move(done));
  (*graph)->Run(
      step, std::move(request.feeds), request.fetch_keys, std::move(request.trace),
      [step, cancellation, cancel_id, done = std::move(done)](const Status& status, std::vector<Tensor> fetches) {
        if (cancellation != nullptr) cancellation->Deregister(cancel_id);
        done(status, std::move(fetches));
      });
}

void LocalWorker::RunPartial(RegisteredGraph& graph, const std::shared_ptr<WorkerStep>& step, RunGraphRequest request,
                             CancellationToken* cancellation, uint64_t cancel_id,
                             std::function<void(const Status&, std::vector<Tensor> fetches)> done) {
  Status status;
  if (step->BeginPartial()) {
    status = graph.StartPartial(step);
    if (!status.ok()) step->FinishPartial(status);
  }
  auto call = std::make_shared<PartialCall>();
  call->step = step;
  call->cancellation = cancellation;
  call->cancel_id = cancel_id;
  call->is_last = request.is_last_partial_run;
  call->fetches.resize(request.fetch_keys.size());
  call->done = std::move(done);
  call->num_waiting = request.fetch_keys.size() + 1;
  for (NamedTensor& feed : request.feeds) {
    if (status.ok()) status = step->local().Send(feed.name, std::move(feed.tensor), false);
  }
  call->status = status;
  for (size_t i = 0; i < request.fetch_keys.size(); ++i) {
    const std::string& key = request.fetch_keys[i];
    step->local().RecvAsync(key, &step->cancellation(),
                            [call, i, key](const Status& outcome, Tensor value, bool is_dead) {
                              call->Received(i, key, outcome, std::move(value), is_dead);
                            });
  }
  call->Arrived();
}

void LocalWorker::CleanupGraph(int64_t step_id, StatusDone done) {
  steps_->Cleanup(step_id);
  done(OkStatus());
}

void LocalWorker::CleanupAll(const std::vector<std::string>& containers, TimePoint, StatusDone done) {
  for (const auto& resources : resources_) {
    if (containers.empty()) resources->ClearContainer(ResourceManager::kDefaultContainer);
    for (const std::string& container : containers) resources->ClearContainer(container);
  }
  done(OkStatus());
}

void LocalWorker::RecvTensor(int64_t step_id, const std::string& key, CancellationToken* cancellation,
                             Rendezvous::Done done) {
  const Result<RendezvousKey> parsed = RendezvousKey::Parse(key);
  if (!parsed.ok()) return done(parsed.status(), Tensor(), false);
  if (TaskOf(parsed->src_device) != task_name()) {
    return done(InvalidArgument("Task ", task_name(), " was asked for a tensor of ", parsed->src_device), Tensor(),
                false);
  }
  if (parsed->src_incarnation != incarnation()) {
    return done(Aborted("RecvTensor expects a different device incarnation: ", parsed->src_incarnation, " vs. ",
                        incarnation(), ". Your worker job (\"", task_name(),
                        "\") was probably restarted. Check your worker job for the reason."),
                Tensor(), false);
  }
  const Result<std::shared_ptr<WorkerStep>> step = steps_->BeginReceive(step_id);
  if (!step.ok()) return done(step.status(), Tensor(), false);
  (*step)->local().RecvAsync(
      key, cancellation,
      [steps = steps_, step = *step, done = std::move(done)](const Status& status, Tensor value, bool is_dead) {
        steps->EndReceive(step);
        done(status, std::move(value), is_dead);
      });
}

void LocalWorker::Stop(const Status& reason) { steps_->Stop(reason); }

}  // namespace headrace
