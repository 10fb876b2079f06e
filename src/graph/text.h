// Graphs as text, for tests and messages; one node a line:
//
//   line   = name "=" op "(" [ input { "," input } ] ")" [ "{" attr { "," attr } "}" ] [ "@" device ]
//   input  = "name" | "name:k" | "^name"
//   attr   = name "=" value
//   value  = true | 3 | 0.5 | 'text' | f32 | [2,?] | <unknown> | f32[2](1 2) | func:f | "[" value { "," value } "]"
//
// Empty lines and what follows "#" at the begin of a line are skipped. The op's signature says of which kind a value is; an
// attribute that begins with "_" is a bool, an int, a string or a list of strings, by its look.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace headrace {

/// Reads nodes. Errors: kInvalidArgument with the line's number; kNotFound for an unknown op.
HR_EXPORT Result<GraphDef> ParseGraphText(std::string_view text);

/// Adds the nodes to the graph in the text's order, with attributes that follow from the inputs inferred and shapes checked.
/// Errors: as ParseGraphText, and as GraphBuilder; inputs must stand above their consumers.
HR_EXPORT Status BuildGraphText(std::string_view text, Graph* graph);

/// "name = Op(inputs) {attrs} @ device", with at most `max_elements` of each tensor's values (then "...", which cannot be read).
HR_EXPORT std::string NodeText(const NodeDef& node, int64_t max_elements = INT64_MAX);

/// All nodes, one a line.
HR_EXPORT std::string GraphText(const GraphDef& graph, int64_t max_elements = INT64_MAX);

}  // namespace headrace
