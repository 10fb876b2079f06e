// What tests of channels share.
#pragma once

#include <string>
#include <utility>

#include "rpc/channel.h"
#include "sync/notification.h"

namespace headrace {

/// A call under way. Outlives its answer: wait for it.
class PendingCall {
 public:
  PendingCall(Channel& channel, const std::string& method, Payload request, const CallOptions& options = {}) {
    channel.Call(method, std::move(request), options, [this](const Status& status, Payload response) {
      outcome_ = status.ok() ? Result<Payload>(std::move(response)) : Result<Payload>(status);
      answered_.Notify();
    });
  }
  Result<Payload> Wait() {
    answered_.Wait();
    return std::move(outcome_);
  }

 private:
  Notification answered_;
  Result<Payload> outcome_ = Status(Code::kInternal, "no answer");
};

}  // namespace headrace
