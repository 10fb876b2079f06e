// See graph_bytes.h.
#include <limits>

#include "graph/graph_bytes.h"
#include "graph/graph_proto.h"
#include "headrace/proto/graph.pb.h"

namespace headrace {

Result<std::string> SerializeGraphDef(const GraphDef& graph) {
  proto::GraphDef message;
  HR_RETURN_IF_ERROR(GraphToProto(graph, &message));
  const size_t size = message.ByteSizeLong();
  if (size > static_cast<size_t>(std::numeric_limits<int>::max()))
    return InvalidArgument("GraphDef: ", size, " bytes are more than a message may have (2 GB)");
  std::string bytes;
  if (!message.SerializeToString(&bytes)) return InvalidArgument("GraphDef: it cannot be serialized");
  return bytes;
}

Result<GraphDef> ParseGraphDef(std::string_view bytes) {
  proto::GraphDef message;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return InvalidArgument("GraphDef: ", bytes.size(), " bytes cannot be parsed");
  return GraphFromProto(message);
}

}  // namespace headrace
