#include "rpc/grpc_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/async_unary_call.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "os/log.h"
#include "rpc/grpc_bytes.h"
#include "rpc/grpc_log.h"
#include "rpc/grpc_loop.h"
#include "sync/notification.h"

namespace headrace {
namespace {

/// Handlers that do not block run where their call arrives, steps among them: as many at a time as there are cores.
int NumThreads() { return std::clamp(ComputePool().num_threads(), 2, 32); }

/// A client gives up at its own deadline; here, where the time left is counted from the call's arrival, that seems early.
constexpr std::chrono::milliseconds kDeadlineSlack(50);

/// gRPC's idea of the table: unary methods, answered through a completion queue, whose messages are bytes.
class ByteService final : public grpc::Service {
 public:
  explicit ByteService(const ServiceTable& table) {
    for (const auto& [path, entry] : table.entries()) {
      AddMethod(new grpc::internal::RpcServiceMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
      MarkMethodAsync(num_methods_++);
    }
  }
  void Request(int method, grpc::ServerContext* context, grpc::ByteBuffer* request,
               grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>* responder, grpc::ServerCompletionQueue* queue,
               void* tag) {
    RequestAsyncUnary(method, context, request, responder, queue, queue, tag);
  }

 private:
  int num_methods_ = 0;
};

class GrpcCall;

/// What calls share with their server; it outlives them.
class CallRegistry : public std::enable_shared_from_this<CallRegistry> {
 public:
  CallRegistry(std::shared_ptr<const ServiceTable> table, grpc::ServerCompletionQueue* queue)
      : service(*table), queue(queue), table_(std::move(table)) {}

  /// Waits for the next call of a method, unless the server stops.
  void Post(int method, const ServiceTable::Entry* entry);
  /// False when the server stops: then the call is to be refused.
  bool Add(GrpcCall* call);
  void Remove(GrpcCall* call);
  /// Waits for the next call of a method that the table has not, unless the server stops.
  void PostUnknown();
  /// Refuses calls from now on, and ends those that run.
  void Stop(const Status& reason);

  ByteService service;
  grpc::AsyncGenericService unknown;
  grpc::ServerCompletionQueue* const queue;

 private:
  bool IsStopped();

  const std::shared_ptr<const ServiceTable> table_;
  std::mutex mutex_;
  std::unordered_set<GrpcCall*> running_;
  Status stopped_;  // not OK once stopped
};

/// One call, from waiting for it to its reply. References are held by: its arrival, the notice of its end, its handler, its
/// reply, and Stop.
class GrpcCall final : public ServerCall {
 public:
  GrpcCall(std::shared_ptr<CallRegistry> registry, int method, const ServiceTable::Entry* entry)
      : registry_(std::move(registry)), method_(method), entry_(entry) {
    Ref();  // the arrival's reference is the first one, the notice's the second
    context_.AsyncNotifyWhenDone(Tag(ended_));
    registry_->service.Request(method_, &context_, &bytes_, &responder_, registry_->queue, Tag(arrived_));
  }

  const Payload& request() const override { return request_; }
  CancellationToken& cancellation() override { return cancellation_; }
  TimePoint deadline() const override { return FromTimespec(context_.raw_deadline()); }
  std::string client() const override { return context_.peer(); }

  using ServerCall::Reply;
  void Reply(const Status& status, Payload response) override {
    if (replied_.exchange(true)) return;
    registry_->Remove(this);
    Ref();
    if (status.ok()) {
      responder_.Finish(ToByteBuffer(response), grpc::Status::OK, Tag(sent_));
    } else {
      responder_.FinishWithError(ToGrpcStatus(status), Tag(sent_));
    }
  }

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  /// Hands an event of the queue to one of the call's methods.
  template <void (GrpcCall::*kMethod)(bool)> class Event final : public GrpcEvent {
   public:
    explicit Event(GrpcCall* call) : call_(call) {}
    void Run(bool ok) override { (call_->*kMethod)(ok); }

   private:
    GrpcCall* const call_;
  };

  static void* Tag(GrpcEvent& event) { return &event; }

  void OnArrived(bool ok) {
    if (!ok) {  // the server ends; the notice will not come
      Unref();
      return Unref();
    }
    registry_->Post(method_, entry_);
    Ref();
    std::shared_ptr<ServerCall> handle(this, [](GrpcCall* call) { call->DropHandle(); });
    Result<Payload> request = ToPayload(bytes_);
    if (!registry_->Add(this)) {
      Reply(Unavailable("the server is stopping"));
    } else if (!request.ok()) {
      Reply(request.status());
    } else {
      request_ = *std::move(request);
      ServiceTable::Dispatch(*entry_, std::move(handle));
    }
    Unref();
  }
  void OnEnded(bool) {
    if (context_.IsCancelled()) {
      const bool late = deadline() <= RealClock().Now() + kDeadlineSlack;
      cancellation_.Cancel(late ? DeadlineExceeded("the call's deadline passed")
                                : Cancelled("the client cancelled the call or went away"));
    }
    Unref();
  }
  void OnSent(bool) { Unref(); }
  void DropHandle() {
    Reply(cancellation_.IsCancelled() ? cancellation_.status() : Internal("the call was dropped without a reply"));
    Unref();
  }

