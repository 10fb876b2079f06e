// BiasAdd: adds bias[c] along the channels, which are the last dimension (NHWC) or dimension 1 (NCHW) of `value`, rank >= 2.
// BiasAddGrad: sums over all dimensions but the channels. Errors: kInvalidArgument for a rank or a number of channels that
// does not fit.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/nn/nn_ops.h"
#include "ops/signature_types.h"
#include "ops/state/update.h"

namespace headrace {

namespace {

int ChannelDimension(int rank, bool nchw) { return nchw ? 1 : rank - 1; }

template <typename Context> bool IsNchw(const Context& c) {
  return c.template attr<std::string>("data_format") == "NCHW";
}

Status BiasAddShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape bias, c.InputOfRank(1, 1));
  PartialShape out = c.input(0);
  if (out.has_rank()) {
    const int channels = ChannelDimension(out.rank(), IsNchw(c));
    HR_ASSIGN_OR_RETURN(const PartialShape merged, PartialShape({out.dim(channels)}).MergeWith(bias));
    out.SetDim(channels, merged.dim(0));
  }
  return c.SetOutput(0, std::move(out));
}

Status BiasAddGradShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  const PartialShape& shape = c.input(0);
  if (!shape.has_rank()) return c.SetOutput(0, PartialShape::UnknownOfRank(1));
  return c.SetOutput(0, PartialShape({shape.dim(ChannelDimension(shape.rank(), IsNchw(c)))}));
}

AttrMap DataFormat(const GradientContext& c) { return {{"data_format", c.attr<std::string>("data_format", "NHWC")}}; }

Status BiasAddGradient(GradientContext& c) {
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.output_gradient(0)));
  return c.SetInputGradient(1, c.Op("BiasAddGrad", {c.output_gradient(0)}, DataFormat(c)));
}

// Every element of the channel gets the channel's gradient.
Status BiasAddGradGradient(GradientContext& c) {
  const Endpoint zeros = c.Op("ZerosLike", {c.input(0)});
  return c.SetInputGradient(0, c.Op("BiasAdd", {zeros, c.output_gradient(0)}, DataFormat(c)));
}

// A tensor seen as [outer, channels, inner]; inner is 1 in NHWC.
struct Layout {
  int64_t outer = 1;
  int64_t channels = 1;
  int64_t inner = 1;
  Layout(const Shape& shape, bool nchw) {
    const int dimension = ChannelDimension(shape.rank(), nchw);
    for (int i = 0; i < shape.rank(); ++i) (i < dimension ? outer : i == dimension ? channels : inner) *= shape.dim(i);
  }
};

Status CheckRank(const Shape& shape) {
  return shape.rank() >= 2 ? OkStatus() : InvalidArgument("Input tensor must be at least 2D: ", shape);
}

template <typename T> class BiasAddKernel final : public Kernel {
 public:
  explicit BiasAddKernel(KernelConstruction& c) : nchw_(IsNchw(c)) {}

  Status Compute(KernelContext& c) override {
    const Shape& shape = c.input(0).shape();
    const Tensor& bias = c.input(1);
    HR_RETURN_IF_ERROR(CheckRank(shape));
    if (bias.rank() != 1) return InvalidArgument("Biases must be 1D: ", bias.shape());
    const Layout layout(shape, nchw_);
    if (bias.dim(0) != layout.channels) {
      return InvalidArgument("Must provide as many biases as the ", nchw_ ? "channel" : "last",
                             " dimension of the input tensor: ", bias.shape(), " vs. ", shape);
    }
    const T* x = c.input(0).data<T>().data();
    const T* b = bias.data<T>().data();
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOrReuse(0, {0}, shape));
    T* y = out->mutable_data<T>().data();
    const int64_t row = layout.inner == 1 ? layout.channels : layout.inner;
    if (row == 0 || out->num_elements() == 0) return OkStatus();
    c.ParallelFor(out->num_elements() / row, 0.4 * static_cast<double>(row), [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        layout.inner == 1 ? AddRow(x + i * row, b, 1, y + i * row, row)
                          : AddRow(x + i * row, b + i % layout.channels, 0, y + i * row, row);
      }
    });
    return OkStatus();
  }

 private:
  // y[i] = x[i] + b[i * step]; y may be x.
  static void AddRow(const T* x, const T* b, int64_t step, T* y, int64_t count) {
    int64_t i = 0;
    for (; step == 1 && i + 16 <= count; i += 16) {
#pragma GCC ivdep
      for (int64_t k = 0; k < 16; ++k) y[i + k] = AddUpdate<T>::Apply(x[i + k], b[i + k]);
    }
    for (; i < count; ++i) y[i] = AddUpdate<T>::Apply(x[i], b[i * step]);
  }

  const bool nchw_;
};

