// From GraphDef to Graph and back, and functions to graphs. Every graph from outside passes through here and is checked.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// Adds the nodes of `def` (in any order; cycles only through NextIteration) and its functions to `graph`, completes
/// attributes, infers shapes, and verifies. On error the graph is as before.
/// Errors: kNotFound for an unknown op; kInvalidArgument for a duplicate or malformed name, an input that does not exist, types
/// that do not agree, a cycle, negative or overflowing sizes, an unparsable device, or an unsupported version.
HR_EXPORT Status ImportGraphDef(const GraphDef& def, Graph* graph);

/// The whole graph as data, nodes in topological order where there are no loops. Default-valued attributes are kept.
HR_EXPORT GraphDef ExportGraphDef(const Graph& graph);

/// One node as data.
HR_EXPORT NodeDef ExportNode(const Node& node);

/// A function's body as a graph: argument i is a node of op `_Arg` with index i, result i one of `_Retval`.
struct FunctionBody {
  Graph graph;
  std::vector<Node*> args;
  std::vector<Node*> results;
  std::vector<Node*> control_results;
  std::vector<DType> arg_types;
  std::vector<DType> result_types;
};

/// Instantiates `function` of `library` with its attributes. Errors: kNotFound for an unknown function, and as ImportGraphDef.
HR_EXPORT Result<FunctionBody> InstantiateFunction(const FunctionLibrary& library, const FunctionRef& function);

}  // namespace headrace