  const std::shared_ptr<CallRegistry> registry_;
  const int method_;
  const ServiceTable::Entry* const entry_;
  grpc::ServerContext context_;
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_{&context_};
  Event<&GrpcCall::OnArrived> arrived_{this};
  Event<&GrpcCall::OnEnded> ended_{this};
  Event<&GrpcCall::OnSent> sent_{this};
  Payload request_;
  CancellationToken cancellation_;
  std::atomic<bool> replied_{false};
  std::atomic<int> references_{1};
};

/// A call of a method that the table has not: refused. gRPC would do that by itself, but its object for it (up to 1.51 at least) is
/// seen by other threads before it is made, and then an event without a tag comes out of the queue.
class UnknownCall final : public GrpcEvent {
 public:
  explicit UnknownCall(std::shared_ptr<CallRegistry> registry) : registry_(std::move(registry)) {
    grpc::ServerCompletionQueue* const queue = registry_->queue;
    registry_->unknown.RequestCall(&context_, &stream_, queue, queue, static_cast<GrpcEvent*>(this));
  }
  void Run(bool ok) override {
    if (std::exchange(arrived_, true) || !ok) {  // it is refused, or the server ends
      delete this;
      return;
    }
    registry_->PostUnknown();
    const grpc::Status refusal(grpc::StatusCode::UNIMPLEMENTED, StrCat(context_.method(), ": no such method"));
    stream_.Finish(refusal, static_cast<GrpcEvent*>(this));
  }

 private:
  const std::shared_ptr<CallRegistry> registry_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  bool arrived_ = false;
};

void CallRegistry::Post(int method, const ServiceTable::Entry* entry) {
  if (!IsStopped()) new GrpcCall(shared_from_this(), method, entry);  // ends itself
}

void CallRegistry::PostUnknown() {
  if (!IsStopped()) new UnknownCall(shared_from_this());  // ends itself
}

bool CallRegistry::IsStopped() {
  std::lock_guard lock(mutex_);
  return !stopped_.ok();
}

void CallRegistry::Remove(GrpcCall* call) {
  std::lock_guard lock(mutex_);
  running_.erase(call);
}

bool CallRegistry::Add(GrpcCall* call) {
  std::lock_guard lock(mutex_);
  if (!stopped_.ok()) return false;
  running_.insert(call);
  return true;
}

void CallRegistry::Stop(const Status& reason) {
  std::vector<GrpcCall*> running;
  {
    std::lock_guard lock(mutex_);
    stopped_ = reason;
    running.assign(running_.begin(), running_.end());
    for (GrpcCall* call : running) call->Ref();
  }
  // Handlers first: some put the reason into a response of their own.
  for (GrpcCall* call : running) call->cancellation().Cancel(reason);
  for (GrpcCall* call : running) {
    call->Reply(reason);
    call->Unref();
  }
}

class GrpcServer final : public RpcServer {
 public:
  GrpcServer(std::unique_ptr<grpc::Server> server, std::shared_ptr<CallRegistry> registry,
             std::shared_ptr<GrpcLoop> loop, int port)
      : server_(std::move(server)), registry_(std::move(registry)), loop_(std::move(loop)), port_(port) {}
  ~GrpcServer() override { Stop(Unavailable("the server was destroyed"), Duration(0)); }

  int port() const override { return port_; }
  void Stop(const Status& reason, Duration grace) override;

 private:
  std::shared_ptr<grpc::Server> server_;
  const std::shared_ptr<CallRegistry> registry_;
  std::shared_ptr<GrpcLoop> loop_;
  const int port_;
};

void GrpcServer::Stop(const Status& reason, Duration grace) {
  if (server_ == nullptr) return;
  registry_->Stop(reason);
  // gRPC waits for every call's object, so a handler that never ends would hold it up. It goes on waiting elsewhere then.
  auto ended = std::make_shared<Notification>();
  const TimePoint deadline = RealClock().Now() + grace;
  BlockingPool().Schedule(
      [server = std::move(server_), registry = registry_, loop = std::move(loop_), deadline, ended]() mutable {
        server->Shutdown(ToTimespec(deadline));
        loop.reset();
        server.reset();
        ended->Notify();
      });
  server_ = nullptr;
  loop_ = nullptr;
  constexpr std::chrono::milliseconds kForCutting(500);
  if (!ended->WaitUntil(deadline + kForCutting)) LogWarning("rpc", "port ", port_, ": a call is still in its handler");
}

void Configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
  builder.SetMaxSendMessageSize(std::numeric_limits<int>::max());
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may ask often whether a silent peer still lives.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
}

}  // namespace

Result<std::unique_ptr<RpcServer>> StartGrpcServer(const GrpcServerOptions& options,
                                                   const std::shared_ptr<const ServiceTable>& table) {
  grpc::ServerBuilder builder;
  Configure(builder);
  int port = 0;
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  auto registry = std::make_shared<CallRegistry>(table, queue.get());
  builder.RegisterService(&registry->service);
  builder.RegisterAsyncGenericService(&registry->unknown);
  const GrpcLogCapture log;
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  auto loop = std::make_shared<GrpcLoop>(std::move(queue), NumThreads());
  if (server == nullptr || port == 0) {
    const std::string reason = log.SystemError();
    return Unavailable("rpc: cannot listen on ", options.address, ": ",
                       reason.empty() ? "not an address of this machine" : reason);
  }
  registry->PostUnknown();
  int method = 0;
  for (const auto& [path, entry] : table->entries()) {
    for (int i = 0; i < entry.options.preposted; ++i) registry->Post(method, &entry);
    ++method;
  }
  return std::unique_ptr<RpcServer>(std::make_unique<GrpcServer>(std::move(server), registry, std::move(loop), port));
}

}  // namespace headrace
