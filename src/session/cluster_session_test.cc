// Sessions over three tasks in one process: a parameter server and two workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor_testing.h"
#include "session/session_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Tensor F(float value) { return Tensor::Scalar(value); }
float ValueOf(const Result<std::vector<Tensor>>& results, size_t index = 0) {
  return results.ok() && results->size() > index ? (*results)[index].scalar<float>() : -12345;
}

std::shared_ptr<TestCluster> ThreeTasks() { return TestCluster::Make({kPs, kWorker0, kWorker1}); }

std::shared_ptr<GraphSession> Open(const GraphDef& def, GraphSessionOptions options) {
  auto session = GraphSession::Create(def, std::move(options));
  EXPECT_TRUE(session.ok()) << session.status().ToString();
  return session.ok() ? *std::move(session) : nullptr;
}

/// A variable on the ps; a worker reads it, and adds what it is fed.
GraphDef VariableOnPs() {
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:worker/task:1");
  const Endpoint read = program.Variable("w", 100, "/job:ps/task:0", x);
  program.Op("sum", "AddV2", {read, x}, {}, "/job:worker/task:1");
  return program.Def();
}

TEST(ClusterSession, TensorsCrossBetweenTheTasksOfAStep) {
  const auto cluster = ThreeTasks();
  const auto session = Open(VariableOnPs(), cluster->Options(kWorker0));
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(session->Run({{"x", F(5)}}, {"sum"}, {})), 105);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session->Run({{"x", F(2)}}, {}, {"w/add"}).ok());
  EXPECT_EQ(ValueOf(session->Run({}, {"w/read"}, {})), 106);
  EXPECT_EQ(session->ListDevices().size(), 3u);
}

TEST(ClusterSession, SessionsOfDifferentMastersShareTheState) {
  const auto cluster = ThreeTasks();
  const auto first = Open(VariableOnPs(), cluster->Options(kWorker0));
  const auto second = Open(VariableOnPs(), cluster->Options(kWorker1));
  ASSERT_TRUE(first->Run({}, {}, {"w/init"}).ok());
  ASSERT_TRUE(second->Run({{"x", F(1)}}, {}, {"w/add"}).ok());
  EXPECT_EQ(ValueOf(first->Run({}, {"w/read"}, {})), 101);
}

