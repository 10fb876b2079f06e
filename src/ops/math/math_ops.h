// The ops of the math family, file by file; math_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> UnaryOps();
std::vector<OpDefinition> UnaryGradOps();
std::vector<OpDefinition> ComplexOps();
std::vector<OpDefinition> ArithmeticOps();
std::vector<OpDefinition> DivisionOps();
std::vector<OpDefinition> PowerOps();
std::vector<OpDefinition> CompareOps();
std::vector<OpDefinition> LogicalOps();
std::vector<OpDefinition> AddNOps();
std::vector<OpDefinition> MatMulOps();
std::vector<OpDefinition> BatchMatMulOps();
std::vector<OpDefinition> ReductionOps();
std::vector<OpDefinition> ArgMaxOps();
std::vector<OpDefinition> SegmentOps();
std::vector<OpDefinition> SegmentExtremumOps();
std::vector<OpDefinition> BincountOps();
std::vector<OpDefinition> CumulativeOps();
std::vector<OpDefinition> ClipOps();
std::vector<OpDefinition> SpecialOps();

}  // namespace headrace
