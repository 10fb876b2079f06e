// Random graphs, run by plans and by a naive evaluator that visits nodes in order: the results must agree, also when several
// threads run steps of one plan at the same time.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "executor/executor_testing.h"
#include "executor/loop_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using Value = std::optional<float>;  // nothing: dead

/// A graph, and what each of its results must be for given arguments.
struct RandomGraph {
  TestGraph graph;
  std::vector<std::function<Value(const std::vector<Value>& earlier, const std::vector<float>& args)>> formulas;
  std::vector<Endpoint> endpoints;  // as the formulas
  std::vector<size_t> fetched;      // by result index: the formula

  Value Evaluate(size_t wanted, const std::vector<float>& args) const {
    std::vector<Value> values;
    for (size_t i = 0; i <= wanted; ++i) values.push_back(formulas[i](values, args));
    return values[wanted];
  }
};

constexpr int kNumArgs = 3;

/// for (i = 0; i < turns; ++i) sum += step, as a loop; everything in it is dead where `sum` or `step` is.
Endpoint AddLoop(TestGraph* g, Endpoint sum, Endpoint step, int turns, uint32_t parallel) {
  Loop loop(g, StrCat("loop", g->graph().num_nodes()), static_cast<int>(1 + parallel % 3));
  const Endpoint one = g->Const(Tensor::Scalar(1.0f));
  const Endpoint i = loop.Variable(g->Const(Tensor::Scalar(0.0f), {g->Add(sum, step).node}));
  loop.Variable(g->Add(sum, g->Const(Tensor::Scalar(0.0f))));
  const Endpoint add = loop.Enter(step, true), more = loop.Enter(one, true);
  const Endpoint limit = loop.Enter(g->Const(Tensor::Scalar(static_cast<float>(turns))), true);
  const auto body = loop.While(g->Op(TestLess(), {i, limit}));
  return loop.End({g->Add(body[0], more), g->Add(body[1], add)})[1];
}

void AddRandomNode(RandomGraph* r, std::mt19937* random) {
  const auto pick = [&] { return std::uniform_int_distribution<size_t>(0, r->endpoints.size() - 1)(*random); };
  const size_t a = pick(), b = pick(), c = pick();
  const auto kind = std::uniform_int_distribution<int>(0, 10)(*random);
  if (kind < 6) {
    const bool is_busy = kind == 0;
    // To keep the formulas simple nothing waits for a Switch by control: it may be alive where the fetched side is dead.
    const bool has_control = kind < 3 && r->endpoints[c].node->op() != "Switch";
    std::vector<Node*> controls;
    if (has_control) controls.push_back(r->endpoints[c].node);
    r->endpoints.push_back(is_busy ? r->graph.Op(TestBusy(), {r->endpoints[a], r->endpoints[b]}, {}, controls)
                                   : r->graph.Add(r->endpoints[a], r->endpoints[b], controls));
    r->formulas.push_back([=](const std::vector<Value>& v, const std::vector<float>&) -> Value {
      if (has_control && !v[c]) return std::nullopt;
      return v[a] && v[b] ? Value(*v[a] + *v[b]) : std::nullopt;
    });
  } else if (kind < 8) {
    const bool pred = std::bernoulli_distribution(0.5)(*random);
    Node* node = r->graph.Switch(r->endpoints[a], r->graph.Const(Tensor::Scalar(pred)));
    const int side = std::bernoulli_distribution(0.5)(*random) ? 1 : 0;
    r->endpoints.push_back(Endpoint{node, side});
    r->formulas.push_back([=](const std::vector<Value>& v, const std::vector<float>&) -> Value {
      return side == static_cast<int>(pred) ? v[a] : std::nullopt;
    });
  } else if (kind == 8) {
    const int turns = std::uniform_int_distribution<int>(0, 4)(*random);
    r->endpoints.push_back(AddLoop(&r->graph, r->endpoints[a], r->endpoints[b], turns, (*random)()));
    r->formulas.push_back([=](const std::vector<Value>& v, const std::vector<float>&) -> Value {
      if (!v[a] || !v[b]) return std::nullopt;
      float sum = *v[a];
      for (int i = 0; i < turns; ++i) sum += *v[b];
      return sum;
    });
  } else {
    // Both sides of one condition, so that only one is alive and the merge has one answer.
    const bool pred = std::bernoulli_distribution(0.5)(*random);
    Node* node = r->graph.Switch(r->endpoints[a], r->graph.Const(Tensor::Scalar(pred)));
    const Endpoint no = r->graph.Add(Endpoint{node, 0}, Endpoint{node, 0});
    r->endpoints.push_back(r->graph.Merge({no, Endpoint{node, 1}}));
    r->formulas.push_back([=](const std::vector<Value>& v, const std::vector<float>&) -> Value {
      if (!v[a]) return std::nullopt;
      return pred ? *v[a] : *v[a] + *v[a];
    });
  }
}

