#include "cluster/server.h"

#include <map>
#include <mutex>
#include <vector>

#include "cluster/cluster_workers.h"
#include "cluster/master_service.h"
#include "cluster/worker_service.h"
#include "os/log.h"
#include "rpc/address.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "session/local_worker.h"
#include "session/remote_receiver.h"
#include "sync/notification.h"

namespace headrace {
namespace {

constexpr std::chrono::seconds kGrace(1);
constexpr std::chrono::seconds kForSessions(2);

class GrpcTaskServer;

/// The running servers of this process, by target.
struct RunningServers {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<GrpcTaskServer>> by_target;  // guarded by mutex

  static RunningServers& Get() {
    static auto* servers = new RunningServers;
    return *servers;
  }
};

class GrpcTaskServer final : public Server {
 public:
  explicit GrpcTaskServer(ServerOptions options)
      : options_(std::move(options)), task_name_(TaskName(options_.job, options_.task)) {}
  ~GrpcTaskServer() override { Stop(); }

  /// Separate from the constructor, as it can fail.
  Status Begin();

  const std::string& target() const override { return target_; }
  const std::string& task_name() const override { return task_name_; }
  const std::string& job() const override { return options_.job; }
  int task() const override { return options_.task; }
  const std::string& address() const override { return address_; }
  Result<std::shared_ptr<GraphSession>> OpenSession(const GraphDef& graph, GraphSessionOptions options) override;
  void Stop() override;
  void Join() override { stopped_.Wait(); }

 private:
  Status CheckAddress(const std::string& bind_address) const;

  const ServerOptions options_;
  const std::string task_name_;
  std::string address_;
  std::string target_;
  std::shared_ptr<LocalWorker> worker_;
  std::shared_ptr<ClusterWorkers> workers_;
  std::shared_ptr<MasterService> master_;
  std::shared_ptr<ServiceTable> table_;
  std::mutex mutex_;
  std::unique_ptr<RpcServer> rpc_;                          // guarded by mutex_, as is the next; null once stopped
  std::vector<std::weak_ptr<GraphSession>> open_sessions_;  // those without the wire
  Notification stopped_;
};

Status GrpcTaskServer::CheckAddress(const std::string& bind_address) const {
  HR_ASSIGN_OR_RETURN(const HostPort parsed, HostPort::Parse(bind_address));
  const Status resolved = ResolveHost(parsed.host);
  if (!resolved.ok()) return Unavailable(task_name_, ": ", resolved.message());
  if (options_.insecure || IsLoopback(parsed.host)) return OkStatus();
  return FailedPrecondition(
      task_name_, ": ", bind_address,
      " is not on the loopback, and the traffic is neither encrypted nor "
      "authenticated: any host that reaches the port can run any graph. Ask for that with --insecure "
      "(ServerOptions::insecure) where the network is closed");
}

Status GrpcTaskServer::Begin() {
  HR_ASSIGN_OR_RETURN(address_, options_.cluster.AddressOf(options_.job, options_.task));
  const std::string bind_address = options_.bind_address.empty() ? address_ : options_.bind_address;
  HR_RETURN_IF_ERROR(CheckAddress(bind_address));
  target_ = StrCat("grpc://", address_);
  const std::shared_ptr<Runtime> runtime = options_.runtime ? options_.runtime : Runtime::Default();
  workers_ =
      std::make_shared<ClusterWorkers>(options_.cluster, [](const std::string& address, const std::string& task_name) {
        return MakeGrpcChannel({.address = address, .peer_name = task_name});
      });
  worker_ = std::make_shared<LocalWorker>(
      LocalWorkerOptions{.task_name = task_name_, .runtime = runtime, .receiver = MakeDirectoryReceiver(workers_)});
  workers_->SetLocal(worker_);
  master_ = MakeMasterService({.workers = workers_,
                               .master_task = task_name_,
                               .master_incarnation = worker_->incarnation(),
                               .runtime = runtime});
  table_ = std::make_shared<ServiceTable>();
  AddWorkerService(worker_, table_.get());
  master_->AddTo(table_.get());
  HR_ASSIGN_OR_RETURN(rpc_, StartGrpcServer({.address = bind_address}, table_));
  return OkStatus();
}

Result<std::shared_ptr<GraphSession>> GrpcTaskServer::OpenSession(const GraphDef& graph, GraphSessionOptions options) {
  {
    std::lock_guard lock(mutex_);
    if (rpc_ == nullptr) return Unavailable(task_name_, " has stopped");
  }
  options.workers = workers_;
  options.master_task = task_name_;
  options.master_incarnation = worker_->incarnation();
  options.runtime = options_.runtime ? options_.runtime : Runtime::Default();
  HR_ASSIGN_OR_RETURN(std::shared_ptr<GraphSession> session, GraphSession::Create(graph, std::move(options)));
  std::lock_guard lock(mutex_);
  std::erase_if(open_sessions_, [](const auto& open) { return open.expired(); });
  open_sessions_.push_back(session);
  return session;
}

void GrpcTaskServer::Stop() {
  std::unique_ptr<RpcServer> rpc;
  std::vector<std::weak_ptr<GraphSession>> open_sessions;
  {
    std::lock_guard lock(mutex_);
    rpc = std::move(rpc_);
    open_sessions = std::move(open_sessions_);
  }
  if (rpc == nullptr) return;
  {
    std::lock_guard lock(RunningServers::Get().mutex);
    RunningServers::Get().by_target.erase(target_);
  }
  const Status reason = Unavailable(task_name_, " at ", address_, " is shutting down");
  rpc->Stop(reason, kGrace);
  worker_->Stop(reason);
  // Closing asks the other tasks, which may be gone too: that is not waited for without end.
  auto closed = std::make_shared<Notification>();
  BlockingPool().Schedule([master = master_, open_sessions, reason, closed] {
    for (const auto& open : open_sessions) {
      if (const auto session = open.lock()) (void)session->Close();
    }
    master->Stop(reason);
    closed->Notify();
  });
  if (!closed->WaitUntil(RealClock().Now() + kForSessions))
    LogWarning("server", task_name_, ": a session does not end");
  stopped_.Notify();
}

}  // namespace

Result<std::shared_ptr<Server>> Server::Start(ServerOptions options) {
  auto server = std::make_shared<GrpcTaskServer>(std::move(options));
  HR_RETURN_IF_ERROR(server->Begin());
  RunningServers& running = RunningServers::Get();
  std::lock_guard lock(running.mutex);
  running.by_target[server->target()] = server;
  return std::shared_ptr<Server>(std::move(server));
}

std::shared_ptr<Server> Server::FindInProcess(const std::string& target) {
  RunningServers& running = RunningServers::Get();
  std::lock_guard lock(running.mutex);
  const auto found = running.by_target.find(target);
  return found == running.by_target.end() ? nullptr : found->second.lock();
}

}  // namespace headrace
