// Bincount, DenseBincount: how often each number below `size` occurs, or the sum of the weights of its occurrences, or (binary_output)
// whether it does; DenseBincount of a matrix counts by row. Numbers of `size` or more are left out.
// Bucketize: the number of boundaries that are not above each value.
// Errors: kInvalidArgument for negative numbers or sizes, weights of another shape, and boundaries that descend.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/integers.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

Status BincountShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  int64_t size = PartialShape::kUnknownDim;
  if (const auto known = ConstantIntegers(c, 1); known && known->size() == 1) {
    size = (*known)[0];
    if (size < 0) return InvalidArgument("size (", size, ") must be non-negative");
  }
  const PartialShape& input = c.input(0);
  if (c.node().op() == "Bincount" || input.rank() == 1) return c.SetOutput(0, PartialShape({size}));
  if (!input.has_rank()) return c.SetOutput(0, PartialShape());
  if (input.rank() != 2) return InvalidArgument("Shape must be at most rank 2 but is rank ", input.rank());
  return c.SetOutput(0, PartialShape({input.dim(0), size}));
}

template <typename T> class BincountKernel final : public Kernel {
 public:
  explicit BincountKernel(KernelConstruction& c)
      : binary_(c.attr<bool>("binary_output")), by_row_(c.node().op() == "DenseBincount") {}

  Status Compute(KernelContext& c) override {
    const Tensor &numbers = c.input(0), &weights = c.input(2);
    if (c.input(1).num_elements() != 1) return InvalidArgument("Shape must be rank 0 but is rank ", c.input(1).rank());
    const int64_t size = IntegerAt(c.input(1), 0);
    if (size < 0) return InvalidArgument("size (", size, ") must be non-negative");
    if (by_row_ && numbers.rank() > 2)
      return InvalidArgument("Shape must be at most rank 2 but is rank ", numbers.rank());
    const bool weighted = weights.num_elements() > 0;
    if (weighted && weights.num_elements() != numbers.num_elements())
      return InvalidArgument("Input indices and weights must have the same size. Got ", numbers, " and ", weights);
    const bool rows = by_row_ && numbers.rank() == 2;
    const int64_t columns = rows ? numbers.dim(1) : numbers.num_elements();
    std::vector<int64_t> dims = {size};
    if (rows) dims.insert(dims.begin(), numbers.dim(0));
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    const std::span<T> out = output->mutable_data<T>();
    std::ranges::fill(out, T{});
    for (int64_t i = 0; i < numbers.num_elements(); ++i) {
      const int64_t number = IntegerAt(numbers, i);
      if (number < 0) return InvalidArgument("Input arr must be non-negative!");
      if (number >= size) continue;
      T& bin = out[static_cast<size_t>((rows ? i / columns * size : 0) + number)];
      bin = binary_ ? T{1} : bin + (weighted ? weights.data<T>()[static_cast<size_t>(i)] : T{1});
    }
    return OkStatus();
  }

 private:
  const bool binary_;
  const bool by_row_;
};

template <typename T> class BucketizeKernel final : public Kernel {
 public:
  explicit BucketizeKernel(std::vector<float> boundaries) : boundaries_(std::move(boundaries)) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    auto boundaries = c.attr<std::vector<float>>("boundaries");
    if (!std::ranges::is_sorted(boundaries)) return InvalidArgument("Expected sorted boundaries");
    return std::unique_ptr<Kernel>(std::make_unique<BucketizeKernel>(std::move(boundaries)));
  }

  Status Compute(KernelContext& c) override {
    const std::span<const T> in = c.input(0).data<T>();
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    const std::span<int32_t> out = output->mutable_data<int32_t>();
    const double cost_ns = 10;
    c.ParallelFor(std::ssize(in), cost_ns, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        const auto above = std::upper_bound(boundaries_.begin(), boundaries_.end(), in[i], [](T value, float boundary) {
          return static_cast<double>(value) < static_cast<double>(boundary);
        });
        out[i] = static_cast<int32_t>(above - boundaries_.begin());
      }
    });
    return OkStatus();
  }

 private:
  const std::vector<float> boundaries_;
};

std::vector<KernelDefinition> BincountKernels() {
  return KernelsFor<int32_t, int64_t, float, double>("T",
                                                     []<typename T>() { return ClassKernel<BincountKernel<T>>(); });
}

}  // namespace

std::vector<OpDefinition> BincountOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Bincount(arr: i32, size: i32, weights: T) -> (bins: T) | T: type in {i32,i64,f32,f64}")
                    .Shape(BincountShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(BincountKernels()));
  ops.push_back(
      OpDefinition("DenseBincount(input: Tidx, size: Tidx, weights: T) -> (output: T) | Tidx: type in {i32,i64} "
                   "| T: type in {i32,i64,f32,f64} | binary_output: bool = false")
          .Shape(BincountShape)
          .NoGradient("TensorFlow has none")
          .Kernels(BincountKernels()));
  ops.push_back(OpDefinition("Bucketize(input: T) -> (output: i32) | T: type in {i32,i64,f32,f64} | boundaries: "
                             "list(float)")
                    .Shape(UnchangedShape)
                    .NoGradient("not differentiable")
                    .Kernels(KernelsFor<int32_t, int64_t, float, double>(
                        "T", []<typename T>() { return ClassKernel<BucketizeKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
