// Training: optimizers, the global step, checkpoints, the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/session.h"
#include "api/variable.h"

namespace headrace::train {
struct OptimizerDefinition;
}

namespace headrace::api::train {

/// The gradient of one variable: a whole tensor, or rows of one (indices may repeat; then the rows add up). All empty:
/// none.
struct VariableGradient {
  Variable variable;
  Output dense;
  Output indices;      // i32 or i64 [n]
  Output rows;         // [n, ...]
  Output dense_shape;  // i32 or i64 vector

  bool exists() const { return dense.valid() || rows.valid(); }
};

struct MinimizeOptions {
  std::vector<Variable> variables = {};      // empty: all trainable ones
  std::optional<Variable> global_step = {};  // counted up by one after the update
  std::string name = {};                     // of the operation; empty: the optimizer's
  Output learning_rate = {};                 // f32 scalar, computed in each step, in place of the optimizer's own rate
  /// The same for other hyperparameters, by their names in TensorFlow ("beta1", "momentum", "epsilon").
  std::map<std::string, Output> hyperparameters = {};
};

/// A way to update variables by gradients; cheap to copy. Slots are named as TensorFlow's: `w/Adagrad`, `w/Adam`,
/// `w/Adam_1`.
class HR_EXPORT Optimizer {
 public:
  explicit Optimizer(headrace::train::OptimizerDefinition definition);

  /// Adds gradients of `loss` (a float tensor; its elements are summed) and updates; returns the operation that does
  /// one step.
  Operation Minimize(const Input& loss, const MinimizeOptions& options = {}) const;
  /// The first half.
  std::vector<VariableGradient> ComputeGradients(const Input& loss, const std::vector<Variable>& variables = {}) const;
  /// The second half. Entries without gradient are left out; none at all is a mistake. `scope` takes new operations.
  Operation ApplyGradients(const CallScope& scope, const std::vector<VariableGradient>& gradients,
                           const MinimizeOptions& options = {}) const;

 private:
  std::shared_ptr<const headrace::train::OptimizerDefinition> definition_;
};

/// w -= rate * g.
HR_EXPORT Optimizer GradientDescent(double learning_rate);
/// a = momentum * a + g; w -= rate * a (Nesterov: w -= rate * (g + momentum * a)).
HR_EXPORT Optimizer Momentum(double learning_rate, double momentum, bool use_nesterov = false);
/// a += g^2; w -= rate * g / sqrt(a). Duchi et al. 2011.
HR_EXPORT Optimizer Adagrad(double learning_rate, double initial_accumulator_value = 0.1);
/// Zeiler 2012.
HR_EXPORT Optimizer Adadelta(double learning_rate = 0.001, double rho = 0.95, double epsilon = 1e-8);
/// Kingma and Ba 2015, with epsilon outside the corrected root, as TensorFlow's.
HR_EXPORT Optimizer Adam(double learning_rate = 0.001, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8);

struct RmsPropSettings {
  double decay = 0.9;
  double momentum = 0;
  double epsilon = 1e-10;
  bool centered = false;  // around the mean of the gradients
};
/// s += (1 - decay) * (g^2 - s); m = momentum * m + rate * g / sqrt(s + epsilon); w -= m. Tieleman and Hinton 2012.
HR_EXPORT Optimizer RmsProp(double learning_rate, const RmsPropSettings& settings = {});

struct FtrlSettings {
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double l2_shrinkage_regularization_strength = 0;
  double beta = 0;
};
/// Follow the regularized leader, per coordinate. McMahan et al. 2013.
HR_EXPORT Optimizer Ftrl(double learning_rate, const FtrlSettings& settings = {});

struct ProximalSettings {
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double initial_accumulator_value = 0.1;  // of ProximalAdagrad
};
/// Forward-backward splitting. Duchi and Singer 2009.
HR_EXPORT Optimizer ProximalGradientDescent(double learning_rate, const ProximalSettings& settings = {});
HR_EXPORT Optimizer ProximalAdagrad(double learning_rate, const ProximalSettings& settings = {});

/// The variable `global_step` (i64, not trainable), made when the graph has none.
HR_EXPORT Variable GetOrCreateGlobalStep(const CallScope& scope);

struct SaverOptions {
  std::vector<Variable> variables = {};  // empty: all that the graph has when the saver is made
  int max_to_keep = 5;                   // older checkpoints in the directory are deleted; 0: none
  /// More to save, by the names that the checkpoint shall have for them.
  std::map<std::string, Variable> renamed = {};
  /// Each task writes its own variables, all at once; the tasks see one file system.
  bool sharded = false;
  /// A restored value takes its variable's shape, where the numbers of elements are equal.
  bool reshape = false;
  /// Save also writes PATH.meta: the graph, its variables and the saver, for TensorFlow's import_meta_graph.
  bool write_meta_graph = true;
};

/// Writes variables to checkpoints and reads them back: files that TensorFlow reads, and reads those that it wrote. The
/// task where the scope places it reads and writes the files; the program's own process keeps the `checkpoint` file, so
/// both see the same directory.
class HR_EXPORT Saver {
 public:
  explicit Saver(const CallScope& scope, const SaverOptions& options = {});
  /// Writes `prefix`, or `prefix`-`step`; returns that path. Then names it in the `checkpoint` file and deletes what is
  /// too old; checkpoints that the file knew before count too.
  Result<std::string> Save(Session& session, const std::string& prefix, std::optional<int64_t> step = {});
  /// Reads the checkpoint `path`. Errors: NOT_FOUND for no such checkpoint or a variable that it lacks; DATA_LOSS;
  /// INVALID_ARGUMENT for another shape.
  Status Restore(Session& session, const std::string& path);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// The newest checkpoint in a directory, or "" when it has none. Errors: DATA_LOSS for a damaged `checkpoint` file.
HR_EXPORT Result<std::string> LatestCheckpoint(const std::string& directory);

/// What one step of a loop produced.
struct StepResult {
  int64_t step = 0;  // counted by the loop, from 1
  std::vector<Tensor> fetches;
};

struct LoopOptions {
  std::vector<Output> fetches = {};
  int64_t max_steps = 0;  // 0: until the data ends
  /// Called after each step; false ends the loop.
  std::function<bool(const StepResult&)> on_step = {};
};

/// Runs `step` until the data ends (OUT_OF_RANGE), `max_steps` are done, or `on_step` says so; returns the number of
/// steps.
/// Errors: any other status of a step.
HR_EXPORT Result<int64_t> RunLoop(Session& session, const Operation& step, const LoopOptions& options = {});

}  // namespace headrace::api::train
