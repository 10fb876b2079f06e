// SparseReduceSum, SparseReduceMax: the entries of a sparse tensor reduced over axes into a dense tensor; elements without entries are 0.
#include <algorithm>

#include "kernel/elements.h"
#include "kernel/reduce.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/signature_types.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

struct LargerFunctor {
  template <typename T> T operator()(T x, T y) const { return y != y ? y : x < y ? y : x; }
};

Status ReduceShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(SparseRank(c, 0, 2).status());
  HR_ASSIGN_OR_RETURN(const PartialShape input, c.ShapeFromInput(2));
  const Tensor* axes = c.constant(3);
  if (!input.has_rank() || axes == nullptr) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(input.rank(), *axes));
  PartialShape output = PartialShape::Scalar();
  for (int d = 0; d < input.rank(); ++d) {
    if (!reduced[static_cast<size_t>(d)])
      output.AppendDim(input.dim(d));
    else if (c.attr<bool>("keep_dims"))
      output.AppendDim(1);
  }
  return c.SetOutput(0, std::move(output));
}

// Each entry gets the gradient of the element that it went into.
Status SumGradient(GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const Formula shape = InputFormula(c, 2), indices = InputFormula(c, 0), axes = InputFormula(c, 3);
  const Formula rank(b, c.Op("Size", {shape}));
  const Formula flat = axes.Apply("Reshape", {IntVector(b, {-1})});
  const Formula positive = (flat + rank).Apply("FloorMod", {rank});
  const Formula all(b, c.Op("Range", {b.Scalar<int32_t>(0), rank, b.Scalar<int32_t>(1)}));
  const Formula ones(b, c.Op("Fill", {c.Op("Shape", {positive}), b.Scalar<int64_t>(1)}));
  const Formula kept(b, c.Op("DynamicStitch", {all, positive, shape, ones}, {{"N", int64_t{2}}}));
  const Formula dy = OutputGradientFormula(c).Apply("Reshape", {kept});
  const Formula places = indices.Apply("FloorDiv", {shape.Apply("FloorDiv", {kept})});
  return c.SetInputGradient(1, dy.Apply("GatherNd", {places}));
}

template <typename F, typename T> class SparseReduceKernel final : public Kernel {
 public:
  explicit SparseReduceKernel(KernelConstruction& c) : keep_dims_(c.attr<bool>("keep_dims")) {}

  Status Compute(KernelContext& c) override {
    using C = ComputeType<T>;
    HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
    const int rank = static_cast<int>(sparse.rank());
    HR_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(rank, c.input(3)));
    std::vector<int64_t> kept, dims;
    for (size_t d = 0; d < reduced.size(); ++d) {
      kept.push_back(reduced[d] ? 1 : sparse.shape[d]);
      if (keep_dims_ || !reduced[d]) dims.push_back(kept.back());
    }
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    std::vector<C> sums(static_cast<size_t>(shape.num_elements()));
    std::vector<bool> touched(sums.size());
    for (int64_t i = 0; i < sparse.size(); ++i) {
      const std::span<const int64_t> index = sparse.row(i);
      size_t place = 0;
      for (size_t d = 0; d < kept.size(); ++d) {
        if (index[d] < 0 || index[d] >= sparse.shape[d]) return OutOfBounds(i, index, sparse.shape);
        if (!reduced[d]) place = place * static_cast<size_t>(kept[d]) + static_cast<size_t>(index[d]);
      }
      const C value = static_cast<C>(sparse.values->data<T>()[static_cast<size_t>(i)]);
      sums[place] = touched[place] ? F()(sums[place], value) : value;
      touched[place] = true;
    }
    std::ranges::transform(sums, output->mutable_data<T>().begin(), [](const C& sum) { return static_cast<T>(sum); });
    return OkStatus();
  }

 private:
  const bool keep_dims_;
};

OpDefinition ReduceOp(std::string_view name, std::string_view types) {
  return OpDefinition(StrCat(name, "(input_indices: i64, input_values: T, input_shape: i64, reduction_axes: i32) -> ",
                             "(output: T) | keep_dims: bool = false | T: type in ", types))
      .Shape(ReduceShape);
}

template <typename F, typename... Ts> std::vector<KernelDefinition> ReduceKernels() {
  return KernelsFor<Ts...>("T", []<typename T>() { return ClassKernel<SparseReduceKernel<F, T>>(); });
}

}  // namespace

std::vector<OpDefinition> SparseReduceOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      ReduceOp("SparseReduceSum", kNumberTypes)
          .Gradient(SumGradient)
          .Kernels(ReduceKernels<AddFunctor, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                                 uint16_t, uint32_t, uint64_t, std::complex<float>, std::complex<double>>()));
  ops.push_back(ReduceOp("SparseReduceMax", kRealTypes)
                    .NoGradient("TensorFlow has none")
                    .Kernels(ReduceKernels<LargerFunctor, float, double, Half, BFloat16, int8_t, int16_t, int32_t,
                                           int64_t, uint8_t, uint16_t, uint32_t, uint64_t>()));
  return ops;
}

}  // namespace headrace
