// See emit.h.
#include "api/emit.h"

#include <algorithm>

#include "api/trace.h"

namespace headrace::api {
namespace {

bool IsInside(const GraphState* inner, const GraphState* outer) {
  for (const GraphState* graph = inner; graph != nullptr; graph = graph->parent.get()) {
    if (graph == outer) return true;
  }
  return false;
}

// The scope for an operation on `inputs`: the first one's, but of the innermost graph, where functions are traced.
Scope ScopeOf(const std::vector<Input>& inputs) {
  Scope scope;
  for (const Input& input : inputs) {
    const Scope& candidate = input.output().scope();
    if (!candidate.valid()) continue;
    const GraphState* graph = Access::GraphOf(candidate).get();
    const bool innermost =
        !scope.valid() || (graph != Access::GraphOf(scope).get() && IsInside(graph, Access::GraphOf(scope).get()));
    if (innermost) scope = candidate;
  }
  return scope;
}

DType NumberType(const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (input.output().valid()) return input.output().dtype();
    if (input.tensor().valid()) return input.tensor().dtype();
  }
  return DType::kFloat;
}

Result<std::vector<Endpoint>> ToEndpoints(const Scope& scope, const std::vector<Input>& inputs) {
  const DType number_type = NumberType(inputs);
  std::vector<Endpoint> endpoints;
  for (const Input& input : inputs) {
    HR_ASSIGN_OR_RETURN(const Endpoint endpoint, ToEndpoint(scope, input, number_type));
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

Node* AddOperation(const Scope& scope, std::string_view op, const std::vector<Input>& inputs, AttrMap attrs,
                   const std::source_location& where) {
  if (!scope.valid()) return nullptr;
  GraphState& graph = *Access::GraphOf(scope);
  Node* node = nullptr;
  BuildAt(graph, where, [&]() -> Status {
    HR_ASSIGN_OR_RETURN(std::vector<Endpoint> endpoints, ToEndpoints(scope, inputs));
    NodeOptions options;
    options.name = Access::State(scope).next_name;
    node = Access::Builder(scope).AddNode(op, std::move(endpoints), std::move(attrs), std::move(options));
    return OkStatus();
  });
  return node;
}

std::source_location WhereOf(const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (input.output().scope().valid()) return input.where();  // constants may have been added by the API itself
  }
  return inputs.empty() ? std::source_location::current() : inputs.front().where();
}

}  // namespace

Result<Endpoint> ToEndpoint(const Scope& scope, const Input& input, DType number_type) {
  const std::shared_ptr<GraphState> graph = Access::GraphOf(scope);
  const GraphBuilder& builder = Access::Builder(scope);
  if (input.is_number()) return builder.ScalarOf(number_type, input.number());
  if (input.tensor().valid()) return builder.Const(input.tensor());
  if (!input.output().valid()) return InvalidArgument("An input is empty");
  const GraphState* theirs = Access::GraphOf(input.output().scope()).get();
  if (theirs == graph.get()) return Access::EndpointOf(input.output());
  if (IsInside(graph.get(), theirs)) return CaptureOutput(graph, input.output());
  return InvalidArgument("Input ", input.output().name(), " belongs to another graph");
}

Output Emit(std::string_view op, const std::vector<Input>& inputs, AttrMap attrs, int index) {
  const Scope scope = ScopeOf(inputs);
  Node* node = AddOperation(scope, op, inputs, std::move(attrs), WhereOf(inputs));
  return node == nullptr ? Access::MakeOutput(scope, {}) : Access::MakeOutput(scope, Endpoint{node, index});
}

std::vector<Output> EmitAll(std::string_view op, const std::vector<Input>& inputs, AttrMap attrs) {
  const Scope scope = ScopeOf(inputs);
  Node* node = AddOperation(scope, op, inputs, std::move(attrs), WhereOf(inputs));
  std::vector<Output> outputs;
  for (int i = 0; node != nullptr && i < node->num_outputs(); ++i)
    outputs.push_back(Access::MakeOutput(scope, Endpoint{node, i}));
  return outputs;
}

Operation EmitIn(const CallScope& scope, std::string_view op, const std::vector<Input>& inputs, AttrMap attrs) {
  return Access::MakeOperation(scope.scope(), AddOperation(scope.scope(), op, inputs, std::move(attrs), scope.where()));
}

Endpoint Composite::Last(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs) const {
  NodeOptions options;
  options.name = name_;
  Node* node = outer_.AddNode(op, std::move(inputs), std::move(attrs), std::move(options));
  return Endpoint{node, 0};
}

Output EmitComposite(std::string_view default_name, const std::vector<Input>& inputs, const Builds& build) {
  const Scope scope = ScopeOf(inputs);
  if (!scope.valid()) return {};
  GraphState& graph = *Access::GraphOf(scope);
  Endpoint result;
  BuildAt(graph, WhereOf(inputs), [&]() -> Status {
    HR_ASSIGN_OR_RETURN(const std::vector<Endpoint> endpoints, ToEndpoints(scope, inputs));
    const ScopeState& state = Access::State(scope);
    const std::string& prefix = state.builder.name_prefix();
    const std::string wanted = state.next_name.empty() ? std::string(default_name) : state.next_name;
    const std::string unique = graph.graph.UniqueName(prefix + wanted);
    result = build(Composite(state.builder, unique.substr(prefix.size())), endpoints);
    return OkStatus();
  });
  return Access::MakeOutput(scope, graph.status.ok() ? result : Endpoint{});
}

}  // namespace headrace::api
