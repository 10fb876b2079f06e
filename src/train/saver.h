// Saver nodes: the part of a graph that writes variables to a checkpoint and reads them back, under TensorFlow's names.
#pragma once

#include <string>
#include <vector>

#include "train/variable.h"

namespace headrace::train {

/// What a checkpoint holds under one key: a variable, or the slices of a partitioned one.
struct HR_EXPORT SavedVariable {
  std::string key;  // empty: the variable's name, or the whole's where it is a slice
  VariableNodes variable;
};

struct HR_EXPORT SaverOptions {
  std::string name = "save";
  /// Each device writes a file of its own variables, and the files become one checkpoint. Wants a file system that all
  /// tasks see.
  bool sharded = false;
  /// A restored value takes its variable's shape, where both have equally many elements.
  bool reshape = false;
};

/// The ends of a save and restore graph.
struct HR_EXPORT SaverNodes {
  Endpoint filename;            // string scalar to feed with the checkpoint's prefix; "model" by default
  Endpoint save;                // writes all; its value is the prefix
  Node* restore_all = nullptr;  // reads all and assigns
  bool sharded = false;
};

/// Adds a saver for `variables`, in the order of their keys. Not sharded, all are written and read by the task where the
/// builder places SaveV2 and RestoreV2. Restoring finds any part of a variable, whatever parts were saved. Errors:
/// kInvalidArgument for no variables, or one key for several that are not slices of one variable.
HR_EXPORT Result<SaverNodes> BuildSaver(const GraphBuilder& builder, std::vector<SavedVariable> variables,
                                        const SaverOptions& options = {});
/// The same, each variable under its own key.
HR_EXPORT Result<SaverNodes> BuildSaver(const GraphBuilder& builder, const std::vector<VariableNodes>& variables,
                                        const SaverOptions& options = {});

}  // namespace headrace::train
