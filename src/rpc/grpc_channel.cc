#include "rpc/grpc_channel.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/client_unary_call.h>

#include <atomic>
#include <chrono>
#include <limits>

#include "rpc/grpc_bytes.h"
#include "rpc/grpc_loop.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;

/// Served by nobody: the answer to it tells whether, and if not why, a peer cannot be reached.
constexpr char kProbeMethod[] = "/headrace.Transport/Probe";
constexpr milliseconds kProbeTimeout(200);

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
  arguments.SetMaxSendMessageSize(std::numeric_limits<int>::max());
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

/// The cause in gRPC's report of a failed connection, which repeats much around it.
std::string ShortReason(const std::string& message) {
  constexpr std::string_view kMark = "last error: ";
  const size_t mark = message.find(kMark);
  return mark == std::string::npos ? message : message.substr(mark + kMark.size());
}

/// Whether a cancelled call was reset by the peer's transport, as when it stops, and not by a handler.
bool IsBrokenOff(const grpc::Status& status) {
  const std::string& message = status.error_message();
  return message.empty() || message == "CANCELLED" || message.find("RST_STREAM") != std::string::npos;
}

/// Codes that gRPC itself makes; the peer's handlers may as well, and then the names before the message do no harm.
bool MayBeOfTransport(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kCancelled ||
         code == Code::kUnimplemented || code == Code::kUnknown || code == Code::kInternal ||
         code == Code::kResourceExhausted;
}

class GrpcChannel : public Channel, public std::enable_shared_from_this<GrpcChannel> {
 public:
  explicit GrpcChannel(const GrpcChannelOptions& options)
      : loop_(GrpcLoop::OfProcess()),
        channel_(
            grpc::CreateCustomChannel("dns:///" + options.address, grpc::InsecureChannelCredentials(), Arguments())),
        stub_(channel_),
        peer_(options.peer_name.empty() ? options.address : StrCat(options.peer_name, " at ", options.address)) {}

  void Call(const std::string& method, Payload request, const CallOptions& options, Done done) override;
  Result<Payload> CallAndWait(const std::string& method, Payload request, const CallOptions& options) override;
  const std::string& peer() const override { return peer_; }

 private:
  class AsyncCall;

  /// Whether the last attempt to connect failed some time ago, so that a call which does not wait would report a state of the past.
  bool MayBeBack(const CallOptions& options) {
    return !options.wait_for_ready && channel_->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE &&
           RealClock().Now().time_since_epoch().count() >= next_probe_.load(std::memory_order_relaxed);
  }
  /// Connects anew for as long as a probe may take, and then calls `then`, whatever became of it.
  void Reconnect(std::function<void()> then);
  /// Gives an error its names; a wait that ended at the deadline is told apart by asking once more why there is no connection.
  void Explain(const std::string& method, const CallOptions& options, TimePoint begin, const Status& error,
               std::function<void(const Status&)> done);
  Status Named(const std::string& method, Code code, std::string_view reason) const {
    return Status(code, StrCat(method, ": ", peer_, ": ", reason));
  }

  const std::shared_ptr<GrpcLoop> loop_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  const std::string peer_;
  std::atomic<TimePoint::rep> next_probe_ = 0;  // earlier than that the peer is taken to be as it was last found
};

/// Fills the context of one call and follows its cancellation. Returns false when it is cancelled already.
class Cancellation {
 public:
  Cancellation(grpc::ClientContext* context, const CallOptions& options) : token_(options.cancellation) {
    context->set_wait_for_ready(options.wait_for_ready);
    if (options.deadline != kNoDeadline) context->set_deadline(ToTimespec(options.deadline));
    if (token_ != nullptr) id_ = token_->OnCancel([context] { context->TryCancel(); });
  }
  bool CancelledBefore() const { return token_ != nullptr && id_ == 0; }
  /// Ends the following, and returns what became of the call: the token's own reason where that ended it.
  Status Finish(const grpc::Status& outcome) {
    if (token_ != nullptr) token_->Deregister(id_);
    if (outcome.error_code() != grpc::StatusCode::CANCELLED) return FromGrpcStatus(outcome);
    if (token_ != nullptr && token_->IsCancelled()) return token_->status();
    return IsBrokenOff(outcome) ? Unavailable("the peer broke the call off") : FromGrpcStatus(outcome);
  }

 private:
  CancellationToken* const token_;
  uint64_t id_ = 0;
};

class GrpcChannel::AsyncCall final : public GrpcEvent {
 public:
  AsyncCall(std::shared_ptr<GrpcChannel> channel, std::string method, const CallOptions& options, Done done)
      : channel_(std::move(channel)),
        method_(std::move(method)),
        options_(options),
        done_(std::move(done)),
        begin_(RealClock().Now()),
        cancellation_(&context_, options) {}

