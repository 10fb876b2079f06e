#include "cluster/remote_session.h"

#include <google/protobuf/io/coded_stream.h>

#include <chrono>
#include <map>
#include <mutex>

#include "cluster/device_attributes.h"
#include "cluster/methods.h"
#include "cluster/request_ids.h"
#include "cluster/server.h"
#include "cluster/session_options_proto.h"
#include "cluster/wire.h"
#include "graph/graph_proto.h"
#include "headrace/proto/master.pb.h"
#include "rpc/address.h"
#include "rpc/grpc_channel.h"

namespace headrace {
namespace {

using google::protobuf::MessageLite;
using google::protobuf::io::CodedInputStream;
using std::chrono::milliseconds;

constexpr int kFeedField = 2, kTensorField = 1, kCallableFeedField = 3, kCallableFetchField = 1;
constexpr milliseconds kControlTimeout(60'000);
constexpr milliseconds kCloseTimeout(15'000);

TimePoint DeadlineAfter(int64_t timeout_ms) {
  return timeout_ms > 0 ? RealClock().Now() + milliseconds(timeout_ms) : kNoDeadline;
}

class RemoteSession final : public GraphSession {
 public:
  RemoteSession(std::shared_ptr<Channel> channel, std::string handle, int64_t operation_timeout_ms)
      : channel_(std::move(channel)), handle_(std::move(handle)), operation_timeout_ms_(operation_timeout_ms) {
    Hold();
  }
  ~RemoteSession() override { (void)Close(); }

  const std::string& handle() const override { return handle_; }
  std::vector<DeviceAttributes> ListDevices() const override;
  Status Extend(const GraphDef& graph) override;
  Result<std::vector<Tensor>> Run(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                                  const std::vector<std::string>& targets, const RunOptions& options,
                                  CancellationToken* cancellation) override;
  void RunAsync(std::vector<NamedTensor> feeds, const std::vector<std::string>& fetches,
                const std::vector<std::string>& targets, CancellationToken* cancellation, RunDone done,
                std::shared_ptr<StepTrace> trace) override;
  Result<int64_t> MakeCallable(const CallableSpec& spec) override;
  Result<std::vector<Tensor>> RunCallable(int64_t callable, std::span<const Tensor> feeds,
                                          CancellationToken* cancellation) override;
  void RunCallableAsync(int64_t callable, std::vector<Tensor> feeds, CancellationToken* cancellation,
                        RunDone done) override;
  Status ReleaseCallable(int64_t callable) override;
  Result<std::string> PartialRunSetup(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                      const std::vector<std::string>& targets) override;
  Result<std::vector<Tensor>> PartialRun(const std::string& partial_run, const std::vector<NamedTensor>& feeds,
                                         const std::vector<std::string>& fetches,
                                         CancellationToken* cancellation) override;
  Status Close() override;

 private:
  /// Holds a call open as long as this client lives: its end tells the master, where that is ours.
  void Hold();
  Status CheckOpen() const;
  /// Calls a method without tensors and waits for its response.
  Status Control(const char* method, const MessageLite& request, MessageLite* response) const;
  Result<Payload> StepRequest(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                              const std::vector<std::string>& targets, const std::string& partial_run,
                              const RunOptions& options) const;
  Result<Payload> CallableRequest(int64_t callable, std::span<const Tensor> feeds) const;

  const std::shared_ptr<Channel> channel_;
  const std::string handle_;
  const int64_t operation_timeout_ms_;
  const std::shared_ptr<CancellationToken> hold_ = std::make_shared<CancellationToken>();
  mutable std::mutex mutex_;
  int64_t graph_version_ = 0;  // guarded by mutex_, as is the next
  bool closed_ = false;
};

Status StepStatus(const proto::RunStepResponse& response) {
  const int code = response.status_code();
  if (code == 0) return OkStatus();
  return Status(code > 0 && code <= 16 ? static_cast<Code>(code) : Code::kUnknown, response.status_error_message());
}

/// Reads the fetches in the order of `names`, and into `trace`, where it is not null, what the step told beside them.
Result<std::vector<Tensor>> DecodeStep(const Payload& payload, const std::vector<std::string>& names,
                                       StepTrace* trace = nullptr) {
  std::map<std::string, Tensor> received;
  proto::RunStepResponse response;
  HR_RETURN_IF_ERROR(DecodeAround(payload, &response, kTensorField, [&received](CodedInputStream* input) {
    std::string name;
    Tensor tensor;
    HR_RETURN_IF_ERROR(ReadNamedTensor(input, &name, &tensor));
    received[std::move(name)] = std::move(tensor);
    return OkStatus();
  }));
  HR_RETURN_IF_ERROR(StepStatus(response));
  std::vector<Tensor> fetches;
  for (const std::string& name : names) {
    const auto found = received.find(name);
    if (found == received.end()) return Internal("RunStep: the response lacks the fetch '", name, "'");
    fetches.push_back(found->second);
  }
  if (trace != nullptr) trace->Add(response.metadata().SerializeAsString());
  return fetches;
}

Result<std::vector<Tensor>> DecodeCallable(const Payload& payload) {
  proto::RunCallableResponse response;
  std::vector<Tensor> fetches;
  HR_RETURN_IF_ERROR(DecodeAround(payload, &response, kCallableFetchField, [&fetches](CodedInputStream* input) {
    return ReadTensor(input, &fetches.emplace_back());
  }));
  return fetches;
}

void RemoteSession::Hold() {
  proto::CloseSessionRequest request;
  request.set_session_handle(handle_);
  channel_->Call(kMasterHoldSession, EncodeMessage(request), {.cancellation = hold_.get()},
                 [hold = hold_](const Status&, const Payload&) {});
}

Status RemoteSession::CheckOpen() const {
  std::lock_guard lock(mutex_);
  return closed_ ? FailedPrecondition("the session is closed") : OkStatus();
}

Status RemoteSession::Control(const char* method, const MessageLite& request, MessageLite* response) const {
  HR_RETURN_IF_ERROR(CheckOpen());
  HR_ASSIGN_OR_RETURN(const Payload payload, channel_->CallAndWait(method, EncodeMessage(request),
                                                                   {.deadline = RealClock().Now() + kControlTimeout}));
  return DecodeMessage(payload, response);
}

std::vector<DeviceAttributes> RemoteSession::ListDevices() const {
  proto::ListDevicesRequest request;
  request.set_session_handle(handle_);
  proto::ListDevicesResponse response;
  std::vector<DeviceAttributes> devices;
  if (!Control(kMasterListDevices, request, &response).ok()) return devices;
  for (const auto& device : response.local_device()) devices.push_back(FromProto(device));
  for (const auto& device : response.remote_device()) devices.push_back(FromProto(device));
  return devices;
}

Status RemoteSession::Extend(const GraphDef& graph) {
  proto::ExtendSessionRequest request;
  request.set_session_handle(handle_);
  HR_RETURN_IF_ERROR(GraphToProto(graph, request.mutable_graph_def()));
  HR_RETURN_IF_ERROR(CheckOpen());
  std::lock_guard lock(mutex_);
  request.set_current_graph_version(graph_version_);
  HR_ASSIGN_OR_RETURN(const Payload payload, channel_->CallAndWait(kMasterExtendSession, EncodeMessage(request),
                                                                   {.deadline = RealClock().Now() + kControlTimeout}));
  proto::ExtendSessionResponse response;
  HR_RETURN_IF_ERROR(DecodeMessage(payload, &response));
  graph_version_ = response.new_graph_version();
  return OkStatus();
}

Result<Payload> RemoteSession::StepRequest(const std::vector<NamedTensor>& feeds,
                                           const std::vector<std::string>& fetches,
                                           const std::vector<std::string>& targets, const std::string& partial_run,
                                           const RunOptions& options) const {
  HR_RETURN_IF_ERROR(CheckOpen());
  proto::RunStepRequest request;
  request.set_session_handle(handle_);
  for (const std::string& fetch : fetches) request.add_fetch(fetch);
  for (const std::string& target : targets) request.add_target(target);
  proto::RunOptions* written = request.mutable_options();
  written->set_timeout_in_ms(options.timeout_ms);
  if (options.trace != nullptr) {
    const StepTraceWishes& wishes = options.trace->wishes();
    if (wishes.step_stats) written->set_trace_level(proto::RunOptions::FULL_TRACE);
    written->set_output_partition_graphs(wishes.partition_graphs);
  }
  request.set_partial_run_handle(partial_run);
  request.set_store_errors_in_response_body(true);
  request.set_request_id(RequestIds::New());
  WireWriter writer;
  writer.AddFields(request);
  for (const NamedTensor& feed : feeds) writer.AddNamedTensor(kFeedField, feed.name, feed.tensor);
  return writer.Finish();
}

Result<std::vector<Tensor>> RemoteSession::Run(const std::vector<NamedTensor>& feeds,
                                               const std::vector<std::string>& fetches,
                                               const std::vector<std::string>& targets, const RunOptions& options,
                                               CancellationToken* cancellation) {
  const int64_t timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : operation_timeout_ms_;
  HR_ASSIGN_OR_RETURN(Payload request,
                      StepRequest(feeds, fetches, targets, "", {.timeout_ms = timeout_ms, .trace = options.trace}));
  HR_ASSIGN_OR_RETURN(const Payload response,
                      channel_->CallAndWait(kMasterRunStep, std::move(request),
                                            {.deadline = DeadlineAfter(timeout_ms), .cancellation = cancellation}));
  return DecodeStep(response, fetches, options.trace.get());
}

/// Hands the outcome of a call, decoded, to `done`.
template <typename Decode> Channel::Done Finish(GraphSession::RunDone done, Decode decode) {
  return [done = std::move(done), decode = std::move(decode)](const Status& status, const Payload& response) {
    if (!status.ok()) return done(status, {});
    Result<std::vector<Tensor>> fetches = decode(response);
    done(fetches.status(), fetches.ok() ? *std::move(fetches) : std::vector<Tensor>());
  };
}

void RemoteSession::RunAsync(std::vector<NamedTensor> feeds, const std::vector<std::string>& fetches,
                             const std::vector<std::string>& targets, CancellationToken* cancellation, RunDone done,
                             std::shared_ptr<StepTrace> trace) {
  Result<Payload> request = StepRequest(feeds, fetches, targets, "", {.trace = trace});
  if (!request.ok()) return done(request.status(), {});
  channel_->Call(kMasterRunStep, *std::move(request), {.cancellation = cancellation},
                 Finish(std::move(done), [fetches, trace = std::move(trace)](const Payload& response) {
                   return DecodeStep(response, fetches, trace.get());
                 }));
}

Result<int64_t> RemoteSession::MakeCallable(const CallableSpec& spec) {
  proto::MakeCallableRequest request;
  request.set_session_handle(handle_);
  CallableToProto(spec, request.mutable_options());
  request.set_request_id(RequestIds::New());
  proto::MakeCallableResponse response;
  HR_RETURN_IF_ERROR(Control(kMasterMakeCallable, request, &response));
  return response.handle();
}

Result<Payload> RemoteSession::CallableRequest(int64_t callable, std::span<const Tensor> feeds) const {
  HR_RETURN_IF_ERROR(CheckOpen());
  proto::RunCallableRequest request;
  request.set_session_handle(handle_);
  request.set_handle(callable);
  request.set_request_id(RequestIds::New());
  WireWriter writer;
  writer.AddFields(request);
  for (const Tensor& feed : feeds) writer.AddTensor(kCallableFeedField, feed);
  return writer.Finish();
}

Result<std::vector<Tensor>> RemoteSession::RunCallable(int64_t callable, std::span<const Tensor> feeds,
                                                       CancellationToken* cancellation) {
  HR_ASSIGN_OR_RETURN(Payload request, CallableRequest(callable, feeds));
  HR_ASSIGN_OR_RETURN(const Payload response, channel_->CallAndWait(kMasterRunCallable, std::move(request),
                                                                    {.deadline = DeadlineAfter(operation_timeout_ms_),
                                                                     .cancellation = cancellation}));
  return DecodeCallable(response);
}

void RemoteSession::RunCallableAsync(int64_t callable, std::vector<Tensor> feeds, CancellationToken* cancellation,
                                     RunDone done) {
  Result<Payload> request = CallableRequest(callable, feeds);
  if (!request.ok()) return done(request.status(), {});
  channel_->Call(kMasterRunCallable, *std::move(request), {.cancellation = cancellation},
                 Finish(std::move(done), DecodeCallable));
}

Status RemoteSession::ReleaseCallable(int64_t callable) {
  proto::ReleaseCallableRequest request;
  request.set_session_handle(handle_);
  request.set_handle(callable);
  proto::ReleaseCallableResponse response;
  return Control(kMasterReleaseCallable, request, &response);
}

Result<std::string> RemoteSession::PartialRunSetup(const std::vector<std::string>& feeds,
                                                   const std::vector<std::string>& fetches,
                                                   const std::vector<std::string>& targets) {
  proto::PartialRunSetupRequest request;
  request.set_session_handle(handle_);
  for (const std::string& feed : feeds) request.add_feed(feed);
  for (const std::string& fetch : fetches) request.add_fetch(fetch);
  for (const std::string& target : targets) request.add_target(target);
  request.set_request_id(RequestIds::New());
  proto::PartialRunSetupResponse response;
  HR_RETURN_IF_ERROR(Control(kMasterPartialRunSetup, request, &response));
  return response.partial_run_handle();
}

Result<std::vector<Tensor>> RemoteSession::PartialRun(const std::string& partial_run,
                                                      const std::vector<NamedTensor>& feeds,
                                                      const std::vector<std::string>& fetches,
                                                      CancellationToken* cancellation) {
  HR_ASSIGN_OR_RETURN(Payload request,
                      StepRequest(feeds, fetches, {}, partial_run, {.timeout_ms = operation_timeout_ms_}));
  HR_ASSIGN_OR_RETURN(const Payload response, channel_->CallAndWait(kMasterRunStep, std::move(request),
                                                                    {.deadline = DeadlineAfter(operation_timeout_ms_),
                                                                     .cancellation = cancellation}));
  return DecodeStep(response, fetches);
}

Status RemoteSession::Close() {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return OkStatus();
    closed_ = true;
  }
  proto::CloseSessionRequest request;
  request.set_session_handle(handle_);
  const Status status =
      channel_
          ->CallAndWait(kMasterCloseSession, EncodeMessage(request), {.deadline = RealClock().Now() + kCloseTimeout})
          .status();
  hold_->Cancel(Cancelled("the session is closed"));
  return status;
}

Result<std::string> AddressIn(const std::string& target) {
  constexpr std::string_view kScheme = "grpc://";
  if (!target.starts_with(kScheme)) return InvalidArgument("session target '", target, "' is not 'grpc://host:port'");
  std::string address = target.substr(kScheme.size());
  HR_RETURN_IF_ERROR(HostPort::Parse(address).status());
  return address;
}

}  // namespace

Result<std::shared_ptr<GraphSession>> OpenRemoteSession(std::shared_ptr<Channel> channel, const GraphDef& graph,
                                                        const GraphSessionOptions& options) {
  proto::CreateSessionRequest request;
  HR_RETURN_IF_ERROR(GraphToProto(graph, request.mutable_graph_def()));
  ToConfig(options, request.mutable_config());
  const CallOptions call{.deadline = DeadlineAfter(options.creation_timeout_ms), .wait_for_ready = true};
  HR_ASSIGN_OR_RETURN(const Payload payload, channel->CallAndWait(kMasterCreateSession, EncodeMessage(request), call));
  proto::CreateSessionResponse response;
  HR_RETURN_IF_ERROR(DecodeMessage(payload, &response));
  return std::shared_ptr<GraphSession>(
      std::make_shared<RemoteSession>(std::move(channel), response.session_handle(), options.operation_timeout_ms));
}

Result<std::shared_ptr<GraphSession>> OpenSession(const std::string& target, const GraphDef& graph,
                                                  const GraphSessionOptions& options) {
  HR_ASSIGN_OR_RETURN(const std::string address, AddressIn(target));
  if (const std::shared_ptr<Server> server = Server::FindInProcess(target)) return server->OpenSession(graph, options);
  return OpenRemoteSession(MakeGrpcChannel({.address = address}), graph, options);
}

Status ResetTarget(const std::string& target, const std::vector<std::string>& containers) {
  HR_ASSIGN_OR_RETURN(const std::string address, AddressIn(target));
  proto::ResetRequest request;
  for (const std::string& container : containers) request.add_container(container);
  return MakeGrpcChannel({.address = address})
      ->CallAndWait(kMasterReset, EncodeMessage(request), {.deadline = RealClock().Now() + kControlTimeout})
      .status();
}

}  // namespace headrace
