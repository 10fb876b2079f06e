// See variable.h.
#include "api/variable.h"

#include "api/array.h"
#include "api/emit.h"
#include "api/initializer_state.h"
#include "api/variable_access.h"

namespace headrace::api {

Variable::Variable(const CallScope& scope, const Initializer& initializer, const VariableSettings& settings)
    : scope_(Access::Unnamed(scope.scope())) {
  if (!scope.scope().valid()) return;
  GraphState& graph = *Access::GraphOf(scope.scope());
  BuildAt(graph, scope.where(), [&] {
    const ScopeState& state = Access::State(scope.scope());
    headrace::train::VariableOptions options;
    if (!state.next_name.empty()) options.name = state.next_name;
    options.dtype = initializer.dtype();
    options.shape = initializer.shape();
    options.trainable = settings.trainable;
    options.initial_value = [&](const GraphBuilder& builder) { return initializer.state().build(builder, graph); };
    headrace::train::VariableNodes nodes = headrace::train::BuildVariable(state.builder, options, &graph.variables);
    if (graph.status.ok()) nodes_ = std::make_shared<const headrace::train::VariableNodes>(std::move(nodes));
    return OkStatus();
  });
}

std::string Variable::name() const { return valid() ? nodes_->name : std::string(); }
DType Variable::dtype() const { return valid() ? nodes_->dtype : DType::kInvalid; }
PartialShape Variable::shape() const { return valid() ? nodes_->shape : PartialShape(); }

Output Variable::Value() const { return Access::MakeOutput(scope_, valid() ? nodes_->snapshot : Endpoint{}); }
Output Variable::IsInitialized() const {
  return Access::MakeOutput(scope_, valid() ? nodes_->is_initialized : Endpoint{});
}
Operation Variable::Initialize() const {
  return Access::MakeOperation(scope_, valid() ? nodes_->initializer : nullptr);
}
Output Variable::handle() const { return Access::MakeOutput(scope_, valid() ? nodes_->handle : Endpoint{}); }

Output Variable::Read(const CallScope& scope) const {
  if (!valid()) return {};
  return EmitIn(scope, "ReadVariableOp", {handle()}, {{"dtype", nodes_->dtype}}).output(0);
}

namespace {

// The update happens in the value's scope, so that its control dependencies and name count.
Operation Update(const Variable& variable, const char* op, const Input& value) {
  const Output handle = value.output().valid() ? variable.handle().In(value.output().scope()) : variable.handle();
  if (!variable.valid() || !handle.scope().valid()) return {};
  const Input typed = value.is_number()
                          ? Input(Cast(Constant(variable.scope(), value.number()), variable.dtype()), value.where())
                          : value;
  return EmitIn(CallScope(handle.scope(), value.where()), op, {handle, typed}, {{"dtype", variable.dtype()}});
}

}  // namespace

Operation Variable::Assign(const Input& value) const { return Update(*this, "AssignVariableOp", value); }
Operation Variable::AssignAdd(const Input& value) const { return Update(*this, "AssignAddVariableOp", value); }
Operation Variable::AssignSub(const Input& value) const { return Update(*this, "AssignSubVariableOp", value); }

Operation GlobalVariablesInitializer(const CallScope& scope) {
  if (!scope.scope().valid()) return {};
  GraphState& graph = *Access::GraphOf(scope.scope());
  Node* node = nullptr;
  BuildAt(graph, scope.where(), [&] {
    const ScopeState& state = Access::State(scope.scope());
    node = headrace::train::InitializeAll(state.builder, graph.variables,
                                          state.next_name.empty() ? "init" : state.next_name);
    return OkStatus();
  });
  return Access::MakeOperation(scope.scope(), node);
}

std::vector<Variable> GlobalVariables(const Scope& scope) {
  std::vector<Variable> variables;
  if (!scope.valid()) return variables;
  for (const headrace::train::VariableNodes& nodes : Access::GraphOf(scope)->variables)
    variables.push_back(VariableAccess::Make(scope, nodes));
  return variables;
}

std::vector<Variable> TrainableVariables(const Scope& scope) {
  std::vector<Variable> variables = GlobalVariables(scope);
  std::erase_if(variables, [](const Variable& variable) { return !VariableAccess::Nodes(variable)->trainable; });
  return variables;
}

Output ReportUninitializedVariables(const CallScope& scope) {
  std::vector<std::string> names;
  std::vector<Input> initialized;
  for (const Variable& variable : GlobalVariables(scope.scope())) {
    names.push_back(variable.name());
    initialized.emplace_back(variable.IsInitialized(), scope.where());
  }
  if (names.empty()) return Constant(scope, Tensor::Vector(names));
  return EmitComposite(
      "report_uninitialized_variables", initialized, [&](const Composite& c, const std::vector<Endpoint>& in) {
        const Endpoint missing = c.inner().Op("LogicalNot", {c.inner().Op("Pack", in)});
        const Endpoint zero = c.inner().Scalar<int32_t>(0);
        const Endpoint indices =
            c.inner().Op("Reshape", {c.inner().Op("Where", {missing}), c.inner().Const(Tensor::Vector<int32_t>({-1}))});
        return c.Last("GatherV2", {c.inner().Const(Tensor::Vector(names)), indices, zero});
      });
}

Output EmbeddingLookup(const Variable& table, const Input& ids) {
  const std::vector<Input> inputs = {ids, Input(table.handle(), ids.where())};
  return EmitComposite("embedding_lookup", inputs, [&](const Composite& c, const std::vector<Endpoint>& in) {
    return c.Last("ResourceGather", {in[1], in[0]}, {{"dtype", table.dtype()}});
  });
}

}  // namespace headrace::api
