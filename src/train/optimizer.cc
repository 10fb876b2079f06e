// See optimizer.h.
#include "train/optimizer.h"

#include <algorithm>
#include <map>

#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"

namespace headrace::train {
namespace {

// Builds all updates of one ApplyGradients.
class Updates {
 public:
  Updates(const GraphBuilder& builder, const OptimizerDefinition& optimizer, std::string name, Endpoint learning_rate,
          VariableCollection* collection)
      : outer_(builder),
        builder_(builder.WithNamePrefix(name)),
        optimizer_(optimizer),
        name_(std::move(name)),
        learning_rate_(learning_rate),
        collection_(collection) {}

  void MakeSlots(const std::vector<GradientAndVariable>& trained);
  void MakePowers(const std::vector<GradientAndVariable>& trained);
  void MakeHyperparameters();
  void Update(const GradientAndVariable& trained);
  void UpdatePowers();
  Node* Finish(const VariableNodes* global_step);

 private:
  UpdateContext ContextFor(const GraphBuilder& builder, const VariableNodes& variable) const;

  const GraphBuilder outer_;
  const GraphBuilder builder_;
  const OptimizerDefinition& optimizer_;
  const std::string name_;
  const Endpoint learning_rate_;  // empty: the optimizer's own
  VariableCollection* collection_;
  std::map<std::string, std::vector<VariableNodes>> slots_;  // by variable, in the definition's order
  std::vector<VariableNodes> powers_;
  std::vector<Endpoint> hyperparameters_;
  std::vector<Node*> updates_;
};

double HyperparameterOf(const OptimizerDefinition& optimizer, const std::string& name) {
  for (const auto& [key, value] : optimizer.hyperparameters) {
    if (key == name) return value;
  }
  return 0;
}

void Updates::MakeSlots(const std::vector<GradientAndVariable>& trained) {
  for (const GradientAndVariable& pair : trained) {
    const VariableNodes& variable = pair.variable;
    for (const SlotDefinition& slot : optimizer_.slots) {
      VariableOptions options;
      options.name = StrCat(variable.name, "/", optimizer_.name);
      options.dtype = variable.dtype;
      options.shape = variable.shape;
      options.trainable = false;
      options.colocate_with = variable.handle.node;
      options.initial_value = [&variable, &slot](const GraphBuilder& builder) -> Endpoint {
        const Result<Shape> shape = variable.shape.ToShape();
        if (variable.shape.IsFullyKnown() && shape.ok()) {
          return Filled(builder, variable.dtype, *shape, slot.initial_value,
                        slot.initial_value == 0 ? "zeros" : "Const");
        }
        const Endpoint dims = builder.Op("Shape", {variable.initial_value});
        return builder.Op("Fill", {dims, builder.ScalarOf(variable.dtype, slot.initial_value)});
      };
      // A slot carries its variable's name, wherever the optimizer stands.
      slots_[variable.name].push_back(BuildVariable(builder_.AtRoot(), options, collection_));
    }
  }
}

void Updates::MakePowers(const std::vector<GradientAndVariable>& trained) {
  const auto first =
      std::ranges::min_element(trained, {}, [](const GradientAndVariable& t) { return t.variable.name; });
  for (const auto& [name, hyperparameter] : optimizer_.powers) {
    const DType dtype = first->variable.dtype;
    const double value = HyperparameterOf(optimizer_, hyperparameter);
    VariableOptions options;
    options.name = name;
    options.dtype = dtype;
    options.shape = PartialShape::Scalar();
    options.trainable = false;
    options.colocate_with = first->variable.handle.node;
    options.initial_value = [=](const GraphBuilder& builder) {
      return Filled(builder, dtype, Shape(), value, "initial_value");
    };
    powers_.push_back(BuildVariable(outer_, options, collection_));
  }
}

void Updates::MakeHyperparameters() {
  for (const auto& [name, value] : optimizer_.hyperparameters) {
    const bool is_computed = learning_rate_ && name == "learning_rate";
    hyperparameters_.push_back(is_computed ? learning_rate_
                                           : builder_.Const(Tensor::Scalar<float>(static_cast<float>(value)), name));
  }
}

UpdateContext Updates::ContextFor(const GraphBuilder& builder, const VariableNodes& variable) const {
  UpdateContext::Names names = {{"var", variable.handle}};
  const auto in_type = [&](Endpoint value) {
    const bool same = !value || value.dtype() == variable.dtype;
    return same ? value : builder.Op("Cast", {value}, {{"DstT", variable.dtype}});
  };
  for (size_t i = 0; i < hyperparameters_.size(); ++i) {
    names.emplace_back(optimizer_.hyperparameters[i].first, in_type(hyperparameters_[i]));
  }
  for (size_t i = 0; i < powers_.size(); ++i) {
    names.emplace_back(optimizer_.powers[i].first, in_type(ReadVariable(builder, powers_[i])));
  }
  const auto slots = slots_.find(variable.name);
  for (size_t i = 0; i < optimizer_.slots.size() && slots != slots_.end(); ++i) {
    names.emplace_back(optimizer_.slots[i].name, slots->second[i].handle);
  }
  return UpdateContext(builder, variable, std::move(names));
}

void Updates::Update(const GradientAndVariable& trained) {
  const VariableNodes& variable = trained.variable;
  const GraphBuilder builder = builder_.WithNamePrefix("update_" + variable.name).ColocatedWith(variable.handle.node);
  UpdateContext context = ContextFor(builder, variable);
  AttrMap attrs = optimizer_.attrs;
  attrs["T"] = variable.dtype;
  if (trained.gradient.dense() != nullptr) {
    context.Set("grad", *trained.gradient.dense());
    updates_.push_back(builder.AddNode(optimizer_.dense_op, context.GetAll(optimizer_.dense_inputs), attrs));
    return;
  }
  const bool sums_duplicates = optimizer_.name == "GradientDescent";  // by adding row after row
  const IndexedSlices& given = *trained.gradient.slices();
  const IndexedSlices rows = sums_duplicates ? given : SumDuplicateIndices(builder, given);
  if (optimizer_.sparse_update) {
    updates_.push_back(optimizer_.sparse_update(context, rows));
    return;
  }
  context.Set("grad", rows.values);
  context.Set("indices", rows.indices);
  updates_.push_back(builder.AddNode(optimizer_.sparse_op, context.GetAll(optimizer_.sparse_inputs), attrs));
}

void Updates::UpdatePowers() {
  const std::vector<Node*> before = updates_;
  for (size_t i = 0; i < powers_.size(); ++i) {
    const VariableNodes& power = powers_[i];
    const GraphBuilder builder = builder_.ColocatedWith(power.handle.node);
    const Endpoint value = ReadVariable(builder.WithControlInputs(before), power);
    const double factor = HyperparameterOf(optimizer_, optimizer_.powers[i].second);
    const Endpoint next = builder.Op("Mul", {value, builder.ScalarOf(power.dtype, factor)});
    updates_.push_back(builder.AddNode("AssignVariableOp", {power.handle, next}, {{"dtype", power.dtype}}));
  }
}

Node* Updates::Finish(const VariableNodes* global_step) {
  if (global_step == nullptr) return Group(outer_, updates_, name_);
  Node* update = Group(builder_, updates_, "update");
  const GraphBuilder counting = outer_.ColocatedWith(global_step->handle.node).WithControlInputs({update});
  const Endpoint one = counting.WithNamePrefix(name_).ScalarOf(global_step->dtype, 1);
  NodeOptions options;
  options.name = name_;
  return counting.AddNode("AssignAddVariableOp", {global_step->handle, one}, {{"dtype", global_step->dtype}},
                          std::move(options));
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
  Updates updates(builder, optimizer, unique.substr(builder.name_prefix().size()), options.learning_rate, collection);
  updates.MakePowers(trained);
  updates.MakeSlots(trained);
  updates.MakeHyperparameters();
  HR_RETURN_IF_ERROR(builder.status());
  for (const GradientAndVariable& pair : trained) updates.Update(pair);
  HR_RETURN_IF_ERROR(builder.status());
  updates.UpdatePowers();
  Node* train = updates.Finish(options.global_step);
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
