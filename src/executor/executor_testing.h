// Ops and helpers for the executor's tests and benchmarks: small graphs without the real ops, run by a plan.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "executor/step_plan.h"

namespace headrace {

inline constexpr char kTestDevice[] = "/job:localhost/replica:0/task:0/device:CPU:0";

/// A graph under construction. A fault in building it ends the test program.
class TestGraph {
 public:
  TestGraph() : graph_(std::make_shared<Graph>()) {}

  Endpoint Op(const OpDefinition& definition, std::vector<Endpoint> inputs, AttrMap attrs = {},
              std::vector<Node*> controls = {}, std::string name = "");
  Endpoint Const(const Tensor& value, std::vector<Node*> controls = {});
  Endpoint Arg(DType dtype, int index);
  Node* Retval(Endpoint value, int index, std::vector<Node*> controls = {});
  Endpoint Add(Endpoint a, Endpoint b, std::vector<Node*> controls = {}, std::string name = "");
  /// Output 0 is the false side, output 1 the true side.
  Node* Switch(Endpoint data, Endpoint pred);
  Endpoint Merge(std::vector<Endpoint> inputs, std::vector<Node*> controls = {});

  Graph& graph() { return *graph_; }
  const std::shared_ptr<Graph>& shared() { return graph_; }
  Result<std::shared_ptr<const StepPlan>> Compile(KernelCache* kernels = nullptr);
  /// Compiles and runs one step.
  Result<std::vector<Tensor>> Run(std::vector<Tensor> args = {}, CancellationToken* cancellation = nullptr);

 private:
  std::shared_ptr<Graph> graph_;
};

Result<std::vector<Tensor>> RunStep(const StepPlan& plan, const std::vector<Tensor>& args,
                                    CancellationToken* cancellation = nullptr, Rendezvous* rendezvous = nullptr);

// Definitions of ops that exist in tests only.
const OpDefinition& TestAdd();    // z = x + y, f32 scalars, in the buffer of an input that dies
const OpDefinition& TestBusy();   // z = x + y, after some 100 us of work
const OpDefinition& TestFail();   // fails with kInvalidArgument "the test wants it"
const OpDefinition& TestCount();  // yields how often this kernel has run, as f32; stateful
const OpDefinition& TestWait();   // yields x when the gate opens, or the reason of a cancellation
const OpDefinition& TestRef();    // a ref to the variable "v" of the resources, f32
const OpDefinition& TestSet();    // assigns to a ref and passes it on

/// What TestWait waits for. One for the whole test program; Close before use.
void CloseGate();
void OpenGate();

}  // namespace headrace
