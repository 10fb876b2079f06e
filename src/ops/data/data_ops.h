// The ops of the family `data`, by file; data_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> DatasetSourceOps();      // dataset_sources.cc
std::vector<OpDefinition> DatasetTransformOps();   // dataset_transforms.cc
std::vector<OpDefinition> DatasetFunctionOps();    // dataset_functions.cc
std::vector<OpDefinition> DatasetGeneratorOps();   // dataset_generator.cc
std::vector<OpDefinition> DatasetGroupingOps();    // dataset_grouping.cc
std::vector<OpDefinition> DatasetInterleaveOps();  // dataset_interleave.cc
std::vector<OpDefinition> DatasetMemoryOps();      // dataset_memory.cc
std::vector<OpDefinition> DatasetResultOps();      // dataset_results.cc
std::vector<OpDefinition> IteratorOps();           // iterator_ops.cc
std::vector<OpDefinition> IteratorHandleOps();     // iterator_handles.cc
std::vector<OpDefinition> OptionalOps();           // optional_ops.cc

}  // namespace headrace
