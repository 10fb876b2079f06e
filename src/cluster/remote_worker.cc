#include "cluster/remote_worker.h"

#include <google/protobuf/io/coded_stream.h>

#include <chrono>
#include <map>

#include "cluster/device_attributes.h"
#include "cluster/methods.h"
#include "cluster/request_ids.h"
#include "cluster/wire.h"
#include "graph/graph_proto.h"
#include "headrace/proto/worker.pb.h"
#include "passes/partition.h"

namespace headrace {
namespace {

using google::protobuf::io::CodedInputStream;

constexpr int kSendField = 3, kRecvField = 1, kTensorField = 1;

class RemoteWorker final : public Worker {
 public:
  RemoteWorker(std::string task_name, std::shared_ptr<Channel> channel)
      : task_name_(std::move(task_name)), channel_(std::move(channel)) {}

  const std::string& task_name() const override { return task_name_; }

  void GetStatus(TimePoint deadline, std::function<void(const Status&, std::vector<DeviceAttributes>)> done) override;
  void CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint deadline, StatusDone done) override;
  void DeleteWorkerSession(const std::string& session_handle, TimePoint deadline, StatusDone done) override;
  void RegisterGraph(RegisterGraphRequest request, TimePoint deadline,
                     std::function<void(const Status&, std::string graph_handle)> done) override;
  void DeregisterGraph(const std::string& session_handle, const std::string& graph_handle, StatusDone done) override;
  void RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                std::function<void(const Status&, std::vector<Tensor> fetches)> done) override;
  void CleanupGraph(int64_t step_id, StatusDone done) override;
  void CleanupAll(const std::vector<std::string>& containers, TimePoint deadline, StatusDone done) override;
  void RecvTensor(int64_t step_id, const std::string& key, CancellationToken* cancellation,
                  Rendezvous::Done done) override;

 private:
  /// Calls a method whose response is empty.
  void CallForStatus(const char* method, const google::protobuf::MessageLite& request, const CallOptions& options,
                     StatusDone done) {
    channel_->Call(method, EncodeMessage(request), options,
                   [done = std::move(done)](const Status& status, const Payload&) { done(status); });
  }

  const std::string task_name_;
  const std::shared_ptr<Channel> channel_;
};

/// An answer that nobody needs is not waited for longer than this.
constexpr std::chrono::seconds kCleanupTimeout(10);

void RemoteWorker::GetStatus(TimePoint deadline,
                             std::function<void(const Status&, std::vector<DeviceAttributes>)> done) {
  channel_->Call(kWorkerGetStatus, Payload(), {.deadline = deadline, .wait_for_ready = true},
                 [done = std::move(done)](Status status, const Payload& payload) {
                   proto::GetStatusResponse response;
                   if (status.ok()) status = DecodeMessage(payload, &response);
                   std::vector<DeviceAttributes> devices;
                   for (const auto& device : response.device_attributes()) devices.push_back(FromProto(device));
                   done(status, std::move(devices));
                 });
}

void RemoteWorker::CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint deadline, StatusDone done) {
  proto::CreateWorkerSessionRequest message;
  message.set_session_handle(request.session_handle);
  message.set_isolate_session_state(request.isolate_session_state);
  message.set_master_task(request.master_task);
  message.set_master_incarnation(static_cast<int64_t>(request.master_incarnation));
  CallForStatus(kWorkerCreateWorkerSession, message, {.deadline = deadline}, std::move(done));
}

void RemoteWorker::DeleteWorkerSession(const std::string& session_handle, TimePoint deadline, StatusDone done) {
  proto::DeleteWorkerSessionRequest message;
  message.set_session_handle(session_handle);
  CallForStatus(kWorkerDeleteWorkerSession, message, {.deadline = deadline}, std::move(done));
}

void RemoteWorker::RegisterGraph(RegisterGraphRequest request, TimePoint deadline,
                                 std::function<void(const Status&, std::string graph_handle)> done) {
  proto::RegisterGraphRequest message;
  message.set_session_handle(request.session_handle);
  message.set_create_worker_session_called(true);
  const Status written = GraphToProto(ExportPartition(*request.graph), message.mutable_graph_def());
  if (!written.ok()) return done(written, "");
  channel_->Call(kWorkerRegisterGraph, EncodeMessage(message), {.deadline = deadline},
                 [done = std::move(done)](Status status, const Payload& payload) {
                   proto::RegisterGraphResponse response;
                   if (status.ok()) status = DecodeMessage(payload, &response);
                   done(status, response.graph_handle());
                 });
}

void RemoteWorker::DeregisterGraph(const std::string& session_handle, const std::string& graph_handle,
                                   StatusDone done) {
  proto::DeregisterGraphRequest message;
  message.set_session_handle(session_handle);
  message.set_graph_handle(graph_handle);
  message.set_create_worker_session_called(true);
  CallForStatus(kWorkerDeregisterGraph, message, {.deadline = RealClock().Now() + kCleanupTimeout}, std::move(done));
}

