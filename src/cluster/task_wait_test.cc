#include "cluster/task_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "cluster/cluster_workers.h"
#include "cluster/worker_service.h"
#include "os/log.h"
#include "rpc/grpc_channel.h"
#include "rpc/in_process_channel.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// A task that answers GetStatus, and nothing else.
std::shared_ptr<Channel> ChannelToALivingTask() {
  auto table = std::make_shared<ServiceTable>();
  table->Add("/tensorflow.WorkerService/GetStatus",
             [](const std::shared_ptr<ServerCall>& call) { call->Reply(OkStatus()); });
  return MakeInProcessChannel(table, "a task");
}

class TaskWaitTest : public testing::Test {
 protected:
  Status Wait(
      const std::string& cluster, milliseconds timeout, std::function<bool()> abandoned = [] { return false; }) {
    auto workers = std::make_shared<ClusterWorkers>(
        *ClusterSpec::Parse(cluster), [](const std::string& address, const std::string& task) {
          return task.find("/job:ps") == 0 ? MakeGrpcChannel({.address = address, .peer_name = task})
                                           : ChannelToALivingTask();
        });
    Notification ended;
    Status outcome;
    WaitForTasks({.workers = workers,
                  .tasks = workers->TaskNames(),
                  .deadline = RealClock().Now() + timeout,
                  .log_interval = milliseconds(100),
                  .abandoned = std::move(abandoned)},
                 [&](const Status& status) {
                   outcome = status;
                   ended.Notify();
                 });
    ended.Wait();
    return outcome;
  }
};

TEST_F(TaskWaitTest, EndsWhenAllTasksAnswer) { EXPECT_TRUE(Wait("worker|h:1;h:2", milliseconds(10'000)).ok()); }

TEST_F(TaskWaitTest, NamesWhoIsMissingAtWhichAddressAndWhy) {
  std::atomic<int> lines{0};
  const LogSink old = SetLogSink([&](LogLevel, std::string_view, std::string_view message) {
    if (message.find("/job:ps/replica:0/task:0") != std::string_view::npos) ++lines;
  });
  const Status status = Wait("ps|127.0.0.1:1;127.0.0.1:2,worker|h:1", milliseconds(500));
  SetLogSink(old);
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(
      status.message(),
      testing::MatchesRegex("creating the session: waited [0-9.]+ s for /job:ps/replica:0/task:0 at 127.0.0.1:1: "
                            "[^;]*Connection refused; /job:ps/replica:0/task:1 at 127.0.0.1:2: "
                            "[^;]*Connection refused"));
  EXPECT_GT(lines, 0);
}

TEST_F(TaskWaitTest, EndsWhenNobodyWaitsAnyMore) {
  EXPECT_EQ(Wait("ps|127.0.0.1:1", milliseconds(60'000), [] { return true; }).code(), Code::kCancelled);
}

}  // namespace
}  // namespace headrace
