// SelectV2: t where the condition holds, else e; all three are broadcast together. Select: t and e have one shape, the condition has
// the same, or is a scalar, or a vector with an element for each row. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/broadcast.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"

namespace headrace {
namespace {

Status SelectV2Shape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape values, BroadcastShapes(c.input(1), c.input(2)));
  HR_ASSIGN_OR_RETURN(PartialShape shape, BroadcastShapes(c.input(0), values));
  return c.SetOutput(0, std::move(shape));
}

Status SelectShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(1).MergeWith(c.input(2)));
  return c.SetOutput(0, std::move(shape));
}

Status SelectV2Gradient(GradientContext& c) {
  const Formula condition = InputFormula(c, 0), dy = OutputGradientFormula(c), zero = dy.Number(0);
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, SumToShapeOf(condition.Apply("SelectV2", {dy, zero}), c.input(1))));
  return c.SetInputGradient(2, SumToShapeOf(condition.Apply("SelectV2", {zero, dy}), c.input(2)));
}

Status SelectGradient(GradientContext& c) {
  const Formula condition = InputFormula(c, 0), dy = OutputGradientFormula(c), zeros = ZerosLike(dy);
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, condition.Apply("Select", {dy, zeros})));
  return c.SetInputGradient(2, condition.Apply("Select", {zeros, dy}));
}

/// One run: condition, t and e move by their steps.
struct Steps {
  int64_t condition, t, e;
};

template <typename T>
void ChooseRun(const bool* condition, const T* t, const T* e, T* out, int64_t count, const Steps& steps) {
  if (steps.condition == 0) {
    const T* source = *condition ? t : e;
    const int64_t step = *condition ? steps.t : steps.e;
    for (int64_t i = 0; i < count; ++i) out[i] = source[i * step];
    return;
  }
  for (int64_t i = 0; i < count; ++i) out[i] = condition[i] ? t[i * steps.t] : e[i * steps.e];
}

template <typename T> Status Choose(KernelContext& context, const Broadcast& broadcast) {
  const bool* condition = static_cast<const bool*>(context.input(0).raw());
  const T* t = static_cast<const T*>(context.input(1).raw());
  const T* e = static_cast<const T*>(context.input(2).raw());
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOrReuse(0, {1, 2}, broadcast.output()));
  T* out = static_cast<T*>(output->mutable_raw());
  const Steps steps = {broadcast.step(0), broadcast.step(1), broadcast.step(2)};
  context.ParallelFor(broadcast.output().num_elements(), 1, [&](int64_t begin, int64_t end) {
    broadcast.ForRuns(begin, end, [&](const Broadcast::Offsets& from, int64_t to, int64_t count) {
      ChooseRun(condition + from[0], t + from[1], e + from[2], out + to, count, steps);
    });
  });
  return OkStatus();
}

// Plain elements are moved as bytes of their size.
struct Sixteen {
  uint64_t words[2];
};
Status ChooseAny(KernelContext& context, const Broadcast& broadcast) {
  const DType dtype = context.input(1).dtype();
  if (dtype == DType::kString) return Choose<std::string>(context, broadcast);
  if (dtype == DType::kVariant) return Choose<Variant>(context, broadcast);
  if (dtype == DType::kResource) return Choose<ResourceHandle>(context, broadcast);
  switch (DTypeSize(dtype)) {
    case 1:
      return Choose<uint8_t>(context, broadcast);
    case 2:
      return Choose<uint16_t>(context, broadcast);
    case 4:
      return Choose<uint32_t>(context, broadcast);
    case 8:
      return Choose<uint64_t>(context, broadcast);
    default:
      return Choose<Sixteen>(context, broadcast);
  }
}

Status SelectV2Kernel(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const Broadcast broadcast, Broadcast::Make({&context.input(0).shape(), &context.input(1).shape(),
                                                                  &context.input(2).shape()}));
  return ChooseAny(context, broadcast);
}

Status SelectKernel(KernelContext& context) {
  const Shape &condition = context.input(0).shape(), &t = context.input(1).shape(), &e = context.input(2).shape();
  if (t != e) return InvalidArgument("'then' and 'else' must have the same size.  but received: ", t, " vs. ", e);
  Shape aligned = condition;
  if (condition.rank() == 1 && t.rank() > 1) {
    if (condition.dim(0) != t.dim(0)) {
      return InvalidArgument("Number of batches of 'then' must match size of 'cond', but saw: ", t.dim(0), " vs. ",
                             condition.dim(0));
    }
    for (int d = 1; d < t.rank(); ++d) aligned.AppendDim(1);
  } else if (condition != t && !condition.IsScalar()) {
    return InvalidArgument("'cond' must be a scalar, a vector, or have the shape of 'then': ", condition, " vs. ", t);
  }
  HR_ASSIGN_OR_RETURN(const Broadcast broadcast, Broadcast::Make({&aligned, &t, &e}));
  return ChooseAny(context, broadcast);
}

}  // namespace

std::vector<OpDefinition> SelectOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Select(condition: bool, t: T, e: T) -> (output: T) | T: type")
                    .Shape(SelectShape)
                    .Gradient(SelectGradient)
                    .Kernels(AnyType(FunctionKernel(SelectKernel))));
  ops.push_back(OpDefinition("SelectV2(condition: bool, t: T, e: T) -> (output: T) | T: type")
                    .Shape(SelectV2Shape)
                    .Gradient(SelectV2Gradient)
                    .Kernels(AnyType(FunctionKernel(SelectV2Kernel))));
  return ops;
}

}  // namespace headrace
