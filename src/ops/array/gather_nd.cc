// GatherNd: slices of `params` picked by index tuples, the last dimension of `indices`. ScatterNd: the reverse: `updates` added up
// in their places in zeros of a shape. An index out of range is an error; with bad_indices_policy "IGNORE" GatherNd gives zeros for
// it and ScatterNd leaves it out. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "ops/array/array_ops.h"
#include "ops/array/indexed_parts.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"

namespace headrace {
namespace {

Status GatherNdShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 1));
  HR_ASSIGN_OR_RETURN(PartialShape shape, ShapeOfParts(c.input(1), c.input(0)));
  return c.SetOutput(0, std::move(shape));
}

Status ScatterNdShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(2));
  HR_ASSIGN_OR_RETURN(const PartialShape updates, ShapeOfParts(c.input(0), shape));
  if (!updates.IsCompatibleWith(c.input(1)))
    return InvalidArgument("ScatterNd: updates must have shape ", updates, ", has ", c.input(1));
  return c.SetOutput(0, std::move(shape));
}

Status GatherNdGradient(GradientContext& c) {
  const Endpoint shape = c.Op("Shape", {c.input(0)}, {{"out_type", c.input(1).dtype()}});
  return c.SetInputGradient(0, c.Op("ScatterNd", {c.input(1), c.output_gradient(0), shape}));
}

Status ScatterNdGradient(GradientContext& c) {
  return c.SetInputGradient(1, c.Op("GatherNd", {c.output_gradient(0), c.input(0)}));
}

class GatherNdKernel final : public Kernel {
 public:
  explicit GatherNdKernel(KernelConstruction& construction)
      : ignore_(construction.attr<std::string>("bad_indices_policy") == "IGNORE") {}

  Status Compute(KernelContext& context) override {
    const Tensor& params = context.input(0);
    const Tensor& indices = context.input(1);
    HR_ASSIGN_OR_RETURN(const IndexedParts slices, IndexedParts::Make("GatherNd", indices, params.shape()));
    HR_ASSIGN_OR_RETURN(const PartialShape gathered, ShapeOfParts(indices.shape(), params.shape()));
    HR_ASSIGN_OR_RETURN(const Shape shape, gathered.ToShape());
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    const Elements elements(params.dtype());
    const int64_t size = slices.slice_elements;
    for (size_t t = 0; t < slices.places.size(); ++t) {
      const int64_t place = slices.places[t];
      char* to = elements.At(output->mutable_raw(), static_cast<int64_t>(t) * size);
      if (place >= 0) {
        elements.Copy(elements.At(params.raw(), place * size), to, size);
      } else if (ignore_) {
        elements.FillZero(to, size);
      } else {
        return InvalidArgument(IndexTuple(indices, static_cast<int64_t>(t)), " does not index into param shape ",
                               params.shape(), ", node name: ", context.node().name());
      }
    }
    return OkStatus();
  }

 private:
  const bool ignore_;
};

class ScatterNdKernel final : public Kernel {
 public:
  ScatterNdKernel(KernelConstruction& construction, BinaryLoop add)
      : add_(add), ignore_(construction.attr<std::string>("bad_indices_policy") == "IGNORE") {}

  Status Compute(KernelContext& context) override {
    const Tensor& indices = context.input(0);
    const Tensor& updates = context.input(1);
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("ScatterNd", context.input(2)));
    HR_ASSIGN_OR_RETURN(const IndexedParts slices, IndexedParts::Make("ScatterNd", indices, shape));
    HR_ASSIGN_OR_RETURN(const PartialShape expected, ShapeOfParts(indices.shape(), shape));
    if (!expected.IsCompatibleWith(updates.shape())) {
      return InvalidArgument("ScatterNd: updates must have shape ", expected, ", has ", updates.shape());
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    const Elements elements(updates.dtype());
    elements.FillZero(output->mutable_raw(), shape.num_elements());
    const int64_t size = slices.slice_elements;
    for (size_t t = 0; t < slices.places.size(); ++t) {
      if (slices.places[t] >= 0) {
        char* to = elements.At(output->mutable_raw(), slices.places[t] * size);
        add_(to, elements.At(updates.raw(), static_cast<int64_t>(t) * size), to, size, 1, 1);
      } else if (!ignore_) {
        return InvalidArgument(IndexTuple(indices, static_cast<int64_t>(t)), " does not index into shape ", shape);
      }
    }
    return OkStatus();
  }

 private:
  const BinaryLoop add_;
  const bool ignore_;
};

void OrRun(const void* x, const void* y, void* z, int64_t count, int64_t, int64_t) {
  for (int64_t i = 0; i < count; ++i)
    static_cast<bool*>(z)[i] = static_cast<const bool*>(x)[i] || static_cast<const bool*>(y)[i];
}
void AppendRun(const void*, const void* y, void* z, int64_t count, int64_t, int64_t) {
  for (int64_t i = 0; i < count; ++i) static_cast<std::string*>(z)[i] += static_cast<const std::string*>(y)[i];
}

KernelDefinition ScatterNdKernelFor(DType type, BinaryLoop add) {
  return {.types = {{"T", {type}}},
          .factory = [add](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<ScatterNdKernel>(construction, add));
          }};
}

template <typename... Ts> std::vector<KernelDefinition> ScatterNdKernels(Types<Ts...>) {
  return {ScatterNdKernelFor(kDTypeOf<Ts>, BinaryRun<AddFunctor, Ts>)..., ScatterNdKernelFor(DType::kBool, OrRun),
          ScatterNdKernelFor(DType::kString, AppendRun)};
}

using Numbers = Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                      uint64_t, std::complex<float>, std::complex<double>>;

}  // namespace

std::vector<OpDefinition> GatherNdOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("GatherNd(params: Tparams, indices: Tindices) -> (output: Tparams) | Tparams: type | "
                             "Tindices: type in {i16,i32,i64} | bad_indices_policy: string = ''")
                    .Shape(GatherNdShape)
                    .Gradient(GatherNdGradient)
                    .Kernels(AnyType(ClassKernel<GatherNdKernel>())));
  ops.push_back(OpDefinition("ScatterNd(indices: Tindices, updates: T, shape: Tindices) -> (output: T) | T: type | "
                             "Tindices: type in {i16,i32,i64} | bad_indices_policy: string = ''")
                    .Shape(ScatterNdShape)
                    .Gradient(ScatterNdGradient)
                    .Kernels(ScatterNdKernels(Numbers())));
  return ops;
}

}  // namespace headrace
