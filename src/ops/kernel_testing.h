// KeptKernel: one op's kernel, called several times as a session does, on tensors or on the variables of ref edges. For what
// EvaluateOp, which makes a kernel for each call and knows no ref edges, cannot show.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace headrace {

class KeptKernel {
 public:
  /// The op must be in the global registry, and `inputs` of the types that it takes. `resources` (may be null: its own) and all
  /// variables outlive this.
  KeptKernel(const std::string& op, std::vector<InputValue> inputs, AttrMap attrs = {},
             ResourceManager* resources = nullptr);

  /// Calls the kernel on the inputs given to the constructor and returns its outputs.
  Result<std::vector<InputValue>> Run(CancellationToken* cancellation = nullptr);
  /// The tensor of output 0. REQUIRES: there is one.
  Result<Tensor> RunTensor();

 private:
  const std::shared_ptr<Runtime> runtime_ = Runtime::Default();
  ResourceManager own_;
  ResourceManager* const resources_;
  Graph graph_;
  Node* node_ = nullptr;
  std::unique_ptr<Kernel> kernel_;
  std::vector<InputValue> inputs_;
};

}  // namespace headrace
