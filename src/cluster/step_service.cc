#include "cluster/step_service.h"

#include <google/protobuf/io/coded_stream.h>

#include <chrono>

#include "cluster/methods.h"
#include "cluster/request_ids.h"
#include "cluster/session_options_proto.h"
#include "cluster/wire.h"
#include "headrace/proto/master.pb.h"
#include "sync/timers.h"

namespace headrace {
namespace {

using google::protobuf::io::CodedInputStream;
using Call = std::shared_ptr<ServerCall>;

constexpr size_t kRememberedRequests = 10'000;  // as TensorFlow
constexpr int kFeedField = 2, kTensorField = 1, kCallableFeedField = 3, kCallableFetchField = 1;

/// A call that runs a step: its reply, its timeout, and its end when the server stops.
class StepCall : public std::enable_shared_from_this<StepCall> {
 public:
  explicit StepCall(Call call) : call_(std::move(call)) {}

  /// Errors are put into the response from now on, with the status OK.
  void StoreErrorsInResponse() { errors_in_response_ = true; }

  /// Begins to watch the time and the server. A timeout that gRPC keeps is not kept here as well.
  void Watch(int64_t timeout_ms) {
    if (timeout_ms > 0 && call_->deadline() == TimePoint::max()) {
      timer_ = SharedTimers().At(
          RealClock().Now() + std::chrono::milliseconds(timeout_ms), [weak = weak_from_this(), timeout_ms] {
            if (auto step = weak.lock())
              step->cancellation()->Cancel(DeadlineExceeded("the step did not end within ", timeout_ms, " ms"));
          });
    }
    // The reply does not wait for the step's parts to end.
    watch_ = cancellation()->OnCancel([weak = weak_from_this()] {
      if (auto step = weak.lock()) step->Fail(step->cancellation()->status());
    });
  }

  CancellationToken* cancellation() const { return &call_->cancellation(); }
  const Payload& request() const { return call_->request(); }

  void Reply(WireWriter writer) {
    Unwatch();
    Result<Payload> response = writer.Finish();
    if (!response.ok()) return Fail(response.status());
    call_->Reply(OkStatus(), *std::move(response));
  }
  void Fail(const Status& status) {
    if (!errors_in_response_) return call_->Reply(status);
    proto::RunStepResponse response;
    response.set_status_code(static_cast<int>(status.code()));
    response.set_status_error_message(status.message());
    call_->Reply(OkStatus(), EncodeMessage(response));
  }
  /// Replies with an error, or with what `write` makes of the fetches, and what `trace` holds where it is not null.
  template <typename Write>
  void Finish(const Status& status, const std::vector<Tensor>& fetches, const Write& write,
              const StepTrace* trace = nullptr) {
    if (!status.ok()) {
      Unwatch();
      return Fail(status);
    }
    WireWriter writer;
    for (size_t i = 0; i < fetches.size(); ++i) write(writer, i, fetches[i]);
    if (trace != nullptr) {
      proto::RunStepResponse response;
      if (response.mutable_metadata()->ParseFromString(trace->run_metadata())) writer.AddFields(response);
    }
    Reply(std::move(writer));
  }

 private:
  void Unwatch() {
    if (timer_ != 0) SharedTimers().Cancel(timer_);
    if (watch_ != 0) cancellation()->Deregister(watch_);
  }

  const Call call_;
  bool errors_in_response_ = false;
  uint64_t timer_ = 0;
  uint64_t watch_ = 0;
};

/// The handlers. One object serves all calls; it lives as long as the table.
class StepService : public std::enable_shared_from_this<StepService> {
 public:
  StepService(std::shared_ptr<SessionTable> sessions, ThreadPool* pool) : sessions_(std::move(sessions)), pool_(pool) {}

  void AddTo(ServiceTable* table) {
    auto self = shared_from_this();
    table->Add(kMasterRunStep, [self](Call call) { self->RunStep(std::make_shared<StepCall>(std::move(call))); },
               {.preposted = 16});
    table->Add(kMasterRunCallable,
               [self](Call call) { self->RunCallable(std::make_shared<StepCall>(std::move(call))); },
               {.preposted = 16});
    table->Add(kMasterPartialRunSetup, [self](const Call& call) { self->PartialRunSetup(call); }, {.pool = pool_});
    table->Add(kMasterMakeCallable, [self](const Call& call) { self->MakeCallable(call); }, {.pool = pool_});
    table->Add(kMasterReleaseCallable, [self](const Call& call) { self->ReleaseCallable(call); }, {.pool = pool_});
  }

