// Loops of Enter, Merge, Switch, NextIteration and Exit, made by hand, for the executor's tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "executor/executor_testing.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

inline const OpDefinition& TestLess() {
  static const auto* definition = new OpDefinition(
      OpDefinition("TestLess(x: f32, y: f32) -> (z: bool)").Kernels(AnyType(FunctionKernel([](KernelContext& c) {
        return c.SetOutput(0, Tensor::Scalar(c.input(0).scalar<float>() < c.input(1).scalar<float>()));
      }))));
  return *definition;
}

/// One loop under construction: variables, then the condition, then the body, then the ends.
class Loop {
 public:
  Loop(TestGraph* graph, std::string frame, int parallel = 10)
      : g_(graph), frame_(std::move(frame)), parallel_(parallel) {}

  Endpoint Enter(Endpoint value, bool constant = false) {
    static const auto* enter = new OpDefinition(headrace::Enter());
    return g_->Op(
        *enter, {value},
        {{"T", value.dtype()}, {"frame_name", frame_}, {"is_constant", constant}, {"parallel_iterations", parallel_}});
  }
  /// Returns the variable's value as the condition sees it.
  Endpoint Variable(Endpoint initial) {
    merges_.push_back(g_->Merge({Enter(initial), Endpoint{}}));
    return merges_.back();
  }
  /// Returns the variables as the body sees them.
  std::vector<Endpoint> While(Endpoint condition) {
    static const auto* loop_cond = new OpDefinition(headrace::LoopCond());
    cond_ = g_->Op(*loop_cond, {condition});
    std::vector<Endpoint> body;
    for (const Endpoint& merge : merges_) {
      switches_.push_back(g_->Switch(merge, cond_));
      body.push_back(Endpoint{switches_.back(), 1});
    }
    return body;
  }
  /// Returns what the variables are after the loop.
  std::vector<Endpoint> End(const std::vector<Endpoint>& next) {
    static const auto* next_iteration = new OpDefinition(headrace::NextIteration());
    static const auto* exit = new OpDefinition(headrace::Exit());
    std::vector<Endpoint> exits;
    for (size_t i = 0; i < next.size(); ++i) {
      const Endpoint back = g_->Op(*next_iteration, {next[i]}, {{"T", next[i].dtype()}});
      HR_CHECK(g_->graph().SetInput(merges_[i].node, 1, back).ok());
      exits.push_back(g_->Op(*exit, {Endpoint{switches_[i], 0}}, {{"T", next[i].dtype()}}));
    }
    return exits;
  }

 private:
  TestGraph* g_;
  const std::string frame_;
  const int parallel_;
  std::vector<Endpoint> merges_;
  std::vector<Node*> switches_;
  Endpoint cond_;
};

/// i = start; while (i < limit) i += 1; returns i.
inline Endpoint CountTo(TestGraph* g, Endpoint start, Endpoint limit, const std::string& frame, int parallel = 10) {
  Loop loop(g, frame, parallel);
  const Endpoint i = loop.Variable(start);
  const Endpoint one = loop.Enter(g->Const(Tensor::Scalar(1.0f)), true);
  const std::vector<Endpoint> body = loop.While(g->Op(TestLess(), {i, loop.Enter(limit, true)}));
  return loop.End({g->Add(body[0], one)})[0];
}

}  // namespace headrace
