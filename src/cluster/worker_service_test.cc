// A RemoteWorker in front of a WorkerService in front of a FakeWorker: what goes in comes out.
#include "cluster/worker_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "cluster/methods.h"
#include "cluster/remote_worker.h"
#include "cluster/request_ids.h"
#include "cluster/wire.h"
#include "headrace/proto/worker.pb.h"
#include "rpc/in_process_channel.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using testing::HasSubstr;

constexpr char kTask[] = "/job:ps/replica:0/task:0";

/// Answers at once, with what it is told, and remembers what it was asked.
class FakeWorker : public Worker {
 public:
  const std::string& task_name() const override { return name_; }
  void GetStatus(TimePoint, std::function<void(const Status&, std::vector<DeviceAttributes>)> done) override {
    done(answer, {{.name = "/job:ps/replica:0/task:0/device:CPU:0",
                   .device_type = "CPU",
                   .memory_limit_bytes = 7,
                   .incarnation = ~uint64_t{0}}});
  }
  void CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint, StatusDone done) override {
    asked = StrCat("create ", request.session_handle, ' ', request.isolate_session_state, ' ', request.master_task, ' ',
                   request.master_incarnation);
    done(answer);
  }
  void DeleteWorkerSession(const std::string& handle, TimePoint, StatusDone done) override {
    asked = "delete " + handle;
    done(answer);
  }
  void RegisterGraph(RegisterGraphRequest request, TimePoint,
                     std::function<void(const Status&, std::string)> done) override {
    asked = StrCat("register ", request.session_handle, ' ', request.graph->num_nodes());
    done(answer, "graph 1");
  }
  void DeregisterGraph(const std::string& session, const std::string& graph, StatusDone done) override {
    asked = StrCat("deregister ", session, ' ', graph);
    done(answer);
  }
  void RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                std::function<void(const Status&, std::vector<Tensor>)> done) override {
    asked = StrCat("run ", request.session_handle, ' ', request.graph_handle, ' ', request.step_id, ' ',
                   StrJoin(request.fetch_keys, ","), request.is_partial ? " partial" : "",
                   request.is_last_partial_run ? " last" : "");
    for (const NamedTensor& feed : request.feeds) asked += StrCat(' ', feed.name, '=', feed.tensor.Summary());
    if (hold) {
      cancellation->OnCancel([this, cancellation, done] {
        done(cancellation->status(), {});
        cancelled.Notify();
      });
      held.Notify();
      return;
    }
    done(answer, {Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)});
  }
  void CleanupGraph(int64_t step_id, StatusDone done) override {
    asked = StrCat("cleanup ", step_id);
    done(answer);
  }
  void CleanupAll(const std::vector<std::string>& containers, TimePoint, StatusDone done) override {
    asked = StrCat("cleanup all ", StrJoin(containers, ","));
    done(answer);
  }
  void RecvTensor(int64_t step_id, const std::string& key, CancellationToken*, Rendezvous::Done done) override {
    asked = StrCat("recv ", step_id, ' ', key);
    done(answer, is_dead ? Tensor() : Tensor::Vector<float>({1, 2}), is_dead);
  }

  std::string asked;
  Status answer;
  bool is_dead = false;
  bool hold = false;
  Notification held;
  Notification cancelled;

 private:
  const std::string name_ = kTask;
};

class WorkerServiceTest : public testing::Test {
 protected:
  WorkerServiceTest() : fake_(std::make_shared<FakeWorker>()) {
    auto table = std::make_shared<ServiceTable>();
    AddWorkerService(fake_, table.get());
    channel_ = MakeInProcessChannel(table, kTask);
    worker_ = MakeRemoteWorker(kTask, channel_);
  }

  Status Waited(const std::function<void(Worker::StatusDone)>& call) {
    Notification answered;
    Status outcome;
    call([&](const Status& status) {
      outcome = status;
      answered.Notify();
    });
    answered.Wait();
    return outcome;
  }
  Status Run(RunGraphRequest request, std::vector<Tensor>* fetches) {
    return Waited([&](Worker::StatusDone done) {
      worker_->RunGraph(std::move(request), nullptr, [=](const Status& status, std::vector<Tensor> values) {
        *fetches = std::move(values);
        done(status);
      });
    });
  }

