// EvaluateOp: runs one op on given tensors, outside any graph; for constant folding and for the tests of kernels.
#pragma once

#include <string_view>
#include <vector>

#include "kernel/kernel.h"

namespace headrace {

/// Runs the registered CPU kernel of `op`; missing type, count and default attributes are filled in as GraphBuilder does.
/// For a ref input give the handle of its variable. State goes to `resources` where given, else to a manager of this call.
/// Errors: as building and running the node.
HR_EXPORT Result<std::vector<Tensor>> EvaluateOp(std::string_view op, std::vector<Tensor> inputs, AttrMap attrs = {},
                                                 ResourceManager* resources = nullptr);

/// The same for folding: an op that waits, for a file or an event, has no constant value. Errors: also kUnimplemented for such an op.
HR_EXPORT Result<std::vector<Tensor>> EvaluateConstant(std::string_view op, std::vector<Tensor> inputs,
                                                       AttrMap attrs = {});

}  // namespace headrace
