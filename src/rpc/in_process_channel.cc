#include "rpc/in_process_channel.h"

#include <atomic>
#include <mutex>

#include "sync/timers.h"

namespace headrace {
namespace {

/// Both ends of a call: the client's cancellation and deadline end it at once, and tell the handler.
class InProcessCall final : public ServerCall, public std::enable_shared_from_this<InProcessCall> {
 public:
  InProcessCall(std::string name, Payload request, const CallOptions& options, Channel::Done done)
      : name_(std::move(name)), request_(std::move(request)), options_(options), done_(std::move(done)) {}

  /// False when the client's token is cancelled already; then the call is over.
  bool Start() {
    std::unique_lock lock(mutex_);
    if (options_.deadline != kNoDeadline) {
      timer_ = SharedTimers().At(options_.deadline, [weak = weak_from_this()] {
        if (auto call = weak.lock()) call->GiveUp(DeadlineExceeded(call->name_, ": the deadline passed"));
      });
    }
    if (options_.cancellation == nullptr) return true;
    cancel_id_ = options_.cancellation->OnCancel([weak = weak_from_this()] {
      if (auto call = weak.lock()) call->GiveUp(call->options_.cancellation->status());
    });
    if (cancel_id_ != 0) return true;
    lock.unlock();
    GiveUp(options_.cancellation->status());
    return false;
  }

  const Payload& request() const override { return request_; }
  using ServerCall::Reply;
  void Reply(const Status& status, Payload response) override {
    Answer(status, status.ok() ? std::move(response) : Payload());
  }
  CancellationToken& cancellation() override { return handler_cancellation_; }
  TimePoint deadline() const override { return options_.deadline; }
  std::string client() const override { return "in process"; }

 private:
  void GiveUp(const Status& reason) {
    if (Answer(reason, Payload())) handler_cancellation_.Cancel(reason);
  }

  bool Answer(const Status& status, Payload response) {
    std::unique_lock lock(mutex_);
    if (done_ == nullptr) return false;
    const Channel::Done done = std::move(done_);
    done_ = nullptr;
    const uint64_t timer = timer_, cancel_id = cancel_id_;
    lock.unlock();
    if (timer != 0) SharedTimers().Cancel(timer);
    if (cancel_id != 0) options_.cancellation->Deregister(cancel_id);
    done(status, std::move(response));
    return true;
  }

  const std::string name_;
  const Payload request_;
  const CallOptions options_;
  std::mutex mutex_;
  Channel::Done done_;  // guarded by mutex_, as are the next two; null once answered
  uint64_t cancel_id_ = 0;
  uint64_t timer_ = 0;
  CancellationToken handler_cancellation_;
};

class InProcessChannel final : public Channel {
 public:
  InProcessChannel(std::shared_ptr<const ServiceTable> table, std::string peer_name)
      : table_(std::move(table)), peer_(StrCat(peer_name, " in process")) {}

  void Call(const std::string& method, Payload request, const CallOptions& options, Done done) override {
    const ServiceTable::Entry* entry = table_->Find(method);
    if (entry == nullptr) return done(Unimplemented(method, ": ", peer_, ": no such method"), Payload());
    auto call =
        std::make_shared<InProcessCall>(StrCat(method, ": ", peer_), std::move(request), options, std::move(done));
    if (!call->Start()) return;
    std::shared_ptr<ServerCall> handle(
        call.get(), [call](ServerCall*) { call->Reply(Internal("the call was dropped without a reply"), Payload()); });
    ServiceTable::Dispatch(*entry, std::move(handle));
  }
  const std::string& peer() const override { return peer_; }

 private:
  const std::shared_ptr<const ServiceTable> table_;
  const std::string peer_;
};

}  // namespace

std::shared_ptr<Channel> MakeInProcessChannel(std::shared_ptr<const ServiceTable> table, std::string peer_name) {
  return std::make_shared<InProcessChannel>(std::move(table), std::move(peer_name));
}

}  // namespace headrace
