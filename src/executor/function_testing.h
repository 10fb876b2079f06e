// Programs of functions, for tests: a graph that is built with the real ops, with functions made of lambdas, and run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "sync/cancellation.h"

namespace headrace {

class FunctionProgram {
 public:
  using Build = std::function<std::vector<Endpoint>(const GraphBuilder& body, const std::vector<Endpoint>& args)>;

  FunctionProgram();
  const GraphBuilder& builder() const { return builder_; }
  Graph& graph() { return graph_; }

  /// A function of the program's library.
  FunctionRef Function(const std::string& name, const std::vector<DType>& types, const Build& build);
  std::vector<Endpoint> While(const std::vector<Endpoint>& variables, const Build& cond, const Build& body);
  std::vector<Endpoint> If(Endpoint pred, const std::vector<Endpoint>& inputs, const Build& then_branch,
                           const Build& else_branch);
  std::vector<Endpoint> Call(const std::vector<Endpoint>& inputs, const Build& function);

  Result<std::vector<Tensor>> Run(const std::vector<Endpoint>& fetches, CancellationToken* cancellation = nullptr);

 private:
  Graph graph_;
  Status status_;
  const GraphBuilder builder_;
};

}  // namespace headrace