TEST(ClusterSession, AnIsolatedSessionHasItsOwnState) {
  const auto cluster = ThreeTasks();
  const auto shared = Open(VariableOnPs(), cluster->Options(kWorker0));
  GraphSessionOptions options = cluster->Options(kWorker1);
  options.isolate_session_state = true;
  const auto isolated = Open(VariableOnPs(), options);
  ASSERT_TRUE(shared->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(isolated->Run({}, {"w/read"}, {}).status().code(), Code::kFailedPrecondition);
}

TEST(ClusterSession, StateOutlivesTheSessionAndEndsWithItsContainer) {
  const auto cluster = ThreeTasks();
  ASSERT_TRUE(Open(VariableOnPs(), cluster->Options(kWorker0))->Run({}, {}, {"w/init"}).ok());
  const auto later = Open(VariableOnPs(), cluster->Options(kWorker0));
  EXPECT_EQ(ValueOf(later->Run({}, {"w/read"}, {})), 100);
  cluster->LocalAt(kPs).CleanupAll({}, TimePoint::max(), [](const Status& status) { EXPECT_TRUE(status.ok()); });
  EXPECT_EQ(later->Run({}, {"w/read"}, {}).status().code(), Code::kFailedPrecondition);
}

TEST(ClusterSession, AnErrorNamesItsTaskAndNodeAndEndsTheOthers) {
  CloseGate();
  const auto cluster = ThreeTasks();
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:worker/task:0");
  program.Op("waits", "TestWait", {program.Const("one", 1, "/job:worker/task:1")}, {}, "/job:worker/task:1");
  program.Op("fails", "TestFail", {x}, {}, "/job:ps/task:0");
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  const auto results = session->Run({{"x", F(1)}}, {"waits", "fails"}, {});
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(results.status().message(),
              AllOf(HasSubstr("From /job:ps/replica:0/task:0:\nthe test wants it"), HasSubstr("[[{{node fails}}]]")));
}

TEST(ClusterSession, DeadTensorsCrossTasks) {
  const auto cluster = ThreeTasks();
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:worker/task:0");
  const Endpoint pred = program.Op("pred", "Placeholder", {}, {{"dtype", DType::kBool}}, "/job:worker/task:0");
  Node* choice = program.Op("switch", "Switch", {x, pred}, {}, "/job:worker/task:0").node;
  const Endpoint no = program.Op("no", "AddV2", {Endpoint{choice, 0}, Endpoint{choice, 0}}, {}, "/job:ps/task:0");
  const Endpoint yes =
      program.Op("yes", "AddV2", {Endpoint{choice, 1}, program.Const("ten", 10)}, {}, "/job:worker/task:1");
  program.Op("merge", "Merge", {no, yes}, {}, "/job:worker/task:0");
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  EXPECT_EQ(ValueOf(session->Run({{"x", F(3)}, {"pred", Tensor::Scalar(false)}}, {"merge"}, {})), 6);
  EXPECT_EQ(ValueOf(session->Run({{"x", F(3)}, {"pred", Tensor::Scalar(true)}}, {"merge"}, {})), 13);
}

TEST(ClusterSession, AChainThatAlternatesBetweenTasksNeedsNoStack) {
  const auto cluster = ThreeTasks();
  TestProgram program;
  Endpoint value = program.Placeholder("x", "/job:worker/task:0");
  const Endpoint one[2] = {program.Const("one0", 1, "/job:ps/task:0"), program.Const("one1", 1, "/job:worker/task:0")};
  constexpr int kLength = 5'000;
  for (int i = 0; i < kLength; ++i) {
    value = program.Op(StrCat("add", i), "AddV2", {value, one[i % 2]}, {},
                       i % 2 == 0 ? "/job:ps/task:0" : "/job:worker/task:0");
  }
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  EXPECT_EQ(ValueOf(session->Run({{"x", F(0)}}, {StrCat("add", kLength - 1)}, {})), kLength);
}

// A graph whose node "waits" waits at the ps.
GraphDef WaitsAtThePs() {
  TestProgram program;
  program.Op("waits", "TestWait", {program.Const("one", 1, "/job:ps/task:0")}, {}, "/job:ps/task:0");
  return program.Def();
}

TEST(ClusterSession, CloseEndsAStepThatWaitsAtAnotherTask) {
  CloseGate();
  const auto cluster = ThreeTasks();
  const auto session = Open(WaitsAtThePs(), cluster->Options(kWorker0));
  Status outcome;
  session->RunAsync({}, {"waits"}, {}, nullptr,
                    [&](const Status& status, const std::vector<Tensor>&) { outcome = status; });
  EXPECT_TRUE(session->Close().ok());
  EXPECT_EQ(outcome.code(), Code::kCancelled);
  EXPECT_THAT(outcome.message(), HasSubstr("explicit call to `Session::Close()`"));
}

TEST(ClusterSession, ATimeoutSaysWhoWaitedForWhat) {
  CloseGate();
  const auto cluster = ThreeTasks();
  const auto session = Open(WaitsAtThePs(), cluster->Options(kWorker0));
  const auto results = session->Run({}, {"waits"}, {}, {.timeout_ms = 30});
  EXPECT_EQ(results.status().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(results.status().message(), AllOf(HasSubstr(kPs), HasSubstr("node 'waits' (TestWait)")));
}

TEST(ClusterSession, ATaskThatStopsEndsItsStepsAsUnavailable) {
  CloseGate();
  const auto cluster = ThreeTasks();
  const auto session = Open(WaitsAtThePs(), cluster->Options(kWorker0));
  Status outcome;
  session->RunAsync({}, {"waits"}, {}, nullptr,
                    [&](const Status& status, const std::vector<Tensor>&) { outcome = status; });
  cluster->LocalAt(kPs).Stop(Unavailable("The server is stopping"));
  EXPECT_EQ(outcome.code(), Code::kUnavailable) << outcome.ToString();
}

TEST(ClusterSession, ARestartedTaskAbortsTheStepsOfOldSessions) {
  const auto cluster = ThreeTasks();
  const auto session = Open(VariableOnPs(), cluster->Options(kWorker0));
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  // A new process behind the old address: the session's worker is an address, not an object.
  class Address final : public Worker {
   public:
    explicit Address(std::shared_ptr<Worker> worker) : worker_(std::move(worker)) {}
    std::shared_ptr<Worker> worker_;
    const std::string& task_name() const override { return worker_->task_name(); }
    void GetStatus(TimePoint deadline,
                   std::function<void(const Status&, std::vector<DeviceAttributes>)> done) override {
      worker_->GetStatus(deadline, done);
    }
    void CreateWorkerSession(const CreateWorkerSessionRequest& r, TimePoint d, StatusDone done) override {
      worker_->CreateWorkerSession(r, d, done);
    }
    void DeleteWorkerSession(const std::string& s, TimePoint d, StatusDone done) override {
      worker_->DeleteWorkerSession(s, d, done);
    }
    void RegisterGraph(RegisterGraphRequest r, TimePoint d,
                       std::function<void(const Status&, std::string)> done) override {
      worker_->RegisterGraph(std::move(r), d, done);
    }
    void DeregisterGraph(const std::string& s, const std::string& g, StatusDone done) override {
      worker_->DeregisterGraph(s, g, done);
    }
    void RunGraph(RunGraphRequest r, CancellationToken* c,
                  std::function<void(const Status&, std::vector<Tensor>)> done) override {
      worker_->RunGraph(std::move(r), c, done);
    }
    void CleanupGraph(int64_t step, StatusDone done) override { worker_->CleanupGraph(step, done); }
    void CleanupAll(const std::vector<std::string>& c, TimePoint d, StatusDone done) override {
      worker_->CleanupAll(c, d, done);
    }
    void RecvTensor(int64_t step, const std::string& key, CancellationToken* c, Rendezvous::Done done) override {
      worker_->RecvTensor(step, key, c, std::move(done));
    }
  };
  auto address = std::make_shared<Address>(*cluster->Find(kPs));
  cluster->Replace(kPs, address);
  const auto through_address = Open(VariableOnPs(), cluster->Options(kWorker1));
  ASSERT_TRUE(through_address->Run({{"x", F(1)}}, {"sum"}, {}).ok());
  const auto restarted = cluster->Start(kPs);
  cluster->Replace(kPs, address);
  address->worker_ = restarted;
  const auto results = through_address->Run({{"x", F(1)}}, {"sum"}, {});
  EXPECT_EQ(results.status().code(), Code::kAborted) << results.status().ToString();
}

/// A task that cannot be reached.
class MissingWorker final : public Worker {
 public:
  explicit MissingWorker(std::string name) : name_(std::move(name)) {}
  const std::string& task_name() const override { return name_; }
  void GetStatus(TimePoint, std::function<void(const Status&, std::vector<DeviceAttributes>)> done) override {
    done(DeadlineExceeded("connection refused"), {});
  }
  void CreateWorkerSession(const CreateWorkerSessionRequest&, TimePoint, StatusDone done) override { done(Gone()); }
  void DeleteWorkerSession(const std::string&, TimePoint, StatusDone done) override { done(Gone()); }
  void RegisterGraph(RegisterGraphRequest, TimePoint, std::function<void(const Status&, std::string)> done) override {
    done(Gone(), "");
  }
  void DeregisterGraph(const std::string&, const std::string&, StatusDone done) override { done(Gone()); }
  void RunGraph(RunGraphRequest, CancellationToken*,
                std::function<void(const Status&, std::vector<Tensor>)> done) override {
    done(Gone(), {});
  }
  void CleanupGraph(int64_t, StatusDone done) override { done(Gone()); }
  void CleanupAll(const std::vector<std::string>&, TimePoint, StatusDone done) override { done(Gone()); }
  void RecvTensor(int64_t, const std::string&, CancellationToken*, Rendezvous::Done done) override {
    done(Gone(), Tensor(), false);
  }

 private:
  static Status Gone() { return Unavailable("connection refused"); }
  const std::string name_;
};

TEST(ClusterSession, CreationSaysWhoIsMissing) {
  const auto cluster = ThreeTasks();
  cluster->Replace(kWorker1, std::make_shared<MissingWorker>(kWorker1));
  const auto session = GraphSession::Create(VariableOnPs(), cluster->Options(kWorker0));
  EXPECT_EQ(session.status().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(session.status().message(),
              AllOf(HasSubstr(kWorker1), HasSubstr("address of /job:worker/replica:0/task:1"),
                    HasSubstr("connection refused")));
}

TEST(ClusterSession, DeviceFiltersLeaveTasksOut) {
  const auto cluster = ThreeTasks();
  cluster->Replace(kWorker1, std::make_shared<MissingWorker>(kWorker1));
  GraphSessionOptions options = cluster->Options(kWorker0);
  options.device_filters = {"/job:ps"};
  TestProgram program;
  program.Variable("w", 1, "/job:ps/task:0");
  const auto session = Open(program.Def(), options);
  EXPECT_EQ(session->ListDevices().size(), 2u);
  options.device_filters = {"/job:ps/tusk:0"};
  EXPECT_EQ(GraphSession::Create(program.Def(), options).status().code(), Code::kInvalidArgument);
}

TEST(ClusterSession, APartialRunSpansTasks) {
  const auto cluster = ThreeTasks();
  TestProgram program;
  const Endpoint a = program.Placeholder("a"), b = program.Placeholder("b");
  const Endpoint first = program.Op("first", "AddV2", {a, program.Const("one", 1)}, {}, "/job:ps/task:0");
  program.Op("second", "AddV2", {first, b}, {}, "/job:worker/task:1");
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  const auto handle = session->PartialRunSetup({"a", "b"}, {"first", "second"}, {});
  ASSERT_TRUE(handle.ok()) << handle.status().ToString();
  EXPECT_EQ(ValueOf(session->PartialRun(*handle, {{"a", F(1)}}, {"first"})), 2);
  EXPECT_EQ(ValueOf(session->PartialRun(*handle, {{"b", F(5)}}, {"second"})), 7);
}

TEST(ClusterSession, ATaskMayHaveSeveralDevices) {
  const auto cluster = TestCluster::Make({kPs, kWorker0}, /*devices_per_task=*/2);
  TestProgram program;
  const Endpoint read = program.Variable("w", 1, "/job:ps/task:0/device:CPU:1");
  program.Op("sum", "AddV2", {read, program.Const("two", 2, "/job:ps/task:0/device:CPU:0")}, {},
             "/job:ps/task:0/device:CPU:0");
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  EXPECT_EQ(session->ListDevices().size(), 4u);
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(session->Run({}, {"sum"}, {})), 3);
}

TEST(ClusterSession, ManyStepsRunAtTheSameTime) {
  const auto cluster = ThreeTasks();
  const auto session = Open(VariableOnPs(), cluster->Options(kWorker0));
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  constexpr int kNumThreads = 4;
  constexpr int kNumSteps = 50;
  const auto pool = MakeThreadPool("test", kNumThreads);
  std::vector<Notification> finished(kNumThreads);
  for (Notification& notification : finished) {
    pool->Schedule([&] {
      for (int i = 0; i < kNumSteps; ++i) EXPECT_TRUE(session->Run({{"x", F(1)}}, {"sum"}, {"w/add"}).ok());
      notification.Notify();
    });
  }
  for (Notification& notification : finished) notification.Wait();
  EXPECT_EQ(ValueOf(session->Run({}, {"w/read"}, {})), 100 + kNumThreads * kNumSteps);
}

}  // namespace
}  // namespace headrace
