#include "cluster/worker_service.h"

#include <google/protobuf/io/coded_stream.h>

#include "cluster/device_attributes.h"
#include "cluster/methods.h"
#include "cluster/request_ids.h"
#include "cluster/wire.h"
#include "graph/graph_proto.h"
#include "graph/import.h"
#include "headrace/proto/worker.pb.h"

namespace headrace {
namespace {

using google::protobuf::io::CodedInputStream;
using Call = std::shared_ptr<ServerCall>;

constexpr size_t kRememberedRequests = 100'000;  // as TensorFlow
constexpr int kSendField = 3, kRecvField = 1, kTensorField = 1, kIsDeadField = 2, kSendStartField = 3;

/// The handlers. One object serves all calls; it lives as long as the table.
class WorkerService : public std::enable_shared_from_this<WorkerService> {
 public:
  explicit WorkerService(std::shared_ptr<Worker> worker) : worker_(std::move(worker)) {}

  void AddTo(ServiceTable* table) {
    Add<proto::GetStatusRequest>(table, kWorkerGetStatus, &WorkerService::GetStatus);
    Add<proto::CreateWorkerSessionRequest>(table, kWorkerCreateWorkerSession, &WorkerService::CreateWorkerSession);
    Add<proto::DeleteWorkerSessionRequest>(table, kWorkerDeleteWorkerSession, &WorkerService::DeleteWorkerSession);
    Add<proto::RegisterGraphRequest>(table, kWorkerRegisterGraph, &WorkerService::RegisterGraph,
                                     {.pool = &ComputePool()});
    Add<proto::DeregisterGraphRequest>(table, kWorkerDeregisterGraph, &WorkerService::DeregisterGraph);
    Add<proto::CleanupGraphRequest>(table, kWorkerCleanupGraph, &WorkerService::CleanupGraph, {.preposted = 16});
    Add<proto::CleanupAllRequest>(table, kWorkerCleanupAll, &WorkerService::CleanupAll);
    Add<proto::RecvTensorRequest>(table, kWorkerRecvTensor, &WorkerService::RecvTensor, {.preposted = 32});
    table->Add(kWorkerRunGraph, [self = shared_from_this()](Call call) { self->RunGraph(std::move(call)); },
               {.preposted = 16});
    for (const char* method : {kWorkerMarkRecvFinished, kWorkerLogging}) {  // an empty response is the right one
      table->Add(method, [](Call call) { call->Reply(OkStatus()); });
    }
    for (const char* method :
         {kWorkerTracing, kWorkerRecvBuf, kWorkerCompleteGroup, kWorkerCompleteInstance, kWorkerGetStepSequence}) {
      table->Add(method, [method](Call call) { call->Reply(Unimplemented(method, " is not offered")); });
    }
  }

 private:
  template <typename Request>
  void Add(ServiceTable* table, const char* method, void (WorkerService::*handler)(Call, const Request&),
           HandlerOptions options = {}) {
    table->Add(
        method,
        [self = shared_from_this(), handler](Call call) {
          Request request;
          const Status status = DecodeMessage(call->request(), &request);
          if (!status.ok()) return call->Reply(status);
          (self.get()->*handler)(std::move(call), request);
        },
        options);
  }

  static Worker::StatusDone ReplyEmpty(Call call) {
    return [call = std::move(call)](const Status& status) { call->Reply(status); };
  }

  void GetStatus(Call call, const proto::GetStatusRequest&);
  void CreateWorkerSession(Call call, const proto::CreateWorkerSessionRequest& request);
  void DeleteWorkerSession(Call call, const proto::DeleteWorkerSessionRequest& request) {
    worker_->DeleteWorkerSession(request.session_handle(), call->deadline(), ReplyEmpty(call));
  }
  void RegisterGraph(Call call, const proto::RegisterGraphRequest& request);
  void DeregisterGraph(Call call, const proto::DeregisterGraphRequest& request) {
    worker_->DeregisterGraph(request.session_handle(), request.graph_handle(), ReplyEmpty(call));
  }
  void RunGraph(Call call);
  void CleanupGraph(Call call, const proto::CleanupGraphRequest& request) {
    worker_->CleanupGraph(request.step_id(), ReplyEmpty(call));
  }
  void CleanupAll(Call call, const proto::CleanupAllRequest& request) {
    worker_->CleanupAll({request.container().begin(), request.container().end()}, call->deadline(), ReplyEmpty(call));
  }
  void RecvTensor(Call call, const proto::RecvTensorRequest& request);

