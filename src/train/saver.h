// Saver nodes: the part of a graph that writes variables to a checkpoint and reads them back.
#pragma once

#include <string>
#include <vector>

#include "train/variable.h"

namespace headrace::train {

/// The ends of a save and restore graph.
struct HR_EXPORT SaverNodes {
  Endpoint filename;            // string scalar to feed with the checkpoint's prefix; "model" by default
  Endpoint save;                // writes all; its value is the prefix
  Node* restore_all = nullptr;  // reads all and assigns
};

/// Adds a saver for `variables` (each under its name, in the order of the names), below the scope `name`. Variables are
/// written and read by the task where the builder places SaveV2 and RestoreV2. Errors: kInvalidArgument for no
/// variables.
HR_EXPORT Result<SaverNodes> BuildSaver(const GraphBuilder& builder, std::vector<VariableNodes> variables,
                                        const std::string& name = "save");

}  // namespace headrace::train
