// FunctionTrace: a C++ function on the way to a function of the graph. It is called once, with outputs of a graph of its own; what it
// uses from the graph around it becomes further arguments, its captures. Not installed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/element_function.h"
#include "api/scope_state.h"
#include "graph/function_export.h"

namespace headrace::api {

class FunctionTrace {
 public:
  /// Calls `function` with arguments of these types and shapes. Errors: the first mistake that it makes.
  static Result<FunctionTrace> Run(const std::shared_ptr<GraphState>& parent, const std::vector<DType>& types,
                                   const std::vector<PartialShape>& shapes, const data::ElementFunction& function);

  const std::vector<Endpoint>& results() const { return results_; }
  std::vector<DType> result_types() const;
  std::vector<PartialShape> result_shapes() const;
  /// Outputs of the graph around it, in the order of the arguments for them.
  std::vector<Output> captures() const;
  /// Makes `captures` this function's, in this order; those that it does not use get an argument too. REQUIRES: all of its own are
  /// among them.
  Status SetCaptures(const std::vector<Output>& captures);
  /// Returns the captures behind the results, as the body of a loop does.
  void ReturnCaptures();
  /// Adds the function to the library of the graph around it.
  Result<FunctionRef> AddToLibrary(const std::string& name_prefix);
  /// False when the function's ops may be left out where nobody needs its results.
  bool has_state() const;

 private:
  std::shared_ptr<GraphState> graph_;
  std::vector<Node*> arguments_;
  std::vector<Endpoint> results_;
};

/// Adds an argument to the graph of a function for an output of the graph around it, or returns the one that is there.
Result<Endpoint> CaptureOutput(const std::shared_ptr<GraphState>& graph, const Output& outer);

/// All captures of the functions, each once.
std::vector<Output> UnionOfCaptures(const std::vector<const FunctionTrace*>& functions);

}  // namespace headrace::api