RandomGraph MakeRandomGraph(uint32_t seed) {
  std::mt19937 random(seed);
  RandomGraph r;
  for (int i = 0; i < kNumArgs; ++i) {
    r.endpoints.push_back(r.graph.Arg(DType::kFloat, i));
    r.formulas.push_back([i](const std::vector<Value>&, const std::vector<float>& args) -> Value {
      return args[static_cast<size_t>(i)];
    });
  }
  const int num_nodes = std::uniform_int_distribution<int>(5, 80)(random);
  for (int i = 0; i < num_nodes; ++i) AddRandomNode(&r, &random);
  const std::vector<float> any_args(kNumArgs, 1);
  for (size_t i = 0; i < r.formulas.size(); ++i) {
    if (!r.Evaluate(i, any_args)) continue;  // whether a value is dead does not depend on the arguments
    r.graph.Retval(r.endpoints[i], static_cast<int>(r.fetched.size()));
    r.fetched.push_back(i);
  }
  return r;
}

void ExpectSameResults(const RandomGraph& r, const StepPlan& plan, uint32_t seed, int round) {
  const std::vector<float> args = {static_cast<float>(round), 2, static_cast<float>(seed % 7)};
  const auto results = RunStep(plan, {Tensor::Scalar(args[0]), Tensor::Scalar(args[1]), Tensor::Scalar(args[2])});
  ASSERT_TRUE(results.ok()) << results.status().ToString() << " seed " << seed;
  for (size_t i = 0; i < r.fetched.size(); ++i) {
    ASSERT_EQ((*results)[i].scalar<float>(), *r.Evaluate(r.fetched[i], args)) << "result " << i << " seed " << seed;
  }
}

TEST(RandomGraph, APlanComputesWhatANaiveEvaluatorDoes) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    RandomGraph r = MakeRandomGraph(seed);
    const auto plan = r.graph.Compile();
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    for (int round = 0; round < 3; ++round) ExpectSameResults(r, **plan, seed, round);
  }
}

TEST(RandomGraph, StepsOfOnePlanRunAtTheSameTime) {
  constexpr int kNumThreads = 4;
  const std::unique_ptr<ThreadPool> pool = MakeThreadPool("test", kNumThreads);
  for (uint32_t seed = 1000; seed < 1010; ++seed) {
    RandomGraph r = MakeRandomGraph(seed);
    const auto plan = r.graph.Compile();
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    std::vector<Notification> finished(kNumThreads);
    for (int thread = 0; thread < kNumThreads; ++thread) {
      pool->Schedule([&, thread] {
        for (int round = 0; round < 20; ++round) ExpectSameResults(r, **plan, seed, thread * 100 + round);
        finished[static_cast<size_t>(thread)].Notify();
      });
    }
    for (Notification& notification : finished) notification.Wait();
  }
}

}  // namespace
}  // namespace headrace
