// From a graph to a function: the way back from InstantiateFunction (import.h).
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

enum class FunctionContent {
  kNeeded,             // what the results need
  kNeededAndStateful,  // also every node with state: it was put there to run
};

/// Makes a function of a part of `graph`. Arguments are nodes of op `_Arg`, in
/// their order; an argument has its node's name, result i is "output_<i>".
/// Errors: kInvalidArgument when something is needed that is outside `arguments` but of op `_Arg`.
HR_EXPORT Result<FunctionDef> ExportFunction(const Graph& graph, std::string name, const std::vector<Node*>& arguments,
                                             const std::vector<Endpoint>& results,
                                             FunctionContent content = FunctionContent::kNeededAndStateful);

}  // namespace headrace
