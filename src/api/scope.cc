// See scope.h, output.h and scope_state.h.
#include "api/scope.h"

#include "api/math.h"
#include "api/scope_state.h"
#include "api/variable.h"
#include "ops/register.h"

namespace headrace::api {
namespace {

// The scope with a changed state; one without graph stays so.
template <typename Change> Scope Changed(const Scope& scope, Change&& change) {
  if (!scope.valid()) return scope;
  ScopeState state = Access::State(scope);
  change(state);
  return Access::MakeScope(std::move(state));
}

}  // namespace

Scope Scope::NewRoot() {
  RegisterAllOps();
  auto graph = std::make_shared<GraphState>();
  const GraphBuilder builder(&graph->graph, &graph->status);
  return Access::MakeScope({std::move(graph), builder, {}, false});
}

Scope Scope::SubScope(const std::string& name) const {
  return Changed(*this, [&](ScopeState& s) {
    s.builder = s.builder.WithNamePrefix(name);
    s.next_name.clear();
  });
}

Scope Scope::WithName(const std::string& name) const {
  return Changed(*this, [&](ScopeState& s) { s.next_name = name; });
}

Scope Scope::WithDevice(const std::string& device) const {
  return Changed(*this, [&](ScopeState& s) { s.builder = s.builder.WithDevice(device); });
}

Scope Scope::WithDevice(DeviceFunction function) const {
  return Changed(*this, [&](ScopeState& s) { s.builder = s.builder.WithDeviceFunction(std::move(function)); });
}

Scope Scope::WithControlDependencies(const std::vector<Operation>& operations) const {
  return Changed(*this, [&](ScopeState& s) {
    std::vector<Node*> nodes;
    for (const Operation& operation : operations) {
      if (operation.valid()) nodes.push_back(Access::NodeOf(operation));
    }
    s.has_control_inputs = s.has_control_inputs || !nodes.empty();
    s.builder = s.builder.WithControlInputs(std::move(nodes));
  });
}

Scope Scope::ColocatedWith(const Operation& operation) const {
  return Changed(*this, [&](ScopeState& s) {
    if (operation.valid()) s.builder = s.builder.ColocatedWith(Access::NodeOf(operation));
  });
}

Status Scope::status() const {
  if (!valid()) return FailedPrecondition("The scope has no graph");
  return state_->graph->status;
}

void SetRandomSeed(const Scope& scope, int64_t seed) {
  if (scope.valid()) Access::GraphOf(scope)->seed = seed;
}

Scope Access::Unnamed(const Scope& scope) {
  if (!scope.valid() || State(scope).next_name.empty()) return scope;
  return scope.WithName("");
}

Output Access::MakeOutput(const Scope& scope, Endpoint endpoint) {
  Output output;
  output.scope_ = Unnamed(scope);
  output.node_ = endpoint.node;
  output.index_ = endpoint.index;
  return output;
}

Operation Access::MakeOperation(const Scope& scope, Node* node) {
  Operation operation;
  operation.scope_ = Unnamed(scope);
  operation.node_ = node;
  return operation;
}

void Remember(GraphState& graph, const Status& status, const std::source_location& where) {
  if (status.ok() || !graph.status.ok()) return;
  graph.status = status.WithFrame(StrCat("made at ", where.file_name(), ":", where.line()));
}

DType Output::dtype() const { return valid() ? RemoveRef(Access::EndpointOf(*this).dtype()) : DType::kInvalid; }
PartialShape Output::shape() const { return valid() ? Access::EndpointOf(*this).shape() : PartialShape(); }
std::string Output::name() const { return valid() ? Access::EndpointOf(*this).ToString() : std::string(); }
Operation Output::op() const { return Access::MakeOperation(scope_, node_); }

Output Output::In(const Scope& scope) const {
  Output moved = *this;
  moved.scope_ = scope;
  return moved;
}

std::string Operation::name() const { return valid() ? node_->name() : std::string(); }
std::string Operation::type() const { return valid() ? node_->op() : std::string(); }
int Operation::num_outputs() const { return valid() ? node_->num_outputs() : 0; }
Output Operation::output(int index) const { return Access::MakeOutput(scope_, Endpoint{node_, index}); }

Input::Input(const Output& output, std::source_location where) : output_(output), where_(where) {}
Input::Input(const Variable& variable, std::source_location where) : output_(variable.Value()), where_(where) {}
Input::Input(const Tensor& value, std::source_location where) : tensor_(value), where_(where) {}
Input::Input(const char* text, std::source_location where) : tensor_(Tensor::Scalar(text)), where_(where) {}

Output operator+(const Input& x, const Input& y) { return Add(x, y); }
Output operator-(const Input& x, const Input& y) { return Sub(x, y); }
Output operator*(const Input& x, const Input& y) { return Mul(x, y); }
Output operator/(const Input& x, const Input& y) { return Div(x, y); }
Output operator-(const Input& x) { return Neg(x); }

}  // namespace headrace::api
