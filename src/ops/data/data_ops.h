// The ops of the family `data`, by file; data_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> DatasetSourceOps();     // dataset_sources.cc
std::vector<OpDefinition> DatasetTransformOps();  // dataset_transforms.cc
std::vector<OpDefinition> DatasetFunctionOps();   // dataset_functions.cc
std::vector<OpDefinition> IteratorOps();          // iterator_ops.cc

}  // namespace headrace
