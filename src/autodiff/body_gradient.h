// BodyGradient: the body of a function with the nodes of its gradient, and how it is split into a forward and a backward graph.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autodiff/function_gradient.h"

namespace headrace {

class BodyGradient {
 public:
  /// Gives what stands in the backward graph for an output of the forward graph.
  using Capture = std::function<Endpoint(const GraphBuilder& backward, Endpoint source)>;

  /// Makes the function's body a graph; `shapes` are those of its arguments. The functions come from `outer`.
  static Result<BodyGradient> Make(const Graph& outer, const FunctionRef& function,
                                   const std::vector<PartialShape>& shapes);

  const std::vector<Node*>& args() const { return args_; }
  const std::vector<Endpoint>& results() const { return results_; }
  /// For each argument, whether result `index` depends on it in a way that has a gradient.
  std::vector<bool> ReachedFrom(size_t index) const;

  /// Adds the gradients of the arguments in `xs`, from those of the results in `ys`.
  Status Differentiate(const std::vector<size_t>& ys, const std::vector<size_t>& xs, const GradientScope& scope);
  /// Moves the nodes of the gradient to a graph of their own. Constants go with them, what else they use of the forward graph
  /// is given by `capture`, which is asked once for each output. The library of `outer` gets the functions made so far.
  Status Split(Graph* outer, const Capture& capture);

  // After Split:
  Graph& forward() { return forward_; }
  Graph& backward() { return *backward_; }
  const GraphBuilder& forward_builder() const { return *forward_builder_; }
  const GraphBuilder& backward_builder() const { return *backward_builder_; }
  /// The arguments of the backward graph for the gradients of `ys`.
  const std::vector<Node*>& gradient_args() const { return gradient_args_; }
  /// Of the backward graph, for each of `xs`; empty where there is none.
  const std::vector<Endpoint>& gradients() const { return gradients_; }

 private:
  BodyGradient() : status_(std::make_unique<Status>()) {}
  /// By node id of the forward graph: what existed before Differentiate, and all that this needs.
  std::vector<bool> ForwardNodes() const;
  Status MoveNodes(const std::vector<bool>& is_forward, const Capture& capture);

  Graph forward_;
  std::unique_ptr<Graph> backward_ = std::make_unique<Graph>();
  std::unique_ptr<Status> status_;  // of the builders
  std::unique_ptr<GraphBuilder> forward_builder_;
  std::unique_ptr<GraphBuilder> backward_builder_;
  std::vector<Node*> args_;
  std::vector<Endpoint> results_;
  int num_body_ids_ = 0;
  std::vector<Node*> gradient_args_;
  std::vector<Endpoint> gradients_;
};

/// Adds an argument to a graph that becomes a function.
Node* AddArgument(const GraphBuilder& builder, const std::string& name, DType type, const PartialShape& shape);

/// Zeros in the form of the gradient of `of`: of a handle, in the type and shape of its variable.
Endpoint ZeroGradient(const GraphBuilder& builder, Endpoint of, DType type);

}  // namespace headrace
