// Variables as nodes of a graph: a handle, how it is initialized, how it is read. Names and attributes are
// TensorFlow's, so that checkpoints and other clients find them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/builder.h"

namespace headrace::train {

/// Which part of a partitioned variable a variable is.
struct HR_EXPORT VariableSlice {
  std::string full_name;  // of the whole; the key in checkpoints
  std::vector<int64_t> full_shape;
  std::vector<int64_t> offset;  // of the part's first element
};

/// The nodes of one variable, a resource variable or a ref variable. All belong to the graph it was built in.
struct HR_EXPORT VariableNodes {
  std::string name;  // of the handle's node; also the key in checkpoints, unless the variable is a slice
  DType dtype = DType::kInvalid;
  PartialShape shape;
  bool trainable = true;
  Endpoint handle;              // VarHandleOp `name`; of a ref variable VariableV2 `name`, the ref itself
  Endpoint initial_value;       // `name`/Initializer/...
  Node* initializer = nullptr;  // AssignVariableOp or Assign `name`/Assign
  Endpoint is_initialized;      // `name`/IsInitialized/VarIsInitializedOp; empty for a ref variable
  Endpoint snapshot;            // the default value: `name`/Read/ReadVariableOp, of a ref variable Identity `name`/read
  std::optional<VariableSlice> slice = {};

  bool is_ref() const { return IsRefVariable(handle); }
  static bool IsRefVariable(Endpoint handle) { return handle && IsRef(handle.dtype()); }
};

/// All variables of a graph, in the order they were made.
using VariableCollection = std::vector<VariableNodes>;

/// Builds the initial value below the given builder's prefix "<name>/Initializer/".
using InitialValue = std::function<Endpoint(const GraphBuilder&)>;

struct HR_EXPORT VariableOptions {
  std::string name = "Variable";  // made unique
  DType dtype = DType::kFloat;
  PartialShape shape = {};
  InitialValue initial_value = {};
  bool trainable = true;
  std::string container = {};
  const Node* colocate_with = nullptr;
  bool use_resource = true;  // else a ref variable
  std::optional<VariableSlice> slice = {};
};

/// Adds a variable, placed by the builder's device functions as an op of type VarHandleOp or VariableV2; its initial
/// value, assignment and reads go with it. Appended to `collection`. After an error in the builder the result is empty.
HR_EXPORT VariableNodes BuildVariable(const GraphBuilder& builder, const VariableOptions& options,
                                      VariableCollection* collection);

/// Adds a read of the variable, on the variable's device. It happens after the builder's control inputs.
HR_EXPORT Endpoint ReadVariable(const GraphBuilder& builder, const VariableNodes& variable,
                                const std::string& name = "ReadVariableOp");

/// Changes of a variable: by a value of its shape, or by rows (indices, then values).
enum class VariableChange { kAssign, kAssignAdd, kAssignSub, kScatterAdd, kScatterSub };

/// Adds the op that does it to the variable behind `handle`, a resource or a ref.
HR_EXPORT Node* ChangeVariable(const GraphBuilder& builder, VariableChange change, Endpoint handle,
                               const std::vector<Endpoint>& inputs, NodeOptions options = {}, AttrMap attrs = {});
/// Adds a read of the variable behind `handle`, as ReadVariable.
HR_EXPORT Endpoint ReadHandle(const GraphBuilder& builder, Endpoint handle, DType dtype, NodeOptions options = {});

/// A tensor that holds `value` everywhere: a constant while small, else a Fill, so that the graph stays small.
HR_EXPORT Endpoint Filled(const GraphBuilder& builder, DType dtype, const Shape& shape, double value,
                          const std::string& name);

/// One operation that runs them all: a NoOp with control inputs. Where they ask for several devices, each device gets a
/// NoOp for its own, so that one edge leaves it.
HR_EXPORT Node* Group(const GraphBuilder& builder, const std::vector<Node*>& nodes, const std::string& name);

/// A NoOp `init` that initializes all the variables.
HR_EXPORT Node* InitializeAll(const GraphBuilder& builder, const VariableCollection& variables,
                              const std::string& name = "init");

/// Returns the variable `global_step` (i64, not trainable, 0 at first), made when the collection has none.
HR_EXPORT VariableNodes GetOrCreateGlobalStep(const GraphBuilder& builder, VariableCollection* collection);

}  // namespace headrace::train
