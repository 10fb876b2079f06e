// StringJoin: the inputs' strings joined element by element; scalars go with every element. Source: TensorFlow's op `StringJoin`.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

Status StringJoinShape(ShapeContext& c) {
  PartialShape shape = PartialShape::Scalar();
  for (int i = 0; i < c.num_inputs(); ++i) {
    const PartialShape& input = c.input(i);
    if (!input.has_rank()) return c.SetOutput(0, PartialShape());
    if (input.rank() == 0) continue;
    if (shape.rank() == 0) {
      shape = input;
    } else {
      HR_ASSIGN_OR_RETURN(shape, shape.MergeWith(input));
    }
  }
  return c.SetOutput(0, std::move(shape));
}

class StringJoinKernel final : public Kernel {
 public:
  explicit StringJoinKernel(KernelConstruction& construction)
      : separator_(construction.attr<std::string>("separator")) {}

  Status Compute(KernelContext& context) override {
    Shape shape;
    for (int i = 0; i < context.num_inputs(); ++i) {
      const Shape& input = context.input(i).shape();
      if (input.IsScalar()) continue;
      if (shape.IsScalar()) shape = input;
      if (input != shape) return InvalidArgument("Input shapes do not match: ", shape, " vs. ", input);
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    const std::span<std::string> joined = output->mutable_data<std::string>();
    for (size_t k = 0; k < joined.size(); ++k) {
      for (int i = 0; i < context.num_inputs(); ++i) {
        const Tensor& input = context.input(i);
        if (i > 0) joined[k] += separator_;
        joined[k] += input.data<std::string>()[input.shape().IsScalar() ? 0 : k];
      }
    }
    return OkStatus();
  }

 private:
  const std::string separator_;
};

}  // namespace

std::vector<OpDefinition> StringOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("StringJoin(inputs: N * str) -> (output: str) | N: int >= 0 | separator: string = ''")
                    .Shape(StringJoinShape)
                    .NoGradient("not differentiable: strings")
                    .Kernels(AnyType(ClassKernel<StringJoinKernel>())));
  return ops;
}

}  // namespace headrace
