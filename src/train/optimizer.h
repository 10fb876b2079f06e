// Optimizer: adds the nodes that train variables to a graph: gradients, slots, and TensorFlow's own Apply ops under
// TensorFlow's names.
//
// An optimizer is a row of data (OptimizerDefinition); optimizer_definitions.cc has the rows. The rows name ops on resource
// variables; a ref variable takes the op of the same name without "Resource".
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/gradient_context.h"
#include "train/variable.h"

namespace headrace::train {

/// A variable beside each trained one, of the same shape: "<variable>/<optimizer>".
struct SlotDefinition {
  std::string name;  // in the input lists below
  double initial_value = 0;
  std::string variable_name = {};  // in place of the optimizer's name
};

class UpdateContext;

struct HR_EXPORT OptimizerDefinition {
  std::string name;  // "Adagrad": of the operation, the hyperparameters' scope and the slots
  std::vector<SlotDefinition> slots;
  std::vector<std::pair<std::string, double>> hyperparameters;
  /// The update of a variable by a whole gradient: an op and its inputs, by name: "var", slots, hyperparameters,
  /// "grad".
  std::string dense_op;
  std::string dense_inputs;
  /// The update of single rows; also "indices". Repeated indices are summed before.
  std::string sparse_op;
  std::string sparse_inputs;
  AttrMap attrs;
  /// For what is not one op: builds the update of rows (in place of sparse_op).
  std::function<Node*(UpdateContext&, const IndexedSlices&)> sparse_update;
  /// The sparse update takes repeated indices as they are.
  bool takes_duplicates = false;
  /// Scalars that belong to the optimizer and are multiplied by a hyperparameter after every step: (variable,
  /// hyperparameter).
  std::vector<std::pair<std::string, std::string>> powers;
};

HR_EXPORT OptimizerDefinition GradientDescent(double learning_rate);
HR_EXPORT OptimizerDefinition Momentum(double learning_rate, double momentum, bool use_nesterov = false);
HR_EXPORT OptimizerDefinition Adagrad(double learning_rate, double initial_accumulator_value = 0.1);
HR_EXPORT OptimizerDefinition Adadelta(double learning_rate = 0.001, double rho = 0.95, double epsilon = 1e-8);
HR_EXPORT OptimizerDefinition Adam(double learning_rate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
                                   double epsilon = 1e-8);

struct RmsPropOptions {
  double decay = 0.9;
  double momentum = 0;
  double epsilon = 1e-10;
  bool centered = false;
};
HR_EXPORT OptimizerDefinition RmsProp(double learning_rate, const RmsPropOptions& options = {});

struct FtrlOptions {
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double l2_shrinkage_regularization_strength = 0;
  double beta = 0;
};
/// Where the learning rate is given as a tensor, beta still counts with the number given here.
HR_EXPORT OptimizerDefinition Ftrl(double learning_rate, const FtrlOptions& options = {});

struct ProximalOptions {
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double initial_accumulator_value = 0.1;  // all but ProximalGradientDescent
};
HR_EXPORT OptimizerDefinition ProximalGradientDescent(double learning_rate, const ProximalOptions& options = {});
HR_EXPORT OptimizerDefinition ProximalAdagrad(double learning_rate, const ProximalOptions& options = {});
/// Dual averaging. It wants ApplyOptions::hyperparameters to say "global_step": i64, the number of this step, from 1 on.
HR_EXPORT OptimizerDefinition AdagradDa(double learning_rate, const ProximalOptions& options = {});

struct GradientAndVariable {
  Gradient gradient;
  VariableNodes variable;
};

/// What an optimizer has made in a graph so far: applied again, it uses the same slots and powers.
struct OptimizerState {
  std::map<std::string, std::vector<VariableNodes>> slots = {};  // by variable, in the definition's order
  std::vector<VariableNodes> powers = {};                        // in the definition's order
};

struct ApplyOptions {
  const VariableNodes* global_step = nullptr;  // counted up after the update, where given
  std::string name = {};                       // empty: the optimizer's
  std::string slot_scope = {};                 // in front of the slots' names: "scope/", or nothing
  /// Scalars computed in each step, in place of the optimizer's own; by their names in the definition.
  std::map<std::string, Endpoint> hyperparameters = {};
  OptimizerState* state = nullptr;  // null: one of its own
};

/// The gradients of `loss` for each variable, trainable ones of the collection when `variables` is empty.
/// Errors: as AddGradients; kInvalidArgument when no variable has a gradient.
HR_EXPORT Result<std::vector<GradientAndVariable>> ComputeGradients(const GraphBuilder& builder, Endpoint loss,
                                                                    const std::vector<VariableNodes>& variables);

/// Adds the updates; returns the operation that does all of them. Variables without gradient are left out; slots are
/// appended to `collection`. Errors: kInvalidArgument for no gradient at all, or what the builder reports.
HR_EXPORT Result<Node*> ApplyGradients(const GraphBuilder& builder, const OptimizerDefinition& optimizer,
                                       const std::vector<GradientAndVariable>& gradients,
                                       VariableCollection* collection, const ApplyOptions& options = {});

/// ComputeGradients, then ApplyGradients.
HR_EXPORT Result<Node*> Minimize(const GraphBuilder& builder, const OptimizerDefinition& optimizer, Endpoint loss,
                                 VariableCollection* collection, const ApplyOptions& options = {},
                                 const std::vector<VariableNodes>& variables = {});

/// What an update of one variable may use.
class UpdateContext {
 public:
  using Names = std::vector<std::pair<std::string, Endpoint>>;

  UpdateContext(const GraphBuilder& builder, const VariableNodes& variable, Names names)
      : builder_(builder), variable_(variable), names_(std::move(names)) {}

  const GraphBuilder& builder() const { return builder_; }
  const VariableNodes& variable() const { return variable_; }
  /// A hyperparameter or power in the variable's type, or a slot's handle. A name that is unknown fails the builder.
  Endpoint Get(const std::string& name) const;
  std::vector<Endpoint> GetAll(const std::string& names) const;
  void Set(const std::string& name, Endpoint value) { names_.emplace_back(name, value); }

 private:
  const GraphBuilder builder_;
  const VariableNodes& variable_;
  Names names_;
};

}  // namespace headrace::train
