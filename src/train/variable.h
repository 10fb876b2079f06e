// Variables as nodes of a graph: a handle, how it is initialized, how it is read. Names and attributes are
// TensorFlow's, so that checkpoints and other clients find them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/builder.h"

namespace headrace::train {

/// The nodes of one resource variable. All belong to the graph it was built in.
struct HR_EXPORT VariableNodes {
  std::string name;  // of the handle's node; also the key in checkpoints
  DType dtype = DType::kInvalid;
  PartialShape shape;
  bool trainable = true;
  Endpoint handle;              // VarHandleOp `name`
  Endpoint initial_value;       // `name`/Initializer/...
  Node* initializer = nullptr;  // AssignVariableOp `name`/Assign
  Endpoint is_initialized;      // `name`/IsInitialized/VarIsInitializedOp
  Endpoint snapshot;            // `name`/Read/ReadVariableOp: read for checkpoints and as the default value
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
};

/// Adds a variable, placed by the builder's device functions as an op of type VarHandleOp; its initial value,
/// assignment and reads go with it. Appended to `collection`. After an error in the builder the result is empty.
HR_EXPORT VariableNodes BuildVariable(const GraphBuilder& builder, const VariableOptions& options,
                                      VariableCollection* collection);

/// Adds a read of the variable, on the variable's device. It happens after the builder's control inputs.
HR_EXPORT Endpoint ReadVariable(const GraphBuilder& builder, const VariableNodes& variable,
                                const std::string& name = "ReadVariableOp");

/// A tensor that holds `value` everywhere: a constant while small, else a Fill, so that the graph stays small.
HR_EXPORT Endpoint Filled(const GraphBuilder& builder, DType dtype, const Shape& shape, double value,
                          const std::string& name);

/// One operation that runs them all: a NoOp with control inputs, on no device in particular.
HR_EXPORT Node* Group(const GraphBuilder& builder, const std::vector<Node*>& nodes, const std::string& name);

/// A NoOp `init` that initializes all the variables.
HR_EXPORT Node* InitializeAll(const GraphBuilder& builder, const VariableCollection& variables,
                              const std::string& name = "init");

/// Returns the variable `global_step` (i64, not trainable, 0 at first), made when the collection has none.
HR_EXPORT VariableNodes GetOrCreateGlobalStep(const GraphBuilder& builder, VariableCollection* collection);

}  // namespace headrace::train