  const std::shared_ptr<Worker> worker_;
  RequestIds request_ids_{kRememberedRequests};
};

void WorkerService::GetStatus(Call call, const proto::GetStatusRequest&) {
  worker_->GetStatus(call->deadline(), [call](const Status& status, const std::vector<DeviceAttributes>& devices) {
    proto::GetStatusResponse response;
    for (const DeviceAttributes& device : devices) ToProto(device, response.add_device_attributes());
    call->Reply(status, EncodeMessage(response));
  });
}

void WorkerService::CreateWorkerSession(Call call, const proto::CreateWorkerSessionRequest& request) {
  if (request.server_def().cluster().job_size() > 0) {
    return call->Reply(Unimplemented(
        "CreateWorkerSession: a cluster other than the server's own (ClusterSpec propagation) is not offered"));
  }
  worker_->CreateWorkerSession({.session_handle = request.session_handle(),
                                .isolate_session_state = request.isolate_session_state(),
                                .master_task = request.master_task(),
                                .master_incarnation = static_cast<uint64_t>(request.master_incarnation())},
                               call->deadline(), ReplyEmpty(call));
}

/// A partition as it came: what the master assigned stands where a program's wishes would.
Result<std::shared_ptr<const Graph>> ImportPartition(const proto::GraphDef& message) {
  HR_ASSIGN_OR_RETURN(const GraphDef def, GraphFromProto(message));
  auto graph = std::make_shared<Graph>();
  HR_RETURN_IF_ERROR(ImportGraphDef(def, graph.get()));
  for (Node* node : graph->Nodes()) node->set_assigned_device(node->requested_device());
  return std::shared_ptr<const Graph>(std::move(graph));
}

void WorkerService::RegisterGraph(Call call, const proto::RegisterGraphRequest& request) {
  Result<std::shared_ptr<const Graph>> graph = ImportPartition(request.graph_def());
  if (!graph.ok()) return call->Reply(graph.status());
  worker_->RegisterGraph({.session_handle = request.session_handle(), .graph = *std::move(graph)}, call->deadline(),
                         [call](const Status& status, const std::string& handle) {
                           proto::RegisterGraphResponse response;
                           response.set_graph_handle(handle);
                           call->Reply(status, EncodeMessage(response));
                         });
}

void ReplyInBody(ServerCall* call, const Status& status) {
  proto::RunGraphResponse response;
  response.set_status_code(static_cast<int>(status.code()));
  response.set_status_error_message(status.message());
  call->Reply(OkStatus(), EncodeMessage(response));
}

std::shared_ptr<StepTrace> TraceFor(const proto::ExecutorOpts& options) {
  if (!options.record_timeline() && !options.record_partition_graphs()) return nullptr;
  return std::make_shared<StepTrace>(
      StepTraceWishes{.step_stats = options.record_timeline(), .partition_graphs = options.record_partition_graphs()});
}

/// Adds to the response what the step told beside its fetches.
void WriteTrace(const StepTrace& trace, WireWriter* writer) {
  proto::RunMetadata metadata;
  if (!metadata.ParseFromString(trace.run_metadata())) return;
  proto::RunGraphResponse response;
  response.mutable_step_stats()->Swap(metadata.mutable_step_stats());
  response.mutable_partition_graph()->Swap(metadata.mutable_partition_graphs());
  writer->AddFields(response);
}

void WorkerService::RunGraph(Call call) {
  proto::RunGraphRequest message;
  RunGraphRequest request;
  Status status = DecodeAround(call->request(), &message, kSendField, [&request](CodedInputStream* input) {
    NamedTensor& feed = request.feeds.emplace_back();
    return ReadNamedTensor(input, &feed.name, &feed.tensor);
  });
  if (status.ok()) status = request_ids_.Add(message.request_id(), "RunGraph");
  if (!status.ok()) return call->Reply(status);
  request.session_handle = message.session_handle();
  request.graph_handle = message.graph_handle();
  request.step_id = message.step_id();
  request.fetch_keys.assign(message.recv_key().begin(), message.recv_key().end());
  request.is_partial = message.is_partial();
  request.is_last_partial_run = message.is_last_partial_run();
  const std::shared_ptr<StepTrace> trace = request.trace = TraceFor(message.exec_opts());
  CancellationToken* cancellation = &call->cancellation();
  worker_->RunGraph(
      std::move(request), cancellation,
      [call, trace, keys = std::vector<std::string>(message.recv_key().begin(), message.recv_key().end()),
       in_body = message.store_errors_in_response_body()](const Status& status, const std::vector<Tensor>& fetches) {
        if (!status.ok()) return in_body ? ReplyInBody(call.get(), status) : call->Reply(status);
        WireWriter writer;
        for (size_t i = 0; i < fetches.size(); ++i) writer.AddNamedTensor(kRecvField, keys[i], fetches[i]);
        if (trace != nullptr) WriteTrace(*trace, &writer);
        Result<Payload> response = writer.Finish();
        call->Reply(response.status(), response.ok() ? *std::move(response) : Payload());
      });
}

void WorkerService::RecvTensor(Call call, const proto::RecvTensorRequest& request) {
  const Status status = request_ids_.Add(request.request_id(), "RecvTensor");
  if (!status.ok()) return call->Reply(status);
  CancellationToken* cancellation = &call->cancellation();
  worker_->RecvTensor(request.step_id(), request.rendezvous_key(), cancellation,
                      [call](const Status& status, const Tensor& value, bool is_dead) {
                        if (!status.ok()) return call->Reply(status);
                        WireWriter writer;
                        if (is_dead) writer.AddInt64(kIsDeadField, 1);
                        writer.AddInt64(kSendStartField, RealClock().WallMicros());
                        writer.AddTensor(kTensorField, value);
                        Result<Payload> response = writer.Finish();
                        call->Reply(response.status(), response.ok() ? *std::move(response) : Payload());
                      });
}

}  // namespace

void AddWorkerService(std::shared_ptr<Worker> worker, ServiceTable* table) {
  std::make_shared<WorkerService>(std::move(worker))->AddTo(table);
}

}  // namespace headrace
