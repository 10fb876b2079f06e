#include "session/graph_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor_testing.h"
#include "session/session_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

constexpr char kLocal[] = "/job:localhost/replica:0/task:0";

Tensor F(float value) { return Tensor::Scalar(value); }
float ValueOf(const Result<std::vector<Tensor>>& results, size_t index = 0) {
  return results.ok() && results->size() > index ? (*results)[index].scalar<float>() : -12345;
}

/// A session in one process, on a graph z = x + y, with a variable w and an op that waits.
class LocalSession : public ::testing::Test {
 protected:
  void SetUp() override {
    const Endpoint x = program_.Placeholder("x"), y = program_.Placeholder("y");
    program_.Op("z", "AddV2", {x, y});
    program_.Variable("w", 3, "", x);
    program_.Op("wait", "TestWait", {x});
    program_.Op("fail", "TestFail", {x});
    cluster_ = TestCluster::Make({kLocal});
    auto session = GraphSession::Create(program_.Def(), cluster_->Options(kLocal));
    ASSERT_TRUE(session.ok()) << session.status().ToString();
    session_ = *std::move(session);
  }
  Result<std::vector<Tensor>> Run(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                                  const std::vector<std::string>& targets = {}) {
    return session_->Run(feeds, fetches, targets);
  }

  TestProgram program_;
  std::shared_ptr<TestCluster> cluster_;
  std::shared_ptr<GraphSession> session_;
};

TEST_F(LocalSession, FetchesComeInTheOrderAskedForWithRepetitions) {
  const auto results = Run({{"y", F(10)}, {"x:0", F(1)}}, {"z:0", "w", "z"}, {});
  // `w` is a resource handle: fetching it is legal.
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results, 0), 11);
  EXPECT_EQ((*results)[1].dtype(), DType::kResource);
  EXPECT_EQ(ValueOf(results, 2), 11);
}

TEST_F(LocalSession, AnInnerTensorMayBeFed) {
  ASSERT_TRUE(Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(Run({{"w/read:0", F(8)}, {"y", F(1)}, {"x", F(2)}}, {"z"})), 3);
}

TEST_F(LocalSession, VariablesOutliveTheSteps) {
  EXPECT_EQ(Run({}, {"w/read"}).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(Run({}, {}, {"w/init"}).ok());
  EXPECT_EQ(ValueOf(Run({}, {"w/read"})), 3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Run({{"x", F(2)}}, {}, {"w/add"}).ok());
  EXPECT_EQ(ValueOf(Run({}, {"w/read:0"})), 9);
}

TEST_F(LocalSession, UnknownNamesAreNotFound) {
  EXPECT_EQ(Run({}, {"nobody:0"}).status().code(), Code::kNotFound);
  EXPECT_EQ(Run({{"nobody", F(1)}}, {"w/read"}).status().code(), Code::kNotFound);
  EXPECT_EQ(Run({}, {}, {"nobody"}).status().code(), Code::kNotFound);
}

TEST_F(LocalSession, AmbiguousRequestsAreRefused) {
  EXPECT_EQ(Run({{"x", F(1)}}, {"x"}).status().code(), Code::kInvalidArgument);
  EXPECT_THAT(Run({{"x", F(1)}}, {"x:0"}).status().message(), HasSubstr("both fed and fetched"));
  EXPECT_THAT(Run({{"x", F(1)}, {"x:0", F(1)}, {"y", F(1)}}, {"z"}).status().message(),
              HasSubstr("fed more than once"));
  EXPECT_THAT(Run({}, {}).status().message(), HasSubstr("Must specify at least one target to fetch or execute."));
  EXPECT_EQ(Run({}, {"z:7"}).status().code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, AFeedOfAnotherTypeIsRefused) {
  const auto results = Run({{"x", Tensor::Scalar<int64_t>(1)}, {"y", F(1)}}, {"z"});
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, AFeedOfAnotherShapeThanTheGraphSaysIsRefused) {
  TestProgram more;
  const Endpoint m = more.Op("m", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape({-1, 3})}});
  more.Op("m2", "AddV2", {m, m});
  ASSERT_TRUE(session_->Extend(more.Def()).ok());
  EXPECT_TRUE(Run({{"m", Tensor::FromValues<float>({1, 2, 3}, Shape({1, 3}))}}, {"m2"}).ok());
  const auto results = Run({{"m", Tensor::FromValues<float>({1, 2}, Shape({1, 2}))}}, {"m2"});
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(results.status().message(),
              HasSubstr("Cannot feed value of shape [1,2] for Tensor 'm:0', which has shape [?,3]"));
}

