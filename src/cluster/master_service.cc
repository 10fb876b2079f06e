#include "cluster/master_service.h"

#include <algorithm>

#include "cluster/device_attributes.h"
#include "cluster/methods.h"
#include "cluster/session_options_proto.h"
#include "cluster/session_table.h"
#include "cluster/step_service.h"
#include "cluster/task_wait.h"
#include "cluster/wire.h"
#include "graph/graph_proto.h"
#include "headrace/proto/master.pb.h"
#include "os/log.h"
#include "sync/timers.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Call = std::shared_ptr<ServerCall>;

constexpr int kNumThreads = 4;

/// Where calls that block run. Of the process, as a pool cannot end on its own threads.
ThreadPool& MasterPool() {
  static ThreadPool& pool = *MakeThreadPool("hr-master", kNumThreads).release();
  return pool;
}

constexpr seconds kLogInterval(10);
constexpr seconds kCleanupTimeout(10);
/// Tasks that were all there a moment ago are given this long to make their part of a session.
constexpr milliseconds kCreateTimeout(60'000);
/// So much earlier than the client's deadline the answer is sent that says what is missing.
constexpr milliseconds kAnswerMargin(500);

TimePoint AnswerBy(TimePoint client_deadline) {
  if (client_deadline == TimePoint::max()) return client_deadline;
  const TimePoint now = RealClock().Now();
  const Duration left = client_deadline - now;
  return now + left - std::min<Duration>(left / 5, kAnswerMargin);
}

/// Collects the outcomes of calls to several tasks.
class Gather {
 public:
  Gather(size_t count, Worker::StatusDone done) : left_(count), done_(std::move(done)) {}
  void Add(const Status& status) {
    {
      std::lock_guard lock(mutex_);
      KeepRootCause(&status_, status);
      if (--left_ > 0) return;
    }
    done_(status_);
  }

 private:
  std::mutex mutex_;
  size_t left_;  // guarded by mutex_, as is the next
  Status status_;
  const Worker::StatusDone done_;
};

class TableMasterService final : public MasterService, public std::enable_shared_from_this<TableMasterService> {
 public:
  explicit TableMasterService(const MasterServiceOptions& options)
      : options_(options), sessions_(std::make_shared<SessionTable>()) {}

  void AddTo(ServiceTable* table) override {
    Add<proto::CreateSessionRequest>(table, kMasterCreateSession, &TableMasterService::CreateSession);
    Add<proto::ExtendSessionRequest>(table, kMasterExtendSession, &TableMasterService::ExtendSession);
    Add<proto::CloseSessionRequest>(table, kMasterCloseSession, &TableMasterService::CloseSession);
    Add<proto::ListDevicesRequest>(table, kMasterListDevices, &TableMasterService::ListDevices);
    Add<proto::ResetRequest>(table, kMasterReset, &TableMasterService::Reset);
    Add<proto::CloseSessionRequest>(table, kMasterHoldSession, &TableMasterService::HoldSession);
    AddStepService(sessions_, &MasterPool(), table);
    ScheduleCollection();
  }
  void Stop(const Status& reason) override {
    sessions_->RefuseMore();
    for (const auto& session : sessions_->RemoveAll()) Close(*session, reason);
  }
  int num_sessions() const override { return sessions_->size(); }

 private:
  template <typename Request>
  void Add(ServiceTable* table, const char* method, void (TableMasterService::*handler)(const Call&, const Request&)) {
    table->Add(method,
               [self = shared_from_this(), handler](const Call& call) {
                 Request request;
                 const Status status = DecodeMessage(call->request(), &request);
                 if (!status.ok()) return call->Reply(status);
                 (self.get()->*handler)(call, request);
               },
               {.pool = &MasterPool()});
  }

  void CreateSession(const Call& call, const proto::CreateSessionRequest& request);
  void CreateOnTasks(const Call& call, const GraphDef& graph, GraphSessionOptions options);
  void ExtendSession(const Call& call, const proto::ExtendSessionRequest& request);
  void CloseSession(const Call& call, const proto::CloseSessionRequest& request);
  void ListDevices(const Call& call, const proto::ListDevicesRequest& request);
  void Reset(const Call& call, const proto::ResetRequest& request);
  void HoldSession(const Call& call, const proto::CloseSessionRequest& request);

  /// The tasks that pass the filters, and the master's own. Errors: kInvalidArgument.
  Result<std::vector<std::string>> TasksFor(const std::vector<std::string>& filters) const;
  static void Close(ServedSession& session, const Status& why);
  void ScheduleCollection();

  const MasterServiceOptions options_;
  const std::shared_ptr<SessionTable> sessions_;
};

Result<std::vector<std::string>> TableMasterService::TasksFor(const std::vector<std::string>& filters) const {
  std::vector<std::string> tasks;
  for (const std::string& task : options_.workers->TaskNames()) {
    HR_ASSIGN_OR_RETURN(const bool passes, PassesFilters(filters, task));
    if (passes || task == options_.master_task) tasks.push_back(task);
  }
  return tasks;
}

void TableMasterService::CreateSession(const Call& call, const proto::CreateSessionRequest& request) {
  GraphSessionOptions options{.workers = options_.workers,
                              .master_task = options_.master_task,
                              .master_incarnation = options_.master_incarnation,
                              .runtime = options_.runtime};
  const Status status = ApplyConfig(request.config(), &options);
  if (!status.ok()) return call->Reply(status);
  Result<GraphDef> graph = GraphFromProto(request.graph_def());
  if (!graph.ok()) return call->Reply(graph.status());
  Result<std::vector<std::string>> tasks = TasksFor(options.device_filters);
  if (!tasks.ok()) return call->Reply(tasks.status());
  options.creation_timeout_ms = kCreateTimeout.count();
  WaitForTasks({.workers = options_.workers,
                .tasks = *std::move(tasks),
                .deadline = AnswerBy(call->deadline()),
                .log_interval = kLogInterval,
                .abandoned = [call] { return call->cancellation().IsCancelled(); }},
               [self = shared_from_this(), call, graph = *std::move(graph), options](const Status& status) {
                 if (!status.ok()) return call->Reply(status);
                 MasterPool().Schedule([self, call, graph, options] { self->CreateOnTasks(call, graph, options); });
               });
}

void TableMasterService::CreateOnTasks(const Call& call, const GraphDef& graph, GraphSessionOptions options) {
  const int64_t operation_timeout_ms = options.operation_timeout_ms;
  Result<std::shared_ptr<GraphSession>> session = GraphSession::Create(graph, std::move(options));
  if (!session.ok()) return call->Reply(session.status());
  auto served = std::make_shared<ServedSession>(*session, operation_timeout_ms);
  if (call->cancellation().IsCancelled() || !sessions_->Add(served))
    return Close(*served, Cancelled("its client went away"));
  proto::CreateSessionResponse response;
  response.set_session_handle((*session)->handle());
  call->Reply(OkStatus(), EncodeMessage(response));
}

void TableMasterService::ExtendSession(const Call& call, const proto::ExtendSessionRequest& request) {
  Result<std::shared_ptr<ServedSession>> session = sessions_->Find(request.session_handle());
  if (!session.ok()) return call->Reply(session.status());
  Result<GraphDef> graph = GraphFromProto(request.graph_def());
  if (!graph.ok()) return call->Reply(graph.status());
  int64_t version = 0;
  const Status status = (*session)->Extend(*graph, request.current_graph_version(), &version);
  proto::ExtendSessionResponse response;
  response.set_new_graph_version(version);
  call->Reply(status, EncodeMessage(response));
}

void TableMasterService::Close(ServedSession& session, const Status& why) {
  const Status status = session.session->Close();
  if (!why.ok()) LogInfo("master", "closed session ", session.session->handle(), ": ", why.message());
  if (!status.ok()) LogWarning("master", "closing session ", session.session->handle(), ": ", status);
}

void TableMasterService::CloseSession(const Call& call, const proto::CloseSessionRequest& request) {
  Result<std::shared_ptr<ServedSession>> session = sessions_->Remove(request.session_handle());
  call->Reply(session.ok() ? (*session)->session->Close() : session.status());
}

void TableMasterService::ListDevices(const Call& call, const proto::ListDevicesRequest& request) {
  Result<std::shared_ptr<ServedSession>> session = sessions_->Find(request.session_handle());
  if (!session.ok()) return call->Reply(InvalidArgument("ListDevices: ", session.status().message()));
  proto::ListDevicesResponse response;
  for (const DeviceAttributes& device : (*session)->session->ListDevices())
    ToProto(device, response.add_local_device());
  call->Reply(OkStatus(), EncodeMessage(response));
}

/// Ends every session of this master, whoever made it, and drops the containers' state: so it is with TensorFlow.
void TableMasterService::Reset(const Call& call, const proto::ResetRequest& request) {
  Result<std::vector<std::string>> tasks = TasksFor({request.device_filters().begin(), request.device_filters().end()});
  if (!tasks.ok()) return call->Reply(tasks.status());
  for (const auto& session : sessions_->RemoveAll()) Close(*session, Cancelled("a client reset the cluster"));
  const std::vector<std::string> containers(request.container().begin(), request.container().end());
  const TimePoint deadline = std::min(call->deadline(), RealClock().Now() + kCleanupTimeout);
  auto gather = std::make_shared<Gather>(tasks->size(), [call](const Status& status) { call->Reply(status); });
  for (const std::string& task : *tasks) {
    const Result<std::shared_ptr<Worker>> worker = options_.workers->Find(task);
    if (!worker.ok()) {
      gather->Add(worker.status());
      continue;
    }
    (*worker)->CleanupAll(containers, deadline, [gather](const Status& status) { gather->Add(status); });
  }
}

/// A client holds this call as long as it lives: its end says that the client is gone. Meanwhile the session counts as used.
void TableMasterService::HoldSession(const Call& call, const proto::CloseSessionRequest& request) {
  Result<std::shared_ptr<ServedSession>> held = sessions_->Find(request.session_handle());
  if (!held.ok()) return call->Reply(held.status());
  // The token holds the call through its callback, and the callback holds the call: until the call ends, as it will.
  const auto end = [weak = weak_from_this(), call, held = *held] {
    call->Reply(call->cancellation().status());
    const auto self = weak.lock();
    if (self == nullptr || call->cancellation().status().code() == Code::kUnavailable) return;
    MasterPool().Schedule([self, held] {
      Result<std::shared_ptr<ServedSession>> session = self->sessions_->Remove(held->session->handle());
      if (session.ok()) Close(**session, Cancelled("its client went away"));
    });
  };
  if (call->cancellation().OnCancel(end) == 0) end();  // the client has gone already
}

void TableMasterService::ScheduleCollection() {
  const Duration interval = std::clamp<Duration>(options_.idle_session_limit / 10, milliseconds(10), seconds(60));
  SharedTimers().At(RealClock().Now() + interval, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    MasterPool().Schedule([self] {
      for (const auto& session : self->sessions_->RemoveIdle(RealClock().Now() - self->options_.idle_session_limit)) {
        Close(*session, Cancelled("no client used it for long"));
      }
    });
    self->ScheduleCollection();
  });
}

}  // namespace

std::shared_ptr<MasterService> MakeMasterService(const MasterServiceOptions& options) {
  return std::make_shared<TableMasterService>(options);
}

}  // namespace headrace
