#include "graph/node_error.h"

namespace headrace {

Status AtNode(const Status& status, std::string_view node_name) {
  if (status.ok() || status.message().find("[[{{node ") != std::string::npos) return status;
  const Status named(status.code(), StrCat(status.message(), " [[{{node ", node_name, "}}]]"));
  return status.derived() ? named.AsDerived() : named;
}

}  // namespace headrace
