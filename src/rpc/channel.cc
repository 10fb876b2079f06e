#include "rpc/channel.h"

#include "sync/notification.h"

namespace headrace {

Result<Payload> Channel::CallAndWait(const std::string& method, Payload request, const CallOptions& options) {
  Notification answered;
  Status outcome;
  Payload response;
  Call(method, std::move(request), options, [&](const Status& status, Payload payload) {
    outcome = status;
    response = std::move(payload);
    answered.Notify();
  });
  answered.Wait();
  if (!outcome.ok()) return outcome;
  return response;
}

}  // namespace headrace
