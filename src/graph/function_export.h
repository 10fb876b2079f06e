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

/// A name that no function of the library has: `prefix`, or `prefix_1`, `prefix_2`, ...
HR_EXPORT std::string FreeFunctionName(const FunctionLibrary& library, const std::string& prefix);

/// Adds all functions of another library. Errors: those of FunctionLibrary::Add.
HR_EXPORT Status AddFunctions(FunctionLibrary* library, const FunctionLibrary& functions);

/// Makes all of a traced graph a function of `library`, under a free name that begins with `prefix`; the functions that it calls come
/// along. What the graph takes from around it is among the arguments. Errors: as ExportFunction, and those of FunctionLibrary::Add.
HR_EXPORT Result<FunctionRef> AddFunction(FunctionLibrary* library, const Graph& traced, const std::string& prefix,
                                          const std::vector<Node*>& arguments, const std::vector<Endpoint>& results);

}  // namespace headrace
