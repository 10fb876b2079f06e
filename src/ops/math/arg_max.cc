// ArgMax, ArgMin: where the first largest or smallest element stands along one axis. Errors: kInvalidArgument for an axis out of
// range, or one without elements. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

// The axis as given by a scalar i16, i32 or i64.
Result<int> Axis(const Tensor& dimension, int rank) {
  if (dimension.num_elements() != 1)
    return InvalidArgument("dimension must be a scalar, but received tensor of shape: ", dimension.shape());
  const int64_t axis = dimension.dtype() == DType::kInt16   ? dimension.scalar<int16_t>()
                       : dimension.dtype() == DType::kInt32 ? dimension.scalar<int32_t>()
                                                            : dimension.scalar<int64_t>();
  if (axis < -rank || axis >= rank) {
    return InvalidArgument("Expected dimension in the range [", -rank, ", ", rank, "), but got ", axis);
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Status ArgMaxShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  const PartialShape& input = c.input(0);
  if (!input.has_rank()) return c.SetOutput(0, PartialShape());
  const Tensor* dimension = c.constant(1);
  if (dimension == nullptr) {
    return c.SetOutput(0, input.rank() > 0 ? PartialShape::UnknownOfRank(input.rank() - 1) : PartialShape());
  }
  HR_ASSIGN_OR_RETURN(const int axis, Axis(*dimension, input.rank()));
  std::vector<int64_t> dims(input.dims().begin(), input.dims().end());
  dims.erase(dims.begin() + axis);
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

/// Finds the places in rows [begin, end) of [outer, axis, inner].
using ArgLoop = void (*)(const void* x, int64_t begin, int64_t end, int64_t axis, int64_t inner, int64_t* places);

template <bool kMax, typename T>
void ArgRun(const void* x_data, int64_t begin, int64_t end, int64_t axis, int64_t inner, int64_t* places) {
  using C = ComputeType<T>;
  for (int64_t outer = begin; outer < end; ++outer) {
    const T* rows = static_cast<const T*>(x_data) + outer * axis * inner;
    for (int64_t i = 0; i < inner; ++i) {
      C best = static_cast<C>(rows[i]);
      int64_t place = 0;
      for (int64_t k = 1; k < axis; ++k) {
        const C value = static_cast<C>(rows[k * inner + i]);
        if (kMax ? value > best : value < best) best = value, place = k;
      }
      places[outer * inner + i] = place;
    }
  }
}

class ArgKernel final : public Kernel {
 public:
  explicit ArgKernel(ArgLoop loop) : loop_(loop) {}

  Status Compute(KernelContext& context) override {
    const Tensor& x = context.input(0);
    HR_ASSIGN_OR_RETURN(const int axis, Axis(context.input(1), x.rank()));
    if (x.dim(axis) == 0) return InvalidArgument("Reduction axis ", axis, " is empty in shape ", x.shape());
    const Shape shape = x.shape().WithoutDim(axis);
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    int64_t outer = 1;
    for (int d = 0; d < axis; ++d) outer *= x.dim(d);
    const int64_t inner = shape.num_elements() / outer, length = x.dim(axis);
    Tensor wide;
    if (output->dtype() != DType::kInt64) {
      HR_ASSIGN_OR_RETURN(wide, context.AllocateTemporary(DType::kInt64, shape));
    }
    int64_t* places = (wide.valid() ? wide : *output).mutable_data<int64_t>().data();
    ForRange(context, outer, static_cast<double>(length * inner),
             [&](int64_t begin, int64_t end) { loop_(x.raw(), begin, end, length, inner, places); });
    return wide.valid() ? Narrow(wide, output) : OkStatus();
  }

 private:
  static Status Narrow(const Tensor& wide, Tensor* output) {
    return ForDType<int32_t, int16_t, uint16_t>(output->dtype(), "ArgMax", [&]<typename T>() {
      const std::span<const int64_t> from = wide.data<int64_t>();
      const std::span<T> to = output->mutable_data<T>();
      for (size_t i = 0; i < from.size(); ++i) to[i] = static_cast<T>(from[i]);
      return OkStatus();
    });
  }

  const ArgLoop loop_;
};

template <bool kMax, typename... Ts> std::vector<KernelDefinition> ArgKernels() {
  const auto kernel = [](DType type, ArgLoop loop) {
    return KernelDefinition{.types = {{"T", {type}}},
                            .host_memory_args = {"dimension"},
                            .factory = [loop](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
                              return std::unique_ptr<Kernel>(std::make_unique<ArgKernel>(loop));
                            }};
  };
  return {kernel(kDTypeOf<Ts>, ArgRun<kMax, Ts>)...};
}

template <bool kMax> OpDefinition ArgOp(std::string_view signature) {
  return OpDefinition(signature)
      .Shape(ArgMaxShape)
      .NoGradient("not differentiable: gives a position")
      .Kernels(ArgKernels<kMax, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                          uint32_t, uint64_t, bool>());
}

}  // namespace

std::vector<OpDefinition> ArgMaxOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(ArgOp<true>(
      "ArgMax(input: T, dimension: Tidx) -> (output: output_type) | T: type in {f32,f64,i32,u8,i16,i8,i64,bf16,"
      "u16,f16,u32,u64,qi8,qu8,qi32,qi16,qu16,bool} | Tidx: type = i32 in {i16,i32,i64} | "
      "output_type: type = i64 in {i16,u16,i32,i64}"));
  ops.push_back(ArgOp<false>(
      "ArgMin(input: T, dimension: Tidx) -> (output: output_type) | T: type in {f32,f64,i32,u8,i16,i8,i64,bf16,"
      "u16,f16,u32,u64,qi8,qu8,qi32,qi16,qu16,bool} | Tidx: type = i32 in {i32,i64} | "
      "output_type: type = i64 in {i32,i64}"));
  return ops;
}

}  // namespace headrace
