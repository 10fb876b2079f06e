// WaitingLine: calls that wait in order for something to happen to a piece of state. The state's lock guards its lines; what has ended
// is collected under the lock and told to the callers after it (FinishCalls). A call ends when it is served, or by its step's
// cancellation.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <utility>

#include "base/status.h"
#include "sync/cancellation.h"

namespace headrace {

/// One waiting call. `Request` says what it waits for and has `void Finish(const Status&)`.
template <typename Request> struct WaitingCall {
  Request request;
  CancellationToken* cancellation = nullptr;
  uint64_t id = 0;
  uint64_t cancel_id = 0;
  Status status;
};

template <typename Request> using CallList = std::list<WaitingCall<Request>>;

/// Tells the callers. The lock is not held.
template <typename Request> void FinishCalls(CallList<Request> calls) {
  for (WaitingCall<Request>& call : calls) {
    // A token that is being cancelled waits for nobody: its callback finds that the call is gone.
    if (call.cancel_id != 0 && !call.cancellation->IsCancelled()) call.cancellation->Deregister(call.cancel_id);
    call.request.Finish(call.status);
  }
}

template <typename Request> class WaitingLine {
 public:
  bool empty() const { return calls_.empty(); }
  Request& front() { return calls_.front().request; }

  void Add(Request request, CancellationToken* cancellation) {
    calls_.emplace_back();
    calls_.back().request = std::move(request);
    calls_.back().cancellation = cancellation;
    calls_.back().id = ++last_id_;
  }
  void EndFront(const Status& status, CallList<Request>* ended) {
    calls_.front().status = status;
    ended->splice(ended->end(), calls_, calls_.begin());
  }
  void EndAll(const Status& status, CallList<Request>* ended) {
    while (!empty()) EndFront(status, ended);
  }

  /// To be called after each Add and the attempt to serve it: if the new call still waits, `on_cancel(id)` runs on its
  /// cancellation. A call that is cancelled already ends.
  template <typename OnCancel> void Listen(const OnCancel& on_cancel, CallList<Request>* ended) {
    if (empty() || calls_.back().id != last_id_ || calls_.back().cancellation == nullptr) return;
    WaitingCall<Request>& call = calls_.back();
    call.cancel_id = call.cancellation->OnCancel([on_cancel, id = call.id] { on_cancel(id); });
    if (call.cancel_id == 0) EndCancelled(call.id, ended);
  }
  /// Ends the call, if it still waits, with the reason of its cancellation.
  bool EndCancelled(uint64_t id, CallList<Request>* ended) {
    for (auto call = calls_.begin(); call != calls_.end(); ++call) {
      if (call->id != id) continue;
      call->status = call->cancellation->status().AsDerived();
      ended->splice(ended->end(), calls_, call);
      return true;
    }
    return false;
  }

 private:
  CallList<Request> calls_;
  uint64_t last_id_ = 0;
};

}  // namespace headrace
