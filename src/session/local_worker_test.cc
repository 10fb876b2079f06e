#include "session/local_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/session_testing.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

constexpr char kDevice[] = "/job:ps/replica:0/task:0/device:CPU:0";

/// A worker with a session "s" and a graph that sends a constant to another task.
class SendingWorker : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_ = TestCluster::Make({kPs});
    worker_ = &cluster_->LocalAt(kPs);
    CreateSession("s", 1);
    TestProgram program;
    const Endpoint value = program.Const("value", 7);
    program.Op("send", "_Send", {value},
               {{"T", DType::kFloat},
                {"tensor_name", "edge"},
                {"send_device", kDevice},
                {"recv_device", "/job:w/task:0"},
                {"send_device_incarnation", static_cast<int64_t>(worker_->incarnation())}});
    Graph graph;
    ASSERT_TRUE(ImportGraphDef(program.Def(), &graph).ok());
    worker_->RegisterGraph({"s", std::make_shared<const Graph>(std::move(graph))}, TimePoint::max(),
                           [&](const Status& status, std::string handle) {
                             EXPECT_TRUE(status.ok()) << status.ToString();
                             graph_handle_ = std::move(handle);
                           });
  }
  void CreateSession(const std::string& handle, uint64_t master_incarnation) {
    worker_->CreateWorkerSession({handle, false, "/job:w/replica:0/task:0", master_incarnation}, TimePoint::max(),
                                 [](const Status& status) { EXPECT_TRUE(status.ok()) << status.ToString(); });
  }
  Status RunGraph(const std::string& session, int64_t step_id) {
    Status outcome = Unknown("no answer");
    worker_->RunGraph({.session_handle = session, .graph_handle = graph_handle_, .step_id = step_id}, nullptr,
                      [&](const Status& status, std::vector<Tensor>) { outcome = status; });
    return outcome;
  }
  std::string Key(uint64_t incarnation) const {
    return RendezvousKey{kDevice, incarnation, "/job:w/task:0", "edge", 0, 0}.ToString();
  }
  struct Answer {
    int calls = 0;
    Status status;
    Tensor value;
  };
  void Recv(int64_t step_id, const std::string& key, Answer* answer, CancellationToken* token = nullptr) {
    worker_->RecvTensor(step_id, key, token, [answer](const Status& status, Tensor value, bool) {
      ++answer->calls;
      answer->status = status;
      answer->value = std::move(value);
    });
  }

  std::shared_ptr<TestCluster> cluster_;
  LocalWorker* worker_ = nullptr;
  std::string graph_handle_;
};

TEST_F(SendingWorker, APeerMayAskBeforeTheStepBegins) {
  Answer early, late;
  Recv(1, Key(worker_->incarnation()), &early);
  EXPECT_EQ(early.calls, 0);
  EXPECT_TRUE(RunGraph("s", 1).ok());
  ASSERT_EQ(early.calls, 1);
  EXPECT_EQ(early.value.scalar<float>(), 7);
  EXPECT_TRUE(RunGraph("s", 2).ok());
  Recv(2, Key(worker_->incarnation()), &late);
  ASSERT_EQ(late.calls, 1);
  EXPECT_EQ(late.value.scalar<float>(), 7);
}

TEST_F(SendingWorker, CleanupEndsAPeerThatStillWaits) {
  Answer answer;
  EXPECT_TRUE(RunGraph("s", 1).ok());
  std::string other = Key(worker_->incarnation());
  other.replace(other.find("edge"), 4, "none");
  Recv(1, other, &answer);
  EXPECT_EQ(answer.calls, 0);
  worker_->CleanupGraph(1, [](const Status& status) { EXPECT_TRUE(status.ok()); });
  EXPECT_EQ(answer.calls, 1);
  EXPECT_FALSE(answer.status.ok());
}

TEST_F(SendingWorker, APeerMayGiveUp) {
  Answer answer;
  CancellationToken token;
  Recv(1, Key(worker_->incarnation()), &answer, &token);
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(answer.status.code(), Code::kCancelled);
  EXPECT_TRUE(RunGraph("s", 1).ok());
}

TEST_F(SendingWorker, AnotherIncarnationIsAborted) {
  Answer answer;
  Recv(1, Key(worker_->incarnation() + 1), &answer);
  EXPECT_EQ(answer.status.code(), Code::kAborted);
  EXPECT_THAT(answer.status.message(), HasSubstr("different device incarnation"));
  Recv(1, "garbage", &answer);
  EXPECT_EQ(answer.status.code(), Code::kInvalidArgument);
}

TEST_F(SendingWorker, UnknownSessionsAndGraphsAreAborted) {
  EXPECT_EQ(RunGraph("nobody", 1).code(), Code::kAborted);
  graph_handle_ = "nothing";
  EXPECT_EQ(RunGraph("s", 1).code(), Code::kAborted);
}

TEST_F(SendingWorker, ARestartedMasterReplacesItsOldSessions) {
  CreateSession("t", 1);
  EXPECT_TRUE(RunGraph("s", 1).ok());
  CreateSession("u", 2);
  EXPECT_EQ(RunGraph("s", 2).code(), Code::kAborted);
}

TEST_F(SendingWorker, ANodeOfAnotherTaskIsRefused) {
  TestProgram program;
  program.Const("value", 7, "/job:elsewhere/replica:0/task:0/device:CPU:0");
  Graph graph;
  ASSERT_TRUE(ImportGraphDef(program.Def(), &graph).ok());
  worker_->RegisterGraph({"s", std::make_shared<const Graph>(std::move(graph))}, TimePoint::max(),
                         [](const Status& status, std::string) { EXPECT_EQ(status.code(), Code::kInvalidArgument); });
}

}  // namespace
}  // namespace headrace