/// Hands on what the worker told beside the fetches.
void ReadTrace(proto::RunGraphResponse* response, StepTrace* trace) {
  proto::RunMetadata metadata;
  metadata.mutable_step_stats()->Swap(response->mutable_step_stats());
  metadata.mutable_partition_graphs()->Swap(response->mutable_partition_graph());
  trace->Add(metadata.SerializeAsString());
}

/// Reads the fetches in the order of `keys`, and into `trace`, where it is not null, what the worker tells beside them.
Status DecodeFetches(const Payload& payload, const std::vector<std::string>& keys, StepTrace* trace,
                     std::vector<Tensor>* fetches) {
  std::map<std::string, Tensor> received;
  proto::RunGraphResponse response;
  HR_RETURN_IF_ERROR(DecodeAround(payload, &response, kRecvField, [&received](CodedInputStream* input) {
    std::string name;
    Tensor tensor;
    HR_RETURN_IF_ERROR(ReadNamedTensor(input, &name, &tensor));
    received[std::move(name)] = std::move(tensor);
    return OkStatus();
  }));
  const int code = response.status_code();
  if (code != 0)
    return Status(code > 0 && code <= 16 ? static_cast<Code>(code) : Code::kUnknown, response.status_error_message());
  for (const std::string& key : keys) {
    const auto found = received.find(key);
    if (found == received.end()) return Internal("RunGraph: the response lacks the fetch '", key, "'");
    fetches->push_back(std::move(found->second));
  }
  if (trace != nullptr) ReadTrace(&response, trace);
  return OkStatus();
}

void RemoteWorker::RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                            std::function<void(const Status&, std::vector<Tensor> fetches)> done) {
  proto::RunGraphRequest message;
  message.set_session_handle(request.session_handle);
  message.set_graph_handle(request.graph_handle);
  message.set_step_id(request.step_id);
  proto::ExecutorOpts* options = message.mutable_exec_opts();
  if (request.trace != nullptr) {
    options->set_record_timeline(request.trace->wishes().step_stats);
    options->set_record_partition_graphs(request.trace->wishes().partition_graphs);
  }
  for (const std::string& key : request.fetch_keys) message.add_recv_key(key);
  message.set_is_partial(request.is_partial);
  message.set_is_last_partial_run(request.is_last_partial_run);
  message.set_create_worker_session_called(true);
  message.set_request_id(RequestIds::New());
  WireWriter writer;
  writer.AddFields(message);
  for (const NamedTensor& feed : request.feeds) writer.AddNamedTensor(kSendField, feed.name, feed.tensor);
  Result<Payload> payload = writer.Finish();
  if (!payload.ok()) return done(payload.status(), {});
  channel_->Call(kWorkerRunGraph, *std::move(payload), {.cancellation = cancellation},
                 [keys = std::move(request.fetch_keys), trace = std::move(request.trace), done = std::move(done)](
                     Status status, const Payload& response) {
                   std::vector<Tensor> fetches;
                   if (status.ok()) status = DecodeFetches(response, keys, trace.get(), &fetches);
                   done(status, std::move(fetches));
                 });
}

void RemoteWorker::CleanupGraph(int64_t step_id, StatusDone done) {
  proto::CleanupGraphRequest message;
  message.set_step_id(step_id);
  CallForStatus(kWorkerCleanupGraph, message, {.deadline = RealClock().Now() + kCleanupTimeout}, std::move(done));
}

void RemoteWorker::CleanupAll(const std::vector<std::string>& containers, TimePoint deadline, StatusDone done) {
  proto::CleanupAllRequest message;
  for (const std::string& container : containers) message.add_container(container);
  CallForStatus(kWorkerCleanupAll, message, {.deadline = deadline}, std::move(done));
}

Status DecodeReceived(const Payload& payload, Tensor* value, bool* is_dead) {
  proto::RecvTensorResponse response;
  HR_RETURN_IF_ERROR(DecodeAround(payload, &response, kTensorField,
                                  [value](CodedInputStream* input) { return ReadTensor(input, value); }));
  *is_dead = response.is_dead();
  if (!value->valid() && !*is_dead) return Internal("RecvTensor: the response has no tensor");
  return OkStatus();
}

void RemoteWorker::RecvTensor(int64_t step_id, const std::string& key, CancellationToken* cancellation,
                              Rendezvous::Done done) {
  proto::RecvTensorRequest message;
  message.set_step_id(step_id);
  message.set_rendezvous_key(key);
  message.set_request_id(RequestIds::New());
  channel_->Call(kWorkerRecvTensor, EncodeMessage(message), {.cancellation = cancellation},
                 [done = std::move(done)](Status status, const Payload& response) {
                   Tensor value;
                   bool is_dead = false;
                   if (status.ok()) status = DecodeReceived(response, &value, &is_dead);
                   done(status, std::move(value), is_dead);
                 });
}

}  // namespace

std::shared_ptr<Worker> MakeRemoteWorker(std::string task_name, std::shared_ptr<Channel> channel) {
  return std::make_shared<RemoteWorker>(std::move(task_name), std::move(channel));
}

}  // namespace headrace
