// See array.h.
#include "api/array.h"

#include <numeric>

#include "api/emit.h"

namespace headrace::api {
namespace {

Tensor Ints(const std::vector<int>& values) {
  return Tensor::Vector(std::vector<int32_t>(values.begin(), values.end()));
}

// Extents as TensorFlow writes them: i32 where they fit.
Tensor Extents(const std::vector<int64_t>& values) {
  for (const int64_t value : values) {
    if (value != static_cast<int32_t>(value)) return Tensor::Vector(values);
  }
  return Tensor::Vector(std::vector<int32_t>(values.begin(), values.end()));
}

}  // namespace

Output Constant(const CallScope& scope, const Tensor& value) {
  return EmitIn(scope, "Const", {}, {{"value", value}, {"dtype", value.dtype()}}).output(0);
}

Output Placeholder(const CallScope& scope, DType dtype, const PartialShape& shape) {
  return EmitIn(scope, "Placeholder", {}, {{"dtype", dtype}, {"shape", shape}}).output(0);
}

Output PlaceholderWithDefault(const Input& value, const PartialShape& shape) {
  return Emit("PlaceholderWithDefault", {value}, {{"shape", shape}});
}

#define HR_UNARY(Name, op) \
  Output Name(const Input& x) { return Emit(op, {x}); }
HR_UNARY(Identity, "Identity")
HR_UNARY(StopGradient, "StopGradient")
HR_UNARY(ZerosLike, "ZerosLike")
HR_UNARY(OnesLike, "OnesLike")
HR_UNARY(ShapeOf, "Shape")
HR_UNARY(SizeOf, "Size")
HR_UNARY(RankOf, "Rank")
#undef HR_UNARY

Output Reshape(const Input& x, const std::vector<int64_t>& shape) { return Emit("Reshape", {x, Extents(shape)}); }
Output Reshape(const Input& x, const Output& shape) { return Emit("Reshape", {x, shape}); }
Output ExpandDims(const Input& x, int axis) { return Emit("ExpandDims", {x, Tensor::Scalar<int32_t>(axis)}); }

Output Squeeze(const Input& x, const std::vector<int>& axes) {
  return Emit("Squeeze", {x}, {{"squeeze_dims", std::vector<int64_t>(axes.begin(), axes.end())}});
}

Output Transpose(const Input& x, const std::vector<int>& perm) {
  std::vector<int> order = perm;
  if (order.empty() && x.output().shape().has_rank()) {
    order.resize(static_cast<size_t>(x.output().shape().rank()));
    std::iota(order.rbegin(), order.rend(), 0);
  }
  return Emit("Transpose", {x, Ints(order)});
}

Output Tile(const Input& x, const std::vector<int>& multiples) { return Emit("Tile", {x, Ints(multiples)}); }

Output Slice(const Input& x, const std::vector<int64_t>& begin, const std::vector<int64_t>& size) {
  return Emit("Slice", {x, Tensor::Vector(begin), Tensor::Vector(size)});
}

Output Concat(const std::vector<Input>& inputs, int axis) {
  std::vector<Input> all = inputs;
  all.emplace_back(Tensor::Scalar<int32_t>(axis));
  return Emit("ConcatV2", all);
}

Output Stack(const std::vector<Input>& inputs, int axis) { return Emit("Pack", inputs, {{"axis", axis}}); }

std::vector<Output> Unstack(const Input& x, int count, int axis) {
  return EmitAll("Unpack", {x}, {{"num", count}, {"axis", axis}});
}

std::vector<Output> Split(const Input& x, int count, int axis) {
  return EmitAll("Split", {Tensor::Scalar<int32_t>(axis), x}, {{"num_split", count}});
}

Output Gather(const Input& params, const Input& indices, int axis) {
  return Emit("GatherV2", {params, indices, Tensor::Scalar<int32_t>(axis)});
}

Output OneHot(const Input& indices, int depth, const OneHotOptions& options) {
  return EmitComposite("one_hot", {indices}, [&](const Composite& c, const std::vector<Endpoint>& in) {
    const Endpoint on = c.inner().ScalarOf(options.dtype, options.on_value),
                   off = c.inner().ScalarOf(options.dtype, options.off_value);
    return c.Last("OneHot", {in[0], c.inner().Scalar<int32_t>(depth), on, off}, {{"axis", options.axis}});
  });
}

Output Cast(const Input& x, DType dtype) {
  if (x.output().valid() && x.output().dtype() == dtype) return x.output();
  return Emit("Cast", {x}, {{"DstT", dtype}});
}

Output Range(const CallScope& scope, int limit) {
  return EmitIn(scope, "Range",
                {Tensor::Scalar<int32_t>(0), Tensor::Scalar<int32_t>(limit), Tensor::Scalar<int32_t>(1)})
      .output(0);
}

Output Fill(const Output& shape, const Input& value) {
  const Input number =
      value.is_number() ? Input(Tensor::Scalar(static_cast<float>(value.number())), value.where()) : value;
  return Emit("Fill", {shape, number});
}

Operation Group(const CallScope& scope, const std::vector<Operation>& operations) {
  return EmitIn(CallScope(scope.scope().WithControlDependencies(operations), scope.where()), "NoOp", {});
}

Operation RawOp(const CallScope& scope, const std::string& op, const std::vector<Input>& inputs) {
  return EmitIn(scope, op, inputs);
}

}  // namespace headrace::api
