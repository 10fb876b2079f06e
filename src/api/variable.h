// Variable: state that outlives steps and sessions, on the device where it was placed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/initializer.h"
#include "api/output.h"

namespace headrace::train {
struct VariableNodes;
}

namespace headrace::api {

struct VariableSettings {
  bool trainable = true;  // optimizers train it when they are not told which
};

/// A resource variable under its name in TensorFlow's forms: handle `name`, `name/Assign`, `name/Read/ReadVariableOp`.
/// Sessions find its state by device and name, so several share it. Reading it before it is initialized fails the step
/// with FAILED_PRECONDITION. Copies are the same variable.
class HR_EXPORT Variable {
 public:
  /// Takes its name from the scope's WithName ("Variable" otherwise); made unique.
  Variable(const CallScope& scope, const Initializer& initializer, const VariableSettings& settings = {});

  /// False after a mistake in the graph.
  bool valid() const { return nodes_ != nullptr; }
  std::string name() const;
  DType dtype() const;
  PartialShape shape() const;

  /// The value: one read for each step, shared by all uses. In a scope with control dependencies use Read.
  Output Value() const;
  /// A read of its own, after the scope's control dependencies.
  Output Read(const CallScope& scope) const;
  /// Whether it has a value, bool.
  Output IsInitialized() const;
  /// Gives it its first value.
  Operation Initialize() const;

  // Updates. `value` has the variable's type and shape.
  Operation Assign(const Input& value) const;
  Operation AssignAdd(const Input& value) const;
  Operation AssignSub(const Input& value) const;

  /// The resource handle, for RawOp and gradients.
  Output handle() const;
  const Scope& scope() const { return scope_; }

 private:
  friend struct VariableAccess;
  Variable() = default;
  Scope scope_;
  std::shared_ptr<const headrace::train::VariableNodes> nodes_;
};

/// Initializes all variables that the graph has so far. Op NoOp `init`.
HR_EXPORT Operation GlobalVariablesInitializer(const CallScope& scope);
/// All variables of the graph, in the order they were made; slots of optimizers are among them.
HR_EXPORT std::vector<Variable> GlobalVariables(const Scope& scope);
HR_EXPORT std::vector<Variable> TrainableVariables(const Scope& scope);
/// The names of the variables that have no value yet, a string vector. Runs everywhere at any time.
HR_EXPORT Output ReportUninitializedVariables(const CallScope& scope);

/// The rows of `table` at `ids` (i32 or i64, any shape): shape ids.shape + table.shape[1:]. Where the table stands;
/// only the rows travel, and the gradient is of those rows alone. An id out of range fails the step. Op ResourceGather.
HR_EXPORT Output EmbeddingLookup(const Variable& table, const Input& ids);

}  // namespace headrace::api