template <typename T> class BiasAddGradKernel final : public Kernel {
 public:
  explicit BiasAddGradKernel(KernelConstruction& c) : nchw_(IsNchw(c)) {}

  Status Compute(KernelContext& c) override {
    const Tensor& gradient = c.input(0);
    HR_RETURN_IF_ERROR(CheckRank(gradient.shape()));
    const Layout layout(gradient.shape(), nchw_);
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, Shape({layout.channels})));
    const T* dy = gradient.data<T>().data();
    std::vector<Sum> sums(static_cast<size_t>(layout.channels), Sum{0}), block(sums.size());
    // Blocks of rows are summed on their own, so that the error grows with the number of blocks, not of rows.
    for (int64_t begin = 0; begin < layout.outer; begin += kBlockRows) {
      std::fill(block.begin(), block.end(), Sum{0});
      AddRows(dy, layout, begin, std::min(layout.outer, begin + kBlockRows), block.data());
      UpdateElements<AddUpdate<Sum>>(sums.data(), block.data(), layout.channels);
    }
    std::transform(sums.begin(), sums.end(), out->mutable_data<T>().begin(),
                   [](Sum sum) { return static_cast<T>(sum); });
    return OkStatus();
  }

 private:
  using Sum = ArithmeticType<T>;
  static constexpr int64_t kBlockRows = 512;

  static void AddRows(const T* dy, const Layout& layout, int64_t begin, int64_t end, Sum* sums) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = dy + row * layout.channels * layout.inner;
      if constexpr (std::is_same_v<T, Sum>) {
        if (layout.inner == 1) {
          UpdateElements<AddUpdate<T>>(sums, from, layout.channels);
          continue;
        }
      }
      for (int64_t channel = 0; channel < layout.channels; ++channel) {
        Sum sum{0};
        for (int64_t i = 0; i < layout.inner; ++i) sum += static_cast<Sum>(from[channel * layout.inner + i]);
        sums[channel] += sum;
      }
    }
  }

  const bool nchw_;
};

template <template <typename> typename K> std::vector<KernelDefinition> NumberKernels() {
  return KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                    uint64_t, std::complex<float>, std::complex<double>>(
      "T", []<typename T>() { return ClassKernel<K<T>>(); });
}

constexpr char kDataFormat[] = " | data_format: string = 'NHWC' in {'NHWC','NCHW'}";

}  // namespace

OpDefinition BiasAdd() {
  return OpDefinition(StrCat("BiasAdd(value: T, bias: T) -> (output: T) | T: type in ", kNumberTypes, kDataFormat))
      .Shape(BiasAddShape)
      .Gradient(BiasAddGradient)
      .Kernels(NumberKernels<BiasAddKernel>());
}

OpDefinition BiasAddGrad() {
  return OpDefinition(StrCat("BiasAddGrad(out_backprop: T) -> (output: T) | T: type in ", kNumberTypes, kDataFormat))
      .Shape(BiasAddGradShape)
      .Gradient(BiasAddGradGradient)
      .Kernels(NumberKernels<BiasAddGradKernel>());
}

}  // namespace headrace
