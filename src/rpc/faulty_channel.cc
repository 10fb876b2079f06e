#include "rpc/faulty_channel.h"

#include <mutex>
#include <random>

#include "sync/timers.h"

namespace headrace {
namespace {

class FaultyChannel final : public Channel {
 public:
  FaultyChannel(std::shared_ptr<Channel> channel, const FaultyChannelOptions& options)
      : channel_(std::move(channel)), options_(options), random_(options.seed) {}

  void Call(const std::string& method, Payload request, const CallOptions& options, Done done) override {
    const Faults faults = Draw();
    if (faults.lose_request)
      return done(Unavailable(method, ": ", peer(), ": the request was lost (injected)"), Payload());
    Done deliver = std::move(done);
    if (faults.lose_reply) {
      deliver = [lost = Unavailable(method, ": ", peer(), ": the reply was lost (injected)"),
                 done = std::move(deliver)](const Status&, Payload) { done(lost, Payload()); };
    }
    if (!faults.delay) return channel_->Call(method, std::move(request), options, std::move(deliver));
    SharedTimers().At(RealClock().Now() + options_.delay, [channel = channel_, method, request = std::move(request),
                                                           options, deliver = std::move(deliver)]() mutable {
      channel->Call(method, std::move(request), options, std::move(deliver));
    });
  }
  const std::string& peer() const override { return channel_->peer(); }

 private:
  struct Faults {
    bool lose_request, lose_reply, delay;
  };
  Faults Draw() {
    std::lock_guard lock(mutex_);
    std::uniform_real_distribution<double> chance;
    const double request = chance(random_), reply = chance(random_), late = chance(random_);
    return {request < options_.lose_request, reply < options_.lose_reply, late < options_.delay_request};
  }

  const std::shared_ptr<Channel> channel_;
  const FaultyChannelOptions options_;
  std::mutex mutex_;
  std::mt19937_64 random_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<Channel> MakeFaultyChannel(std::shared_ptr<Channel> channel, const FaultyChannelOptions& options) {
  return std::make_shared<FaultyChannel>(std::move(channel), options);
}

}  // namespace headrace
