// Errors that concern a node end with " [[{{node NAME}}]]": TensorFlow's clients find the node by that text.
#pragma once

#include <string_view>

#include "base/status.h"

namespace headrace {

/// Returns the status with the node's name at its end, unless it names a node already; OK stays OK.
HR_EXPORT Status AtNode(const Status& status, std::string_view node_name);

}  // namespace headrace
