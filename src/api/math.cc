// See math.h.
#include "api/math.h"

#include <numeric>

#include "api/emit.h"

namespace headrace::api {

#define HR_UNARY(Name) \
  Output Name(const Input& x) { return Emit(#Name, {x}); }
HR_UNARY(Abs)
HR_UNARY(Neg)
HR_UNARY(Square)
HR_UNARY(Sign)
HR_UNARY(Reciprocal)
HR_UNARY(Exp)
HR_UNARY(Log)
HR_UNARY(Log1p)
HR_UNARY(Sqrt)
HR_UNARY(Rsqrt)
HR_UNARY(Floor)
HR_UNARY(IsFinite)
HR_UNARY(LogicalNot)
#undef HR_UNARY

#define HR_BINARY(Name, op) \
  Output Name(const Input& x, const Input& y) { return Emit(op, {x, y}); }
HR_BINARY(Add, "AddV2")
HR_BINARY(Sub, "Sub")
HR_BINARY(Mul, "Mul")
HR_BINARY(Div, "RealDiv")
HR_BINARY(DivNoNan, "DivNoNan")
HR_BINARY(FloorDiv, "FloorDiv")
HR_BINARY(FloorMod, "FloorMod")
HR_BINARY(Pow, "Pow")
HR_BINARY(Maximum, "Maximum")
HR_BINARY(Minimum, "Minimum")
HR_BINARY(SquaredDifference, "SquaredDifference")
HR_BINARY(Less, "Less")
HR_BINARY(LessEqual, "LessEqual")
HR_BINARY(Greater, "Greater")
HR_BINARY(GreaterEqual, "GreaterEqual")
HR_BINARY(Equal, "Equal")
HR_BINARY(NotEqual, "NotEqual")
HR_BINARY(LogicalAnd, "LogicalAnd")
HR_BINARY(LogicalOr, "LogicalOr")
#undef HR_BINARY

Output Where(const Input& condition, const Input& x, const Input& y) {
  // A number takes its type from the other branch, never from the condition.
  return EmitComposite("Select", {x, y, condition}, [](const Composite& c, const std::vector<Endpoint>& in) {
    return c.Last("SelectV2", {in[2], in[0], in[1]});
  });
}

Output AddN(const std::vector<Input>& inputs) { return Emit("AddN", inputs); }

Output MatMul(const Input& a, const Input& b, const MatMulOptions& options) {
  return Emit("MatMul", {a, b}, {{"transpose_a", options.transpose_a}, {"transpose_b", options.transpose_b}});
}

namespace {

// All dimensions of x, as a constant where the rank is known.
Endpoint AllAxes(const GraphBuilder& builder, Endpoint x) {
  if (x.shape().has_rank()) {
    std::vector<int32_t> axes(static_cast<size_t>(x.shape().rank()));
    std::iota(axes.begin(), axes.end(), 0);
    return builder.Const(Tensor::Vector(axes), "axes");
  }
  return builder.Op("Range", {builder.Scalar<int32_t>(0), builder.Op("Rank", {x}), builder.Scalar<int32_t>(1)});
}

Output Reduce(const char* op, const Input& x, const Axes& axes, const ReduceOptions& options) {
  return EmitComposite(op, {x}, [&](const Composite& c, const std::vector<Endpoint>& in) {
    const Endpoint dims =
        axes ? c.inner().Const(Tensor::Vector(std::vector<int32_t>(axes->begin(), axes->end())), "axes")
             : AllAxes(c.inner(), in[0]);
    return c.Last(op, {in[0], dims}, {{"keep_dims", options.keep_dims}});
  });
}

}  // namespace

#define HR_REDUCTION(Name, op) \
  Output Name(const Input& x, const Axes& axes, const ReduceOptions& options) { return Reduce(op, x, axes, options); }
HR_REDUCTION(ReduceSum, "Sum")
HR_REDUCTION(ReduceMean, "Mean")
HR_REDUCTION(ReduceProd, "Prod")
HR_REDUCTION(ReduceMax, "Max")
HR_REDUCTION(ReduceMin, "Min")
HR_REDUCTION(ReduceAll, "All")
HR_REDUCTION(ReduceAny, "Any")
#undef HR_REDUCTION

Output ArgMax(const Input& x, int axis) { return Emit("ArgMax", {x, Tensor::Scalar<int32_t>(axis)}); }

}  // namespace headrace::api
