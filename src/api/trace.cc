// See trace.h.
#include "api/trace.h"

#include <algorithm>

#include "api/emit.h"

namespace headrace::api {
namespace {

bool SameOutput(const Output& a, const Output& b) { return Access::EndpointOf(a) == Access::EndpointOf(b); }

}  // namespace

Result<Endpoint> CaptureOutput(const std::shared_ptr<GraphState>& graph, const Output& outer) {
  for (const GraphState::Capture& capture : graph->captures) {
    if (SameOutput(capture.outer, outer)) return capture.argument;
  }
  const GraphBuilder builder(&graph->graph, &graph->status);
  NodeOptions options;
  options.name = "capture";
  const int index = graph->num_arguments + static_cast<int>(graph->captures.size());
  Node* argument = builder.AddNode("_Arg", {}, {{"T", outer.dtype()}, {"index", index}}, std::move(options));
  if (argument == nullptr) return graph->status;
  argument->set_output_shapes({outer.shape()});
  graph->captures.push_back({outer, Endpoint{argument, 0}});
  return Endpoint{argument, 0};
}

Result<FunctionTrace> FunctionTrace::Run(const std::shared_ptr<GraphState>& parent, const std::vector<DType>& types,
                                         const std::vector<PartialShape>& shapes,
                                         const data::ElementFunction& function) {
  FunctionTrace trace;
  trace.graph_ = std::make_shared<GraphState>();
  GraphState& graph = *trace.graph_;
  graph.parent = parent;
  graph.seed = parent->seed;
  graph.num_arguments = static_cast<int>(types.size());
  graph.graph.functions() = parent->graph.functions();
  const Scope scope = Access::MakeScope({trace.graph_, GraphBuilder(&graph.graph, &graph.status), {}, false});
  std::vector<Output> arguments;
  for (size_t i = 0; i < types.size(); ++i) {
    const AttrMap attrs = {{"T", types[i]}, {"index", static_cast<int64_t>(i)}};
    const Output argument = EmitIn(scope.WithName(StrCat("arg", i)), "_Arg", {}, attrs).output(0);
    if (!argument.valid()) return graph.status;
    arguments.push_back(argument);
    trace.arguments_.push_back(Access::EndpointOf(argument).node);
    trace.arguments_.back()->set_output_shapes({shapes[i]});
  }
  const std::vector<Output> results = function(arguments);
  HR_RETURN_IF_ERROR(graph.status);
  for (const Output& result : results) {
    HR_ASSIGN_OR_RETURN(const Endpoint endpoint, ToEndpoint(scope, result, DType::kFloat));
    trace.results_.push_back(endpoint);
  }
  return trace;
}

std::vector<DType> FunctionTrace::result_types() const {
  std::vector<DType> types;
  for (const Endpoint& result : results_) types.push_back(RemoveRef(result.dtype()));
  return types;
}

std::vector<PartialShape> FunctionTrace::result_shapes() const {
  std::vector<PartialShape> shapes;
  for (const Endpoint& result : results_) shapes.push_back(result.shape());
  return shapes;
}

std::vector<Output> FunctionTrace::captures() const {
  std::vector<Output> outers;
  for (const GraphState::Capture& capture : graph_->captures) outers.push_back(capture.outer);
  return outers;
}

Status FunctionTrace::SetCaptures(const std::vector<Output>& captures) {
  std::vector<GraphState::Capture> ordered;
  for (const Output& outer : captures) {
    HR_ASSIGN_OR_RETURN(const Endpoint argument, CaptureOutput(graph_, outer));
    ordered.push_back({outer, argument});
  }
  graph_->captures = std::move(ordered);
  return OkStatus();
}

void FunctionTrace::ReturnCaptures() {
  for (const GraphState::Capture& capture : graph_->captures) results_.push_back(capture.argument);
}

Result<FunctionRef> FunctionTrace::AddToLibrary(const std::string& name_prefix) {
  std::vector<Node*> arguments = arguments_;
  for (const GraphState::Capture& capture : graph_->captures) arguments.push_back(capture.argument.node);
  GraphState* outermost = graph_->parent.get();
  while (outermost->parent != nullptr) outermost = outermost->parent.get();
  const std::string prefix = StrCat(name_prefix, outermost->num_functions++);  // also of functions inside functions
  return AddFunction(&graph_->parent->graph.functions(), graph_->graph, prefix, arguments, results_);
}

bool FunctionTrace::has_state() const {
  const std::vector<Node*> nodes = graph_->graph.Nodes();
  return std::ranges::any_of(
      nodes, [](const Node* node) { return node->op() != "_Arg" && node->definition().signature().stateful; });
}

std::vector<Output> UnionOfCaptures(const std::vector<const FunctionTrace*>& functions) {
  std::vector<Output> captures;
  for (const FunctionTrace* function : functions) {
    for (const Output& outer : function->captures()) {
      const auto is_outer = [&outer](const Output& known) { return SameOutput(known, outer); };
      if (std::ranges::none_of(captures, is_outer)) captures.push_back(outer);
    }
  }
  return captures;
}

}  // namespace headrace::api
