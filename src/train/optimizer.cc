// See optimizer.h.
#include "train/optimizer.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"

namespace headrace::train {
namespace {

// Builds all updates of one ApplyGradients.
class Updates {
 public:
  Updates(const GraphBuilder& builder, const OptimizerDefinition& optimizer, std::string name,
          const ApplyOptions& options, OptimizerState* state, VariableCollection* collection)
      : outer_(builder),
        builder_(builder.WithNamePrefix(name)),
        optimizer_(optimizer),
        name_(std::move(name)),
        options_(options),
        state_(state),
        collection_(collection) {}

  void MakeSlots(const std::vector<GradientAndVariable>& trained);
  void MakePowers(const std::vector<GradientAndVariable>& trained);
  void MakeHyperparameters();
  void Update(const GradientAndVariable& trained);
  void UpdatePowers();
  Node* Finish();

 private:
  void MakeSlot(const VariableNodes& variable, const SlotDefinition& slot);
  /// The hyperparameter that the caller gave; empty where none.
  Endpoint Given(const std::string& name) const;
  UpdateContext ContextFor(const GraphBuilder& builder, const VariableNodes& variable) const;

  const GraphBuilder outer_;
  const GraphBuilder builder_;
  const OptimizerDefinition& optimizer_;
  const std::string name_;
  const ApplyOptions& options_;
  OptimizerState* state_;
  VariableCollection* collection_;
  std::map<std::string, Endpoint> hyperparameters_;
  std::vector<Node*> updates_;
};

// Floats are computed in the variable's type; a step's number stays what it is.
Endpoint InType(const GraphBuilder& builder, Endpoint value, DType dtype) {
  if (!value || RemoveRef(value.dtype()) == dtype || !IsFloating(RemoveRef(value.dtype()))) return value;
  return builder.Op("Cast", {value}, {{"DstT", dtype}});
}

std::string UpdateName(const VariableNodes& variable) { return "update_" + variable.name; }

double HyperparameterOf(const OptimizerDefinition& optimizer, const std::string& name) {
  for (const auto& [key, value] : optimizer.hyperparameters) {
    if (key == name) return value;
  }
  return 0;
}

Endpoint Updates::Given(const std::string& name) const {
  const auto given = options_.hyperparameters.find(name);
  return given == options_.hyperparameters.end() ? Endpoint{} : given->second;
}

void Updates::MakeSlots(const std::vector<GradientAndVariable>& trained) {
  for (const GradientAndVariable& pair : trained) {
    if (state_->slots.contains(pair.variable.name)) continue;
    for (const SlotDefinition& slot : optimizer_.slots) MakeSlot(pair.variable, slot);
  }
}

void Updates::MakeSlot(const VariableNodes& variable, const SlotDefinition& slot) {
  VariableOptions options;
  options.name = StrCat(options_.slot_scope, variable.name, "/",
                        slot.variable_name.empty() ? optimizer_.name : slot.variable_name);
  options.dtype = variable.dtype;
  options.shape = variable.shape;
  options.trainable = false;
  options.colocate_with = variable.handle.node;
  options.use_resource = !variable.is_ref();
  options.initial_value = [&variable, &slot](const GraphBuilder& builder) -> Endpoint {
    const Result<Shape> shape = variable.shape.ToShape();
    if (variable.shape.IsFullyKnown() && shape.ok()) {
      return Filled(builder, variable.dtype, *shape, slot.initial_value, slot.initial_value == 0 ? "zeros" : "Const");
    }
    const Endpoint dims = builder.Op("Shape", {variable.initial_value});
    return builder.Op("Fill", {dims, builder.ScalarOf(variable.dtype, slot.initial_value)});
  };
  // A slot carries its variable's name, wherever the optimizer stands; that of a slice is a slice of the whole's slot.
  options.slice = variable.slice;
  if (options.slice) {
    options.name = outer_.graph().UniqueName(options.name);
    // As TensorFlow has it, also below a scope, where the part that is cut off is not the variable's name.
    options.slice->full_name += StrCat("/", options.name.substr(variable.name.size() + 1));
  }
  state_->slots[variable.name].push_back(BuildVariable(builder_.AtRoot(), options, collection_));
}

void Updates::MakePowers(const std::vector<GradientAndVariable>& trained) {
  if (!state_->powers.empty()) return;
  const auto first =
      std::ranges::min_element(trained, {}, [](const GradientAndVariable& t) { return t.variable.name; });
  for (const auto& [name, hyperparameter] : optimizer_.powers) {
    const DType dtype = first->variable.dtype;
    const double value = HyperparameterOf(optimizer_, hyperparameter);
    const Endpoint given = Given(hyperparameter);
    VariableOptions options;
    options.name = name;
    options.dtype = dtype;
    options.shape = PartialShape::Scalar();
    options.trainable = false;
    options.colocate_with = first->variable.handle.node;
    options.use_resource = !first->variable.is_ref();
    options.initial_value = [=](const GraphBuilder& builder) {
      return given ? InType(builder, given, dtype) : Filled(builder, dtype, Shape(), value, "initial_value");
    };
    state_->powers.push_back(BuildVariable(outer_, options, collection_));
  }
}

void Updates::MakeHyperparameters() {
  hyperparameters_ = options_.hyperparameters;
  for (const auto& [name, value] : optimizer_.hyperparameters) {
    if (Given(name)) continue;
    hyperparameters_[name] = builder_.Const(Tensor::Scalar<float>(static_cast<float>(value)), name);
  }
}

UpdateContext Updates::ContextFor(const GraphBuilder& builder, const VariableNodes& variable) const {
  UpdateContext::Names names = {{"var", variable.handle}};
  for (const auto& [name, value] : hyperparameters_) names.emplace_back(name, InType(builder, value, variable.dtype));
  for (size_t i = 0; i < state_->powers.size(); ++i) {
    const VariableNodes& power = state_->powers[i];
    // The power may be on another task than the variable.
    const GraphBuilder reading = builder_.WithNamePrefix(UpdateName(variable)).ColocatedWith(power.handle.node);
    const Endpoint value = ReadVariable(reading, power);
    names.emplace_back(optimizer_.powers[i].first, InType(builder, value, variable.dtype));
  }
  const auto slots = state_->slots.find(variable.name);
  for (size_t i = 0; i < optimizer_.slots.size() && slots != state_->slots.end(); ++i) {
    names.emplace_back(optimizer_.slots[i].name, slots->second[i].handle);
  }
  return UpdateContext(builder, variable, std::move(names));
}

void Updates::Update(const GradientAndVariable& trained) {
  const VariableNodes& variable = trained.variable;
  const GraphBuilder builder = builder_.WithNamePrefix(UpdateName(variable)).ColocatedWith(variable.handle.node);
  UpdateContext context = ContextFor(builder, variable);
  AttrMap attrs = optimizer_.attrs;
  attrs["T"] = variable.dtype;
  const auto op = [&](const std::string& name) { return variable.is_ref() ? name.substr(strlen("Resource")) : name; };
  if (trained.gradient.dense() != nullptr) {
    context.Set("grad", *trained.gradient.dense());
    updates_.push_back(builder.AddNode(op(optimizer_.dense_op), context.GetAll(optimizer_.dense_inputs), attrs));
    return;
  }
  const IndexedSlices& given = *trained.gradient.slices();
  const IndexedSlices rows = optimizer_.takes_duplicates ? given : SumDuplicateIndices(builder, given);
  if (optimizer_.sparse_update) {
    updates_.push_back(optimizer_.sparse_update(context, rows));
    return;
  }
  context.Set("grad", rows.values);
  context.Set("indices", rows.indices);
  updates_.push_back(builder.AddNode(op(optimizer_.sparse_op), context.GetAll(optimizer_.sparse_inputs), attrs));
}

void Updates::UpdatePowers() {
  const std::vector<Node*> before = updates_;
  for (size_t i = 0; i < state_->powers.size(); ++i) {
    const VariableNodes& power = state_->powers[i];
    const GraphBuilder builder = builder_.ColocatedWith(power.handle.node);
    const Endpoint value = ReadVariable(builder.WithControlInputs(before), power);
    const std::string& hyperparameter = optimizer_.powers[i].second;
    const Endpoint given = Given(hyperparameter);
    const Endpoint factor = given ? InType(builder, given, power.dtype)
                                  : builder.ScalarOf(power.dtype, HyperparameterOf(optimizer_, hyperparameter));
    const Endpoint next = builder.Op("Mul", {value, factor});
    updates_.push_back(ChangeVariable(builder, VariableChange::kAssign, power.handle, {next}));
  }
}

Node* Updates::Finish() {
  const VariableNodes* global_step = options_.global_step;
  if (global_step == nullptr) return Group(outer_, updates_, name_);
  Node* update = Group(builder_, updates_, "update");
  const GraphBuilder counting = outer_.ColocatedWith(global_step->handle.node).WithControlInputs({update});
  const Endpoint one = counting.WithNamePrefix(name_).ScalarOf(global_step->dtype, 1);
  NodeOptions options;
  options.name = name_;
  return ChangeVariable(counting, VariableChange::kAssignAdd, global_step->handle, {one}, std::move(options));
}

}  // namespace

Endpoint UpdateContext::Get(const std::string& name) const {
  for (const auto& [key, value] : names_) {
    if (key == name) return value;
  }
  builder_.Fail(Internal("Optimizer: no value named '", name, "' for variable ", variable_.name));
  return {};
}

std::vector<Endpoint> UpdateContext::GetAll(const std::string& names) const {
  std::vector<Endpoint> values;
  for (const std::string& name : StrSplit(names, ' ')) values.push_back(Get(name));
  return values;
}

Result<std::vector<GradientAndVariable>> ComputeGradients(const GraphBuilder& builder, Endpoint loss,
                                                          const std::vector<VariableNodes>& variables) {
  if (variables.empty()) return InvalidArgument("No variables to optimize.");
  std::vector<Endpoint> handles;
  for (const VariableNodes& variable : variables) handles.push_back(variable.handle);
  HR_ASSIGN_OR_RETURN(std::vector<Gradient> gradients, AddGradients(builder, {loss}, handles));
  std::vector<GradientAndVariable> pairs;
  for (size_t i = 0; i < variables.size(); ++i) pairs.push_back({std::move(gradients[i]), variables[i]});
  return pairs;
}

Result<Node*> ApplyGradients(const GraphBuilder& builder, const OptimizerDefinition& optimizer,
                             const std::vector<GradientAndVariable>& gradients, VariableCollection* collection,
                             const ApplyOptions& options) {
  std::vector<GradientAndVariable> trained;
  std::vector<std::string> names;
  for (const GradientAndVariable& pair : gradients) {
    names.push_back(pair.variable.name);
    if (pair.gradient.exists()) trained.push_back(pair);
  }
  if (trained.empty()) return InvalidArgument("No gradients provided for any variable: [", StrJoin(names, ", "), "].");
  const std::string wanted = options.name.empty() ? optimizer.name : options.name;
  const std::string unique = builder.graph().UniqueName(builder.name_prefix() + wanted);
  OptimizerState own;
  Updates updates(builder, optimizer, unique.substr(builder.name_prefix().size()), options,
                  options.state == nullptr ? &own : options.state, collection);
  updates.MakePowers(trained);
  updates.MakeSlots(trained);
  updates.MakeHyperparameters();
  HR_RETURN_IF_ERROR(builder.status());
  for (const GradientAndVariable& pair : trained) updates.Update(pair);
  HR_RETURN_IF_ERROR(builder.status());
  updates.UpdatePowers();
  Node* train = updates.Finish();
  HR_RETURN_IF_ERROR(builder.status());
  return train;
}

Result<Node*> Minimize(const GraphBuilder& builder, const OptimizerDefinition& optimizer, Endpoint loss,
                       VariableCollection* collection, const ApplyOptions& options,
                       const std::vector<VariableNodes>& variables) {
  std::vector<VariableNodes> wanted = variables;
  if (wanted.empty()) std::ranges::copy_if(*collection, std::back_inserter(wanted), &VariableNodes::trainable);
  // Slots grow the collection: what the options point to may be in it.
  ApplyOptions applied = options;
  const VariableNodes global_step = options.global_step == nullptr ? VariableNodes() : *options.global_step;
  if (options.global_step != nullptr) applied.global_step = &global_step;
  HR_ASSIGN_OR_RETURN(const std::vector<GradientAndVariable> gradients, ComputeGradients(builder, loss, wanted));
  return ApplyGradients(builder, optimizer, gradients, collection, applied);
}

}  // namespace headrace::train
