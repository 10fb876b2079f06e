// Pack: tensors of one shape stacked along a new axis. Unpack: the reverse; along axis 0 its outputs share the input's memory.
// Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "ops/array/array_ops.h"
#include "ops/array/concat.h"
#include "ops/formula.h"

namespace headrace {
namespace {

// The axis attribute for `rank` dimensions of the stacked tensor.
Result<int> StackAxis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return InvalidArgument("axis = ", axis, " not in [", -rank, ", ", rank, ")");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Status PackShape(ShapeContext& c) {
  PartialShape part;
  for (int i = 0; i < c.num_inputs(); ++i) {
    Result<PartialShape> merged = part.MergeWith(c.input(i));
    if (!merged.ok())
      return InvalidArgument("Shapes of all inputs must match: values[0].shape = ", part, " != values[", i,
                             "].shape = ", c.input(i));
    part = *std::move(merged);
  }
  if (!part.has_rank()) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(const int axis, StackAxis(c.attr<int64_t>("axis"), part.rank() + 1));
  std::vector<int64_t> dims(part.dims().begin(), part.dims().end());
  dims.insert(dims.begin() + axis, c.num_inputs());
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

Status PackGradient(GradientContext& c) {
  Node* unpack = c.builder().AddNode("Unpack", {c.output_gradient(0)},
                                     {{"num", c.num_inputs()}, {"axis", c.attr<int64_t>("axis")}});
  for (int i = 0; unpack != nullptr && i < c.num_inputs(); ++i)
    HR_RETURN_IF_ERROR(c.SetInputGradient(i, Endpoint{unpack, i}));
  return c.builder().status();
}

class PackKernel final : public Kernel {
 public:
  explicit PackKernel(KernelConstruction& construction) : axis_(construction.attr<int64_t>("axis")) {}

  Status Compute(KernelContext& context) override {
    const int n = context.num_inputs();
    const Tensor& first = context.input(0);
    for (int i = 1; i < n; ++i) {
      if (context.input(i).shape() == first.shape()) continue;
      return InvalidArgument("Shapes of all inputs must match: values[0].shape = ", first.shape(), " != values[", i,
                             "].shape = ", context.input(i).shape());
    }
    HR_ASSIGN_OR_RETURN(const int axis, StackAxis(axis_, first.rank() + 1));
    std::vector<int64_t> dims(first.shape().dims().begin(), first.shape().dims().end());
    dims.insert(dims.begin() + axis, n);
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    if (n == 1) return context.SetOutput(0, context.TakeInput(0).Reshaped(shape));
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    int64_t outer = 1;
    for (int d = 0; d < axis; ++d) outer *= first.dim(d);
    std::vector<ConcatPart> parts;
    for (int i = 0; i < n; ++i) parts.push_back({context.input(i).raw(), first.num_elements() / outer});
    Concatenate(context, first.dtype(), outer, parts, output->mutable_raw());
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

Status UnpackShape(ShapeContext& c) {
  const PartialShape& value = c.input(0);
  PartialShape part;
  if (value.has_rank()) {
    HR_ASSIGN_OR_RETURN(const int axis, StackAxis(c.attr<int64_t>("axis"), value.rank()));
    if (value.dim(axis) >= 0 && value.dim(axis) != c.num_outputs()) {
      return InvalidArgument("Input shape axis ", axis, " must equal ", c.num_outputs(), ", got shape ", value);
    }
    std::vector<int64_t> dims(value.dims().begin(), value.dims().end());
    dims.erase(dims.begin() + axis);
    part = PartialShape(std::move(dims));
  }
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, part));
  return OkStatus();
}

Status UnpackGradient(GradientContext& c) {
  std::vector<Endpoint> gradients;
  for (int i = 0; i < c.node().num_outputs(); ++i) gradients.push_back(c.output_gradient(i));
  if (gradients.empty()) return OkStatus();
  return c.SetInputGradient(0, c.Op("Pack", std::move(gradients), {{"axis", c.attr<int64_t>("axis")}}));
}

class UnpackKernel final : public Kernel {
 public:
  explicit UnpackKernel(KernelConstruction& construction) : axis_(construction.attr<int64_t>("axis")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& value = context.input(0);
    const int n = context.num_outputs();
    HR_ASSIGN_OR_RETURN(const int axis, StackAxis(axis_, value.rank()));
    if (value.dim(axis) != n)
      return InvalidArgument("Input shape axis ", axis, " must equal ", n, ", got shape ", value.shape());
    const Shape shape = value.shape().WithoutDim(axis);
    int64_t outer = 1;
    for (int d = 0; d < axis; ++d) outer *= value.dim(d);
    const bool share = outer == 1 && IsPlainData(value.dtype());
    const int64_t inner = outer == 0 ? 0 : shape.num_elements() / outer;
    const Tensor rows = share ? value.Reshaped(Shape({n, shape.num_elements()})) : Tensor();
    const Elements elements(value.dtype());
    for (int i = 0; i < n; ++i) {
      if (share) {
        HR_RETURN_IF_ERROR(context.SetOutput(i, rows.Slice(i, i + 1).Reshaped(shape)));
        continue;
      }
      HR_ASSIGN_OR_RETURN(Tensor * part, context.AllocateOutput(i, shape));
      for (int64_t k = 0; k < outer; ++k) {
        elements.Copy(elements.At(value.raw(), (k * n + i) * inner), elements.At(part->mutable_raw(), k * inner),
                      inner);
      }
    }
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

}  // namespace

std::vector<OpDefinition> PackOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Pack(values: N * T) -> (output: T) | N: int >= 1 | T: type | axis: int = 0")
                    .Shape(PackShape)
                    .Gradient(PackGradient)
                    .Kernels(AnyType(ClassKernel<PackKernel>())));
  ops.push_back(OpDefinition("Unpack(value: T) -> (output: num * T) | num: int >= 0 | T: type | axis: int = 0")
                    .Shape(UnpackShape)
                    .Gradient(UnpackGradient)
                    .Kernels(AnyType(ClassKernel<UnpackKernel>())));
  return ops;
}

}  // namespace headrace
