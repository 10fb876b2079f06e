#include "ops/math/math_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterMathOps(OpRegistry& registry) {
  constexpr std::vector<OpDefinition> (*kLists[])() = {
      UnaryOps,      UnaryGradOps, ComplexOps,         ArithmeticOps,  DivisionOps,  PowerOps,  CompareOps,
      LogicalOps,    AddNOps,      MatMulOps,          BatchMatMulOps, ReductionOps, ArgMaxOps, SegmentOps,
      CumulativeOps, ClipOps,      SegmentExtremumOps, BincountOps,    SpecialOps};
  for (const auto list : kLists) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
