// What an observer is told of a step: the nodes that ran, their times and outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "executor/executor_testing.h"
#include "executor/step_observer.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;

Tensor F(float value) { return Tensor::Scalar(value); }

class Observer final : public StepObserver {
 public:
  struct Seen {
    TimePoint ready, begin, end;
    std::vector<Tensor> outputs;
  };
  void OnNodeRun(const NodeRun& run) override {
    std::lock_guard lock(mutex_);
    Seen& seen = nodes[run.node.name()];
    seen = {run.ready, run.begin, run.end, {}};
    for (const InputValue& output : run.outputs) seen.outputs.push_back(output.tensor);
    ++num_runs;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, seen] : nodes) names.push_back(name);
    return names;
  }

  std::map<std::string, Seen> nodes;
  int num_runs = 0;

 private:
  std::mutex mutex_;
};

Status RunObserved(const StepPlan& plan, const std::vector<Tensor>& args, StepObserver* observer) {
  std::vector<Tensor> results(plan.fetches().size());
  StepContext context = plan.NewContext();
  context.args = args;
  context.results = results;
  Notification finished;
  Status outcome;
  plan.Run(
      &context,
      [&](const Status& status) {
        outcome = status;
        finished.Notify();
      },
      observer);
  finished.Wait();
  return outcome;
}

TEST(StepObserver, IsToldOfEachNodeWithItsOutputsAndTimes) {
  TestGraph g;
  const Endpoint a = g.Add(g.Arg(DType::kFloat, 0), g.Const(F(1)), {}, "a");
  const Endpoint b = g.Op(TestBusy(), {a, a}, {}, {}, "b");
  g.Retval(g.Add(a, b, {}, "c"), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  Observer observer;
  ASSERT_TRUE(RunObserved(**plan, {F(2)}, &observer).ok());
  ASSERT_THAT(observer.Names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(observer.nodes["a"].outputs[0].scalar<float>(), 3);
  EXPECT_EQ(observer.nodes["c"].outputs[0].scalar<float>(), 9);
  for (const auto& [name, seen] : observer.nodes) {
    EXPECT_LE(seen.ready, seen.begin) << name;
    EXPECT_LE(seen.begin, seen.end) << name;
  }
  EXPECT_GE(observer.nodes["b"].end - observer.nodes["b"].begin, std::chrono::microseconds(100));
  EXPECT_EQ(observer.nodes["c"].ready, observer.nodes["b"].end);
}

TEST(StepObserver, IsToldOfAKernelThatWaitsWhenItIsDone) {
  CloseGate();
  TestGraph g;
  g.Retval(g.Op(TestWait(), {g.Arg(DType::kFloat, 0)}, {}, {}, "waits"), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  const std::vector<Tensor> args = {F(4)};
  std::vector<Tensor> results(1);
  StepContext context = (*plan)->NewContext();
  context.args = args;
  context.results = results;
  Observer observer;
  Notification finished;
  (*plan)->Run(
      &context, [&](const Status&) { finished.Notify(); }, &observer);
  EXPECT_EQ(observer.num_runs, 0);
  const TimePoint opened = RealClock().Now();
  OpenGate();
  finished.Wait();
  ASSERT_THAT(observer.Names(), ElementsAre("waits"));
  EXPECT_LE(observer.nodes["waits"].begin, opened);
  EXPECT_GE(observer.nodes["waits"].end, opened);
  EXPECT_EQ(observer.nodes["waits"].outputs[0].scalar<float>(), 4);
}

TEST(StepObserver, IsNotToldOfDeadNodesNorOfOnesThatFail) {
  TestGraph g;
  Node* choice = g.Switch(g.Const(F(1)), g.Arg(DType::kBool, 0));
  const Endpoint no = g.Add(Endpoint{choice, 0}, Endpoint{choice, 0}, {}, "no");
  const Endpoint yes = g.Op(TestFail(), {Endpoint{choice, 1}}, {}, {}, "yes");
  g.Retval(g.Merge({no, yes}), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  Observer live, failed;
  EXPECT_TRUE(RunObserved(**plan, {Tensor::Scalar(false)}, &live).ok());
  EXPECT_TRUE(live.nodes.contains("no"));
  EXPECT_FALSE(live.nodes.contains("yes"));
  EXPECT_FALSE(RunObserved(**plan, {Tensor::Scalar(true)}, &failed).ok());
  EXPECT_FALSE(failed.nodes.contains("no"));
  EXPECT_FALSE(failed.nodes.contains("yes"));
}

TEST(StepObserver, IsOfOneStepOnly) {
  TestGraph g;
  g.Retval(g.Add(g.Arg(DType::kFloat, 0), g.Const(F(1)), {}, "a"), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  Observer observer;
  ASSERT_TRUE(RunObserved(**plan, {F(2)}, &observer).ok());
  ASSERT_TRUE(RunObserved(**plan, {F(2)}, nullptr).ok());
  EXPECT_EQ(observer.num_runs, 1);
}

}  // namespace
}  // namespace headrace
