// GraphDef as bytes: TensorFlow's serialized GraphDef, for files and for other languages.
#pragma once

#include <string>
#include <string_view>

#include "graph/node_def.h"

namespace headrace {

/// Errors: kInvalidArgument for a tensor that cannot be written, or a graph beyond protobuf's 2 GB.
HR_EXPORT Result<std::string> SerializeGraphDef(const GraphDef& graph);
/// Errors: kInvalidArgument for bytes that are no GraphDef, and as GraphFromProto (graph_proto.h).
HR_EXPORT Result<GraphDef> ParseGraphDef(std::string_view bytes);

}  // namespace headrace