  /// The object deletes itself.
  void Start(const Payload& request) {
    if (cancellation_.CancelledBefore()) return Answer(options_.cancellation->status(), Payload());
    reader_ = channel_->stub_.PrepareUnaryCall(&context_, method_, ToByteBuffer(request), channel_->loop_->queue());
    reader_->StartCall();
    reader_->Finish(&response_, &outcome_, this);
  }

  void Run(bool) override {
    const Status status = cancellation_.Finish(outcome_);
    if (status.ok()) {
      Result<Payload> response = ToPayload(response_);
      if (response.ok()) return Answer(OkStatus(), *std::move(response));
      return Answer(channel_->Named(method_, response.status().code(), response.status().message()), Payload());
    }
    if (!MayBeOfTransport(status.code()) ||
        (options_.cancellation != nullptr && options_.cancellation->IsCancelled())) {
      return Answer(status, Payload());
    }
    channel_->Explain(method_, options_, begin_, status,
                      [this](const Status& explained) { Answer(explained, Payload()); });
  }

 private:
  void Answer(const Status& status, Payload response) {
    const Done done = std::move(done_);
    const std::shared_ptr<GrpcChannel> channel = std::move(channel_);  // outlives the call below
    delete this;
    done(status, std::move(response));
  }

  std::shared_ptr<GrpcChannel> channel_;
  const std::string method_;
  const CallOptions options_;
  Done done_;
  const TimePoint begin_;
  grpc::ClientContext context_;
  Cancellation cancellation_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer response_;
  grpc::Status outcome_;
};

void GrpcChannel::Call(const std::string& method, Payload request, const CallOptions& options, Done done) {
  auto* call = new AsyncCall(shared_from_this(), method, options, std::move(done));
  if (!MayBeBack(options)) return call->Start(request);
  Reconnect([call, request = std::move(request)] { call->Start(request); });
}

void GrpcChannel::Reconnect(std::function<void()> then) {
  grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
  const CallOptions waiting{.deadline = RealClock().Now() + kProbeTimeout, .wait_for_ready = true};
  const auto after = [this, then = std::move(then)](const Status&, const Payload&) {
    next_probe_.store((RealClock().Now() + kProbeTimeout).time_since_epoch().count(), std::memory_order_relaxed);
    then();
  };
  (new AsyncCall(shared_from_this(), kProbeMethod, waiting, after))->Start(Payload());
}

Result<Payload> GrpcChannel::CallAndWait(const std::string& method, Payload request, const CallOptions& options) {
  const TimePoint begin = RealClock().Now();
  if (MayBeBack(options)) {
    Notification tried;
    Reconnect([&tried] { tried.Notify(); });
    tried.Wait();
  }
  grpc::ClientContext context;
  Cancellation cancellation(&context, options);
  if (cancellation.CancelledBefore()) return options.cancellation->status();
  grpc::ByteBuffer response;
  const Status status = cancellation.Finish(grpc::internal::BlockingUnaryCall(
      channel_.get(), grpc::internal::RpcMethod(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC), &context,
      ToByteBuffer(request), &response));
  if (status.ok()) return ToPayload(response);
  if (!MayBeOfTransport(status.code()) || (options.cancellation != nullptr && options.cancellation->IsCancelled()))
    return status;
  Notification explained;
  Status named;
  Explain(method, options, begin, status, [&](const Status& answer) {
    named = answer;
    explained.Notify();
  });
  explained.Wait();
  return named;
}

void GrpcChannel::Explain(const std::string& method, const CallOptions& options, TimePoint begin, const Status& error,
                          std::function<void(const Status&)> done) {
  const bool waited_in_vain = error.code() == Code::kDeadlineExceeded && options.wait_for_ready &&
                              method != kProbeMethod &&  // why a probe failed nobody asks
                              channel_->GetState(false) != GRPC_CHANNEL_READY;
  if (!waited_in_vain) {
    Status named = Named(method, error.code(), ShortReason(error.message()));
    return done(error.derived() ? named.AsDerived() : named);
  }
  const auto waited = std::chrono::duration_cast<milliseconds>(RealClock().Now() - begin);
  const CallOptions probe{.deadline = RealClock().Now() + kProbeTimeout};
  auto* call = new AsyncCall(
      shared_from_this(), kProbeMethod, probe, [this, method, waited, done](const Status& status, Payload) {
        std::string reason = "no answer";
        if (status.code() == Code::kUnavailable) {
          const size_t names_end = status.message().find(peer_) + peer_.size() + 2;
          reason = status.message().substr(std::min(names_end, status.message().size()));
        }
        done(Named(method, Code::kDeadlineExceeded,
                   StrCat("waited ", static_cast<double>(waited.count()) / 1000, " s for a connection: ", reason)));
      });
  call->Start(Payload());
}

}  // namespace

std::shared_ptr<Channel> MakeGrpcChannel(const GrpcChannelOptions& options) {
  return std::make_shared<GrpcChannel>(options);
}

}  // namespace headrace
