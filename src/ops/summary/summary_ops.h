// The ops of the family `summary`, by file; summary_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> ValueSummaryOps();  // value_summary.cc
std::vector<OpDefinition> ImageSummaryOps();  // image_summary.cc
std::vector<OpDefinition> AudioSummaryOps();  // audio_summary.cc

}  // namespace headrace