TEST_F(LocalSession, KernelErrorsNameTheNode) {
  EXPECT_THAT(Run({{"x", F(1)}}, {"fail"}).status().message(), HasSubstr("[[{{node fail}}]]"));
}

TEST_F(LocalSession, ExtendAddsToALivingSession) {
  ASSERT_TRUE(Run({}, {}, {"w/init"}).ok());
  TestProgram more;
  more.Op("twice", "AddV2", {more.Const("two", 2), more.Const("more", 5)});
  ASSERT_TRUE(session_->Extend(more.Def()).ok());
  EXPECT_EQ(ValueOf(Run({}, {"twice"})), 7);
  EXPECT_EQ(ValueOf(Run({}, {"w/read"})), 3);
  EXPECT_EQ(session_->Extend(more.Def()).code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, AFailedExtendAddsNothing) {
  GraphDef bad;
  bad.nodes.push_back({.name = "good", .op = "NoOp"});
  bad.nodes.push_back({.name = "bad", .op = "NoSuchOp"});
  EXPECT_EQ(session_->Extend(bad).code(), Code::kNotFound);
  EXPECT_EQ(Run({}, {}, {"good"}).status().code(), Code::kNotFound);
}

TEST_F(LocalSession, TheWholeGraphIsCheckedWhenTheSessionIsMade) {
  GraphDef unknown;
  unknown.nodes.push_back({.name = "n", .op = "NoSuchOp"});
  EXPECT_EQ(GraphSession::Create(unknown, cluster_->Options(kLocal)).status().code(), Code::kNotFound);
  GraphDef elsewhere;
  elsewhere.nodes.push_back({.name = "n", .op = "NoOp", .device = "/job:ps/task:7"});
  EXPECT_EQ(GraphSession::Create(elsewhere, cluster_->Options(kLocal)).status().code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, CallablesKeepTheirOrder) {
  const auto callable = session_->MakeCallable({.feeds = {"y", "x"}, .fetches = {"z"}});
  ASSERT_TRUE(callable.ok()) << callable.status().ToString();
  const std::vector<Tensor> feeds = {F(30), F(4)};
  EXPECT_EQ(ValueOf(session_->RunCallable(*callable, feeds)), 34);
  EXPECT_EQ(session_->RunCallable(*callable, std::span(feeds).first(1)).status().code(), Code::kInvalidArgument);
  EXPECT_TRUE(session_->ReleaseCallable(*callable).ok());
  EXPECT_EQ(session_->ReleaseCallable(*callable).code(), Code::kInvalidArgument);
  EXPECT_EQ(session_->RunCallable(*callable, feeds).status().code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, ATimeoutEndsTheStep) {
  CloseGate();
  const auto results = session_->Run({{"x", F(1)}}, {"wait"}, {}, {.timeout_ms = 30});
  EXPECT_EQ(results.status().code(), Code::kDeadlineExceeded) << results.status().ToString();
  EXPECT_THAT(results.status().message(), HasSubstr("it waited for node 'wait' (TestWait)"));
  OpenGate();
  EXPECT_EQ(ValueOf(session_->Run({{"x", F(1)}}, {"wait"}, {}, {.timeout_ms = 60'000})), 1);
}

TEST_F(LocalSession, TheCallerMayCancelAStep) {
  CloseGate();
  CancellationToken token;
  Status outcome;
  Notification finished;
  session_->RunAsync({{"x", F(1)}}, {"wait"}, {}, &token, [&](const Status& status, std::vector<Tensor>) {
    outcome = status;
    finished.Notify();
  });
  EXPECT_FALSE(finished.HasBeenNotified());
  token.Cancel(Cancelled("the client went away"));
  finished.Wait();
  EXPECT_EQ(outcome.code(), Code::kCancelled);
  EXPECT_THAT(outcome.message(), HasSubstr("the client went away"));
}

TEST_F(LocalSession, CloseEndsTheStepsAndRefusesLaterOnes) {
  CloseGate();
  Status outcome;
  session_->RunAsync({{"x", F(1)}}, {"wait"}, {}, nullptr,
                     [&](const Status& status, std::vector<Tensor>) { outcome = status; });
  EXPECT_TRUE(session_->Close().ok());
  EXPECT_EQ(outcome.code(), Code::kCancelled);
  EXPECT_THAT(outcome.message(), HasSubstr("explicit call to `Session::Close()`"));
  EXPECT_EQ(Run({}, {}, {"w/init"}).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(session_->Extend(GraphDef()).code(), Code::kFailedPrecondition);
  EXPECT_TRUE(session_->Close().ok());
}

TEST_F(LocalSession, APartialRunAddsFeedsUntilAllIsUsed) {
  TestProgram more;
  const Endpoint a = more.Placeholder("a"), b = more.Placeholder("b"), c = more.Placeholder("c");
  const Endpoint r1 = more.Op("r1", "AddV2", {a, b});
  more.Op("r2", "AddV2", {r1, c});
  ASSERT_TRUE(session_->Extend(more.Def()).ok());
  const auto handle = session_->PartialRunSetup({"a", "b", "c"}, {"r1", "r2"}, {});
  ASSERT_TRUE(handle.ok()) << handle.status().ToString();
  EXPECT_THAT(session_->PartialRun(*handle, {{"a", F(1)}}, {"r2"}).status().message(),
              HasSubstr("can't be computed from the feeds that have been fed so far"));
  EXPECT_EQ(ValueOf(session_->PartialRun(*handle, {{"a", F(1)}, {"b", F(2)}}, {"r1:0"})), 3);
  EXPECT_THAT(session_->PartialRun(*handle, {{"a", F(1)}}, {}).status().message(), HasSubstr("has already been fed"));
  EXPECT_THAT(session_->PartialRun(*handle, {{"x", F(1)}}, {}).status().message(), HasSubstr("was not specified"));
  EXPECT_EQ(ValueOf(session_->PartialRun(*handle, {{"c", F(10)}}, {"r2"})), 13);
  EXPECT_EQ(session_->PartialRun(*handle, {}, {}).status().code(), Code::kInvalidArgument);
}

TEST_F(LocalSession, AnErrorEndsAPartialRun) {
  const auto handle = session_->PartialRunSetup({"x", "y"}, {"fail", "z"}, {});
  ASSERT_TRUE(handle.ok()) << handle.status().ToString();
  const auto results = session_->PartialRun(*handle, {{"x", F(1)}}, {"fail"});
  EXPECT_THAT(results.status().message(), HasSubstr("the test wants it"));
  EXPECT_FALSE(session_->PartialRun(*handle, {{"y", F(1)}}, {"z"}).ok());
}

TEST_F(LocalSession, CloseEndsPartialRunsThatWait) {
  ASSERT_TRUE(session_->PartialRunSetup({"x", "y"}, {"z"}, {}).ok());
  const auto begun = session_->PartialRunSetup({"x", "y"}, {"z"}, {});
  ASSERT_TRUE(session_->PartialRun(*begun, {{"x", F(1)}}, {}).ok());
  EXPECT_TRUE(session_->Close().ok());
}

TEST_F(LocalSession, StepsAndPreparationsRunAtTheSameTime) {
  constexpr int kNumThreads = 4;
  const auto pool = MakeThreadPool("test", kNumThreads);
  std::vector<Notification> finished(kNumThreads);
  for (int thread = 0; thread < kNumThreads; ++thread) {
    pool->Schedule([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const auto results = Run({{"x", F(static_cast<float>(thread))}, {"y", F(static_cast<float>(i))}},
                                 i % 3 == 0 ? std::vector<std::string>{"z"} : std::vector<std::string>{"z", "w"});
        EXPECT_EQ(ValueOf(results), static_cast<float>(thread + i)) << results.status().ToString();
      }
      finished[static_cast<size_t>(thread)].Notify();
    });
  }
  for (Notification& notification : finished) notification.Wait();
}

TEST_F(LocalSession, ListsTheDevices) {
  const auto devices = session_->ListDevices();
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].name, "/job:localhost/replica:0/task:0/device:CPU:0");
  EXPECT_NE(devices[0].incarnation, 0u);
}

}  // namespace
}  // namespace headrace