 private:
  using Step = std::shared_ptr<StepCall>;
  using Session = std::shared_ptr<ServedSession>;

  void RunStep(const Step& step);
  void StartStep(const Step& step, const Session& session, std::vector<NamedTensor> feeds,
                 const proto::RunStepRequest& request, std::string combination);
  void PartialRun(const Step& step, const Session& session, const std::vector<NamedTensor>& feeds,
                  const proto::RunStepRequest& request);
  void PartialRunSetup(const Call& call);
  void MakeCallable(const Call& call);
  void RunCallable(const Step& step);
  void ReleaseCallable(const Call& call);

  const std::shared_ptr<SessionTable> sessions_;
  ThreadPool* const pool_;
  RequestIds request_ids_{kRememberedRequests};
};

std::vector<std::string> ToVector(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}

/// One text for each combination of names.
std::string Combination(const std::vector<NamedTensor>& feeds, const proto::RunStepRequest& request) {
  std::string text;
  for (const NamedTensor& feed : feeds) text.append(feed.name).push_back('\n');
  text.push_back('\n');
  for (const std::string& fetch : request.fetch()) text.append(fetch).push_back('\n');
  text.push_back('\n');
  for (const std::string& target : request.target()) text.append(target).push_back('\n');
  return text;
}

void StepService::RunStep(const Step& step) {
  auto request = std::make_shared<proto::RunStepRequest>();
  std::vector<NamedTensor> feeds;
  Status status = DecodeAround(step->request(), request.get(), kFeedField, [&feeds](CodedInputStream* input) {
    NamedTensor& feed = feeds.emplace_back();
    return ReadNamedTensor(input, &feed.name, &feed.tensor);
  });
  if (request->store_errors_in_response_body()) step->StoreErrorsInResponse();
  if (status.ok()) status = request_ids_.Add(request->request_id(), "RunStep");
  if (!status.ok()) return step->Fail(status);
  Result<Session> session = sessions_->Find(request->session_handle());
  if (!session.ok()) return step->Fail(session.status());
  const int64_t asked_ms = request->options().timeout_in_ms();
  step->Watch(asked_ms > 0 ? asked_ms : (*session)->operation_timeout_ms);
  if (!request->partial_run_handle().empty()) {
    return pool_->Schedule([self = shared_from_this(), step, session = *session, feeds = std::move(feeds), request] {
      self->PartialRun(step, session, feeds, *request);
    });
  }
  std::string combination = Combination(feeds, *request);
  if ((*session)->HasRun(combination)) return StartStep(step, *session, std::move(feeds), *request, "");
  // The first time the graph is cut and handed to the tasks, which blocks: not on the transport's thread.
  pool_->Schedule([self = shared_from_this(), step, session = *session, feeds = std::move(feeds), request,
                   combination = std::move(combination)]() mutable {
    self->StartStep(step, session, std::move(feeds), *request, std::move(combination));
  });
}

/// Any level above none records what the nodes did: there is no hardware to trace apart from them.
std::shared_ptr<StepTrace> TraceFor(const proto::RunOptions& options) {
  const StepTraceWishes wishes{.step_stats = options.trace_level() != proto::RunOptions::NO_TRACE,
                               .partition_graphs = options.output_partition_graphs()};
  return wishes.step_stats || wishes.partition_graphs ? std::make_shared<StepTrace>(wishes) : nullptr;
}

void StepService::StartStep(const Step& step, const Session& session, std::vector<NamedTensor> feeds,
                            const proto::RunStepRequest& request, std::string combination) {
  std::vector<std::string> fetches = ToVector(request.fetch());
  std::shared_ptr<StepTrace> trace = TraceFor(request.options());
  session->session->RunAsync(
      std::move(feeds), fetches, ToVector(request.target()), step->cancellation(),
      [step, session, fetches, trace, combination = std::move(combination)](const Status& status,
                                                                            const std::vector<Tensor>& values) {
        if (status.ok() && !combination.empty()) session->SetHasRun(combination);
        step->Finish(
            status, values,
            [&fetches](WireWriter& writer, size_t i, const Tensor& value) {
              writer.AddNamedTensor(kTensorField, fetches[i], value);
            },
            trace.get());
      },
      trace);
}

void StepService::PartialRun(const Step& step, const Session& session, const std::vector<NamedTensor>& feeds,
                             const proto::RunStepRequest& request) {
  const std::vector<std::string> fetches = ToVector(request.fetch());
  Result<std::vector<Tensor>> values =
      session->session->PartialRun(request.partial_run_handle(), feeds, fetches, step->cancellation());
  step->Finish(values.status(), values.ok() ? *values : std::vector<Tensor>(),
               [&fetches](WireWriter& writer, size_t i, const Tensor& value) {
                 writer.AddNamedTensor(kTensorField, fetches[i], value);
               });
}

/// Decodes a request, checks its id where it has one, and finds its session.
template <typename Request>
Result<std::shared_ptr<ServedSession>> Begin(const Payload& payload, SessionTable* sessions, Request* request) {
  HR_RETURN_IF_ERROR(DecodeMessage(payload, request));
  return sessions->Find(request->session_handle());
}

void StepService::PartialRunSetup(const Call& call) {
  proto::PartialRunSetupRequest request;
  Result<Session> session = Begin(call->request(), sessions_.get(), &request);
  if (!session.ok()) return call->Reply(session.status());
  const Status first = request_ids_.Add(request.request_id(), "PartialRunSetup");
  if (!first.ok()) return call->Reply(first);
  Result<std::string> handle = (*session)->session->PartialRunSetup(ToVector(request.feed()), ToVector(request.fetch()),
                                                                    ToVector(request.target()));
  proto::PartialRunSetupResponse response;
  if (handle.ok()) response.set_partial_run_handle(*handle);
  call->Reply(handle.status(), EncodeMessage(response));
}

void StepService::MakeCallable(const Call& call) {
  proto::MakeCallableRequest request;
  Result<Session> session = Begin(call->request(), sessions_.get(), &request);
  if (!session.ok()) return call->Reply(session.status());
  const Status first = request_ids_.Add(request.request_id(), "MakeCallable");
  if (!first.ok()) return call->Reply(first);
  Result<CallableSpec> spec = CallableFromProto(request.options());
  if (!spec.ok()) return call->Reply(spec.status());
  Result<int64_t> callable = (*session)->session->MakeCallable(*spec);
  proto::MakeCallableResponse response;
  if (callable.ok()) response.set_handle(*callable);
  call->Reply(callable.status(), EncodeMessage(response));
}

void StepService::RunCallable(const Step& step) {
  proto::RunCallableRequest request;
  std::vector<Tensor> feeds;
  Status status = DecodeAround(step->request(), &request, kCallableFeedField,
                               [&feeds](CodedInputStream* input) { return ReadTensor(input, &feeds.emplace_back()); });
  if (status.ok()) status = request_ids_.Add(request.request_id(), "RunCallable");
  if (!status.ok()) return step->Fail(status);
  Result<Session> session = sessions_->Find(request.session_handle());
  if (!session.ok()) return step->Fail(session.status());
  step->Watch((*session)->operation_timeout_ms);
  (*session)->session->RunCallableAsync(
      request.handle(), std::move(feeds), step->cancellation(),
      [step, session = *session](const Status& status, const std::vector<Tensor>& values) {
        step->Finish(status, values, [](WireWriter& writer, size_t, const Tensor& value) {
          writer.AddTensor(kCallableFetchField, value);
        });
      });
}

void StepService::ReleaseCallable(const Call& call) {
  proto::ReleaseCallableRequest request;
  Result<Session> session = Begin(call->request(), sessions_.get(), &request);
  call->Reply(session.ok() ? (*session)->session->ReleaseCallable(request.handle()) : session.status());
}

}  // namespace

void AddStepService(std::shared_ptr<SessionTable> sessions, ThreadPool* pool, ServiceTable* table) {
  std::make_shared<StepService>(std::move(sessions), pool)->AddTo(table);
}

}  // namespace headrace