  std::shared_ptr<FakeWorker> fake_;
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<Worker> worker_;
};

TEST_F(WorkerServiceTest, DevicesArriveWhole) {
  const Status status = Waited([&](Worker::StatusDone done) {
    worker_->GetStatus(kNoDeadline, [=](const Status& status, const std::vector<DeviceAttributes>& devices) {
      ASSERT_EQ(devices.size(), 1u);
      EXPECT_EQ(devices[0].name, "/job:ps/replica:0/task:0/device:CPU:0");
      EXPECT_EQ(devices[0].device_type, "CPU");
      EXPECT_EQ(devices[0].memory_limit_bytes, 7);
      EXPECT_EQ(devices[0].incarnation, ~uint64_t{0});
      done(status);
    });
  });
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(WorkerServiceTest, ControlCallsPassTheirArguments) {
  const CreateWorkerSessionRequest create{.session_handle = "s",
                                          .isolate_session_state = true,
                                          .master_task = "/job:worker/replica:0/task:0",
                                          .master_incarnation = 5};
  EXPECT_TRUE(Waited([&](auto done) { worker_->CreateWorkerSession(create, kNoDeadline, done); }).ok());
  EXPECT_EQ(fake_->asked, "create s true /job:worker/replica:0/task:0 5");
  EXPECT_TRUE(Waited([&](auto done) { worker_->DeleteWorkerSession("s", kNoDeadline, done); }).ok());
  EXPECT_EQ(fake_->asked, "delete s");
  EXPECT_TRUE(Waited([&](auto done) { worker_->DeregisterGraph("s", "g", done); }).ok());
  EXPECT_EQ(fake_->asked, "deregister s g");
  EXPECT_TRUE(Waited([&](auto done) { worker_->CleanupGraph(9, done); }).ok());
  EXPECT_EQ(fake_->asked, "cleanup 9");
  EXPECT_TRUE(Waited([&](auto done) { worker_->CleanupAll({"a", "b"}, kNoDeadline, done); }).ok());
  EXPECT_EQ(fake_->asked, "cleanup all a,b");
  fake_->answer = Aborted("no such session");
  EXPECT_EQ(Waited([&](auto done) { worker_->DeleteWorkerSession("s", kNoDeadline, done); }).ToString(),
            "ABORTED: no such session");
}

TEST_F(WorkerServiceTest, StepsCarryFeedsAndFetches) {
  std::vector<Tensor> fetches;
  const Status status = Run({.session_handle = "s",
                             .graph_handle = "g",
                             .step_id = 3,
                             .feeds = {{"in", Tensor::Scalar(int64_t{4})}},
                             .fetch_keys = {"b", "a"},
                             .is_partial = true,
                             .is_last_partial_run = true},
                            &fetches);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(fake_->asked, "run s g 3 b,a partial last in=" + Tensor::Scalar(int64_t{4}).Summary());
  ASSERT_EQ(fetches.size(), 2u);
  EXPECT_EQ(fetches[0].scalar<float>(), 1);
  EXPECT_EQ(fetches[1].scalar<float>(), 2);
}

TEST_F(WorkerServiceTest, ErrorOfAStepKeepsItsTextAndItsDerivation) {
  fake_->answer = InvalidArgument("bad shape [[{{node x}}]]");
  std::vector<Tensor> fetches;
  EXPECT_EQ(Run({}, &fetches).ToString(), "INVALID_ARGUMENT: bad shape [[{{node x}}]]");
  fake_->answer = Cancelled("sibling failed").AsDerived();
  EXPECT_TRUE(Run({}, &fetches).derived());
}

TEST_F(WorkerServiceTest, CancellationReachesTheStep) {
  fake_->hold = true;
  CancellationToken token;
  Notification answered;
  Status outcome;
  worker_->RunGraph({}, &token, [&](const Status& status, const std::vector<Tensor>&) {
    outcome = status;
    answered.Notify();
  });
  fake_->held.Wait();
  token.Cancel(Cancelled("enough"));
  answered.Wait();
  EXPECT_EQ(outcome.ToString(), "CANCELLED: enough");
  fake_->cancelled.Wait();
}

TEST_F(WorkerServiceTest, ReceivesTensorsAliveAndDead) {
  for (const bool is_dead : {false, true}) {
    fake_->is_dead = is_dead;
    const Status status = Waited([&](Worker::StatusDone done) {
      worker_->RecvTensor(8, "key", nullptr, [=](const Status& status, const Tensor& value, bool dead) {
        EXPECT_EQ(dead, is_dead);
        EXPECT_EQ(value.TypeAndShape(), is_dead ? "f32[0]" : "f32[2]");
        done(status);
      });
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(fake_->asked, "recv 8 key");
  }
}

TEST_F(WorkerServiceTest, RepeatedRequestIsAborted) {
  proto::RecvTensorRequest request;
  request.set_request_id(77);
  EXPECT_TRUE(channel_->CallAndWait(kWorkerRecvTensor, EncodeMessage(request), {}).ok());
  EXPECT_EQ(channel_->CallAndWait(kWorkerRecvTensor, EncodeMessage(request), {}).status().code(), Code::kAborted);
  request.set_request_id(0);
  EXPECT_TRUE(channel_->CallAndWait(kWorkerRecvTensor, EncodeMessage(request), {}).ok());
  EXPECT_TRUE(channel_->CallAndWait(kWorkerRecvTensor, EncodeMessage(request), {}).ok());
}

TEST_F(WorkerServiceTest, ErrorsGoIntoTheResponseWhereTheMasterAsksForThat) {
  fake_->answer = OutOfRange("end of data");
  proto::RunGraphRequest request;
  request.set_store_errors_in_response_body(true);
  const Result<Payload> payload = channel_->CallAndWait(kWorkerRunGraph, EncodeMessage(request), {});
  ASSERT_TRUE(payload.ok()) << payload.status().ToString();
  proto::RunGraphResponse response;
  ASSERT_TRUE(DecodeMessage(*payload, &response).ok());
  EXPECT_EQ(response.status_code(), static_cast<int>(Code::kOutOfRange));
  EXPECT_EQ(response.status_error_message(), "end of data");
}

TEST_F(WorkerServiceTest, BadBytesAreAnError) {
  const std::string noise = "\xff\xff\xff\xff garbage";
  for (const char* method :
       {kWorkerCreateWorkerSession, kWorkerDeleteWorkerSession, kWorkerRegisterGraph, kWorkerDeregisterGraph,
        kWorkerRunGraph, kWorkerCleanupGraph, kWorkerCleanupAll, kWorkerRecvTensor}) {
    EXPECT_EQ(channel_->CallAndWait(method, Payload(noise), {}).status().code(), Code::kInvalidArgument) << method;
  }
}

TEST_F(WorkerServiceTest, WhatIsNotOfferedSaysSo) {
  for (const char* method :
       {kWorkerTracing, kWorkerRecvBuf, kWorkerCompleteGroup, kWorkerCompleteInstance, kWorkerGetStepSequence}) {
    EXPECT_EQ(channel_->CallAndWait(method, Payload(), {}).status().code(), Code::kUnimplemented) << method;
  }
  EXPECT_TRUE(channel_->CallAndWait(kWorkerLogging, Payload(), {}).ok());
  EXPECT_TRUE(channel_->CallAndWait(kWorkerMarkRecvFinished, Payload(), {}).ok());
}

TEST_F(WorkerServiceTest, ClusterOfTheClientsOwnIsRefused) {
  proto::CreateWorkerSessionRequest request;
  request.mutable_server_def()->mutable_cluster()->add_job()->set_name("ps");
  EXPECT_EQ(channel_->CallAndWait(kWorkerCreateWorkerSession, EncodeMessage(request), {}).status().code(),
            Code::kUnimplemented);
}

TEST(RequestIdsTest, OnlyTheLastOnesAreRemembered) {
  RequestIds ids(2);
  EXPECT_TRUE(ids.Add(1, "m").ok());
  EXPECT_TRUE(ids.Add(2, "m").ok());
  EXPECT_EQ(ids.Add(1, "m").code(), Code::kAborted);
  EXPECT_TRUE(ids.Add(3, "m").ok());
  EXPECT_TRUE(ids.Add(1, "m").ok());
  EXPECT_NE(RequestIds::New(), RequestIds::New());
  EXPECT_GT(RequestIds::New(), 0);
}

}  // namespace
}  // namespace headrace
