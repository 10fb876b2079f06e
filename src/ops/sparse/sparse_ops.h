// The ops of the family `sparse`, by file; sparse_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> SparseToDenseOps();    // sparse_to_dense.cc
std::vector<OpDefinition> SparseArrangeOps();    // sparse_arrange.cc
std::vector<OpDefinition> SparseConcatOps();     // sparse_concat.cc
std::vector<OpDefinition> SparseReshapeOps();    // sparse_reshape.cc
std::vector<OpDefinition> SparseFillRowsOps();   // sparse_fill_rows.cc
std::vector<OpDefinition> SparseSegmentOps();    // sparse_segment.cc
std::vector<OpDefinition> SparseMatMulOps();     // sparse_matmul.cc
std::vector<OpDefinition> SparseDenseOps();      // sparse_dense.cc
std::vector<OpDefinition> SparseReduceOps();     // sparse_reduce.cc
std::vector<OpDefinition> SparseCrossOps();      // sparse_cross.cc
std::vector<OpDefinition> SparseAddOps();        // sparse_add.cc
std::vector<OpDefinition> SparseSerializeOps();  // sparse_serialize.cc
std::vector<OpDefinition> EditDistanceOps();     // edit_distance.cc

}  // namespace headrace
