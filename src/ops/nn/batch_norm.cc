// FusedBatchNorm, V2, V3: y = (x - mean) / sqrt(variance + epsilon) * scale + offset for each channel of images; the mean and the
// variance are the batch's where is_training, else given. Training also gives the mean and the unbiased variance, mixed into the
// given ones by exponential_avg_factor, and keeps the batch's own for the gradient op. Errors: kInvalidArgument for other ranks, or
// vectors that are not as long as there are channels.
#include <cmath>
#include <limits>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "ops/nn/channels.h"
#include "ops/nn/nn_ops.h"

namespace headrace {

namespace {

struct NormAttrs {
  explicit NormAttrs(const Node& node)
      : training(GetAttrOr<bool>(node.attrs(), "is_training", true)),
        epsilon(GetAttrOr<float>(node.attrs(), "epsilon", 1e-4f)),
        factor(GetAttrOr<float>(node.attrs(), "exponential_avg_factor", 1.0f)),
        format(GetAttrOr<std::string>(node.attrs(), "data_format", "NHWC")) {}

  bool channels_last() const { return format.ends_with('C'); }
  int rank() const { return static_cast<int>(format.size()); }
  int channel_dimension() const { return channels_last() ? rank() - 1 : 1; }
  // The given mean and variance are read.
  bool reads_statistics() const { return !training || factor != 1.0f; }

  Status CheckImage(const KernelContext& c, int i) const {
    if (c.input(i).rank() == rank()) return OkStatus();
    return InvalidArgument(c.node().op(), ": input must be ", rank(), "-dimensional, got ", c.input(i));
  }
  Status CheckVector(const KernelContext& c, int i, const char* what, int64_t channels) const {
    if (c.input(i).rank() != 1) return InvalidArgument(c.node().op(), ": ", what, " must be 1-dimensional", c.input(i));
    if (c.input(i).dim(0) == channels) return OkStatus();
    return InvalidArgument(c.node().op(), ": ", what,
                           " must have the same number of elements as the channels of x, got ", c.input(i).dim(0),
                           " and ", channels);
  }

  const bool training;
  const float epsilon, factor;
  const std::string format;
};

// 1 / sqrt(variance + epsilon) of each channel.
std::vector<float> InverseDeviation(const float* variance, int64_t channels, float epsilon) {
  std::vector<float> inverse(static_cast<size_t>(channels));
  for (size_t i = 0; i < inverse.size(); ++i) inverse[i] = 1.0f / std::sqrt(variance[i] + epsilon);
  return inverse;
}

template <typename T> class BatchNorm final : public Kernel {
 public:
  explicit BatchNorm(KernelConstruction& c) : attrs_(c.node()) {}

  Status Compute(KernelContext& c) override {
    HR_RETURN_IF_ERROR(attrs_.CheckImage(c, 0));
    const Tensor& x = c.input(0);
    const ChannelLayout layout(x.shape(), attrs_.channels_last());
    HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 1, "scale", layout.channels));
    HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 2, "offset", layout.channels));
    if (attrs_.reads_statistics()) {
      HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 3, "mean", layout.channels));
      HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 4, "variance", layout.channels));
    }
    if (c.num_outputs() > 5) HR_RETURN_IF_ERROR(c.SetOutput(5, Tensor::Scalar(0.0f)));
    const float* scale = c.input(1).data<float>().data();
    const float* offset = c.input(2).data<float>().data();
    if (attrs_.training) {
      HR_RETURN_IF_ERROR(SetBatchStatistics(c, layout));
    } else {
      for (int i : {1, 3}) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(3)));
      for (int i : {2, 4}) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(4)));
    }
    const float* mean = c.output(3).data<float>().data();
    std::vector<float> factor = InverseDeviation(c.output(4).data<float>().data(), layout.channels, attrs_.epsilon);
    for (size_t i = 0; i < factor.size(); ++i) factor[i] *= scale[i];
    const T* from = x.data<T>().data();
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, x.shape()));
    T* y = out->mutable_data<T>().data();
    ForChannelElements(c, layout, [=, factor = factor.data()](int64_t i, int64_t k) {
      y[i] = static_cast<T>((static_cast<float>(from[i]) - mean[k]) * factor[k] + offset[k]);
    });
    return OkStatus();
  }

 private:
  // Outputs 1 and 2: what the user keeps; 3 and 4: the batch's mean and biased variance.
  Status SetBatchStatistics(KernelContext& c, const ChannelLayout& layout) const {
    const Shape shape({layout.channels});
    std::array<float*, 4> outs = {};
    for (int i = 0; i < 4; ++i) {
      HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(i + 1, shape));
      outs[static_cast<size_t>(i)] = out->mutable_data<float>().data();
    }
    const auto [kept_mean, kept_variance, mean, variance] = outs;
    const int64_t count = layout.per_channel();
    if (c.input(0).num_elements() == 0) {
      for (float* out : outs) std::fill_n(out, layout.channels, std::numeric_limits<float>::quiet_NaN());
      return OkStatus();
    }
    const T* x = c.input(0).data<T>().data();
    const std::vector<double> sums =
        ChannelSums<1>(c, layout, [x](int64_t i, int64_t, float* sum) { *sum += static_cast<float>(x[i]); });
    const size_t channels = static_cast<size_t>(layout.channels);
    for (size_t k = 0; k < channels; ++k) mean[k] = static_cast<float>(sums[k] / static_cast<double>(count));
    const std::vector<double> squares = ChannelSums<1>(c, layout, [x, mean](int64_t i, int64_t k, float* sum) {
      const float centered = static_cast<float>(x[i]) - mean[k];
      *sum += centered * centered;
    });
    const double unbiased = static_cast<double>(std::max<int64_t>(count - 1, 1));
    const bool mixes = attrs_.factor != 1.0f;
    const float* old_mean = mixes ? c.input(3).data<float>().data() : nullptr;
    const float* old_variance = mixes ? c.input(4).data<float>().data() : nullptr;
    for (size_t k = 0; k < channels; ++k) {
      variance[k] = static_cast<float>(squares[k] / static_cast<double>(count));
      kept_mean[k] = mean[k];
      kept_variance[k] = static_cast<float>(squares[k] / unbiased);
      if (!mixes) continue;
      kept_mean[k] = (1 - attrs_.factor) * old_mean[k] + attrs_.factor * kept_mean[k];
      kept_variance[k] = (1 - attrs_.factor) * old_variance[k] + attrs_.factor * kept_variance[k];
    }
    return OkStatus();
  }

  const NormAttrs attrs_;
};

// With x^ = (x - mean) * inv: doffset = sum(dy), dscale = sum(dy * x^), and dx = scale * inv * dy, from which, where mean and
// variance are the batch's, comes off what flows through them: scale * inv * (mean(dy) + x^ * mean(dy * x^)).
template <typename T> class BatchNormGrad final : public Kernel {
 public:
  explicit BatchNormGrad(KernelConstruction& c) : attrs_(c.node()) {}

  Status Compute(KernelContext& c) override {
    HR_RETURN_IF_ERROR(attrs_.CheckImage(c, 0));
    HR_RETURN_IF_ERROR(attrs_.CheckImage(c, 1));
    const Shape& shape = c.input(1).shape();
    if (c.input(0).shape() != shape) {
      return InvalidArgument(c.node().op(), ": x and y_backprop must have same shape, but x has shape ", shape,
                             " and y_backprop has shape ", c.input(0).shape());
    }
    const ChannelLayout layout(shape, attrs_.channels_last());
    HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 2, "scale", layout.channels));
    HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 3, "saved mean", layout.channels));
    HR_RETURN_IF_ERROR(attrs_.CheckVector(c, 4, "saved variance", layout.channels));
    for (int i : {3, 4}) {
      HR_ASSIGN_OR_RETURN(Tensor * unused, c.AllocateOutput(i, Shape({0})));
      (void)unused;
    }
    const float* mean = c.input(3).data<float>().data();
    const std::vector<float> inverse =
        InverseDeviation(c.input(4).data<float>().data(), layout.channels, attrs_.epsilon);
    const T* dy = c.input(0).data<T>().data();
    const T* x = c.input(1).data<T>().data();
    const int64_t channels = layout.channels;
    const std::vector<double> sums =
        ChannelSums<2>(c, layout, [dy, x, mean, channels](int64_t i, int64_t k, float* sum) {
          const float gradient = static_cast<float>(dy[i]);
          sum[0] += gradient;
          sum[channels] += gradient * (static_cast<float>(x[i]) - mean[k]);
        });
    return SetGradients(c, layout, sums, inverse);
  }

 private:
  Status SetGradients(KernelContext& c, const ChannelLayout& layout, const std::vector<double>& sums,
                      const std::vector<float>& inverse) const {
    const Shape vector({layout.channels});
    HR_ASSIGN_OR_RETURN(Tensor * dscale, c.AllocateOutput(1, vector));
    HR_ASSIGN_OR_RETURN(Tensor * doffset, c.AllocateOutput(2, vector));
    const size_t channels = static_cast<size_t>(layout.channels);
    const float* scale = c.input(2).data<float>().data();
    const double count = static_cast<double>(std::max<int64_t>(layout.per_channel(), 1));
    // dx = (dy - shift - (x - mean) * slope) * factor.
    std::vector<float> factor(channels), shift(channels, 0.0f), slope(channels, 0.0f);
    for (size_t k = 0; k < channels; ++k) {
      const double sum = sums[k], product = sums[channels + k], inv = static_cast<double>(inverse[k]);
      doffset->mutable_data<float>()[k] = static_cast<float>(sum);
      dscale->mutable_data<float>()[k] = static_cast<float>(product * inv);
      factor[k] = scale[k] * inverse[k];
      if (!attrs_.training) continue;
      shift[k] = static_cast<float>(sum / count);
      slope[k] = static_cast<float>(product / count * inv * inv);
    }
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, c.input(1).shape()));
    T* dx = out->mutable_data<T>().data();
    const T* dy = c.input(0).data<T>().data();
    const T* x = c.input(1).data<T>().data();
    const float* mean = c.input(3).data<float>().data();
    ForChannelElements(
        c, layout, [=, factor = factor.data(), shift = shift.data(), slope = slope.data()](int64_t i, int64_t k) {
          const float centered = static_cast<float>(x[i]) - mean[k];
          dx[i] = static_cast<T>((static_cast<float>(dy[i]) - shift[k] - centered * slope[k]) * factor[k]);
        });
    return OkStatus();
  }

  const NormAttrs attrs_;
};

// What is known of the images in the given inputs and of the channels in the vectors from `first` to `last`.
Result<std::pair<PartialShape, PartialShape>> MergedShapes(ShapeContext& c, std::initializer_list<int> images,
                                                           std::initializer_list<int> vectors) {
  const NormAttrs attrs(c.node());
  PartialShape image = PartialShape::UnknownOfRank(attrs.rank());
  for (int i : images) {
    HR_ASSIGN_OR_RETURN(image, image.MergeWith(c.input(i)));
  }
  PartialShape channels({image.dim(attrs.channel_dimension())});
  for (int i : vectors) {
    HR_ASSIGN_OR_RETURN(channels, channels.MergeWith(c.input(i)));
  }
  image.SetDim(attrs.channel_dimension(), channels.dim(0));
  return std::pair(std::move(image), std::move(channels));
}

Status BatchNormShape(ShapeContext& c) {
  const bool reads = NormAttrs(c.node()).reads_statistics();
  HR_ASSIGN_OR_RETURN(auto merged, reads ? MergedShapes(c, {0}, {1, 2, 3, 4}) : MergedShapes(c, {0}, {1, 2}));
  HR_RETURN_IF_ERROR(c.SetOutput(0, merged.first));
  for (int i = 1; i < 5; ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, merged.second));
  return OkStatus();
}

Status BatchNormGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(auto merged, MergedShapes(c, {0, 1}, {2, 3, 4}));
  HR_RETURN_IF_ERROR(c.SetOutput(0, merged.first));
  for (int i : {1, 2}) HR_RETURN_IF_ERROR(c.SetOutput(i, merged.second));
  for (int i : {3, 4}) HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape({0})));
  return OkStatus();
}

Status BatchNormGradient(GradientContext& c) {
  const bool training = c.attr<bool>("is_training", true), v3 = c.node().num_outputs() > 5;
  std::vector<Endpoint> inputs = {c.output_gradient(0), c.input(0), c.input(1), training ? c.output(3) : c.input(3),
                                  training ? c.output(4) : c.input(4)};
  if (v3) inputs.push_back(c.output(5));
  AttrMap attrs;
  for (const char* name : {"epsilon", "data_format", "is_training"}) {
    if (const auto found = c.node().attrs().find(name); found != c.node().attrs().end()) attrs[name] = found->second;
  }
  const std::string op = c.node().op() == "FusedBatchNorm" ? "FusedBatchNormGrad"
                         : v3                              ? "FusedBatchNormGradV3"
                                                           : "FusedBatchNormGradV2";
  const Endpoint dx = c.builder().Op(op, std::move(inputs), std::move(attrs));
  for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(c.SetInputGradient(i, dx ? Endpoint{dx.node, i} : dx));
  return OkStatus();
}

template <template <typename> typename K> std::vector<KernelDefinition> Kernels(bool mixed) {
  if (!mixed) return KernelsFor<float>("T", []<typename T>() { return ClassKernel<K<T>>(); });
  auto kernels = KernelsFor<float, Half, BFloat16>("T", []<typename T>() { return ClassKernel<K<T>>(); });
  for (KernelDefinition& kernel : kernels) kernel.types["U"] = {DType::kFloat};
  return kernels;
}

constexpr char kEpsilon[] = " | epsilon: float = 9.999999747378752e-05";
constexpr char kFactor[] = " | exponential_avg_factor: float = 1.0";
constexpr char kFormat[] = " | data_format: string = 'NHWC' in {'NHWC','NCHW'} | is_training: bool = true";
constexpr char kFormat3[] =
    " | data_format: string = 'NHWC' in {'NHWC','NCHW','NDHWC','NCDHW'} | is_training: bool = true";
constexpr char kMixedTypes[] = " | T: type in {f16,bf16,f32} | U: type in {f32}";

OpDefinition Forward(std::string_view inputs, std::string_view types, std::string_view format, bool mixed) {
  return OpDefinition(StrCat(inputs, types, kEpsilon, kFactor, format))
      .Shape(BatchNormShape)
      .Gradient(BatchNormGradient)
      .Kernels(Kernels<BatchNorm>(mixed));
}

OpDefinition Backward(std::string_view inputs, std::string_view types, std::string_view format, bool mixed) {
  return OpDefinition(StrCat(inputs, types, kEpsilon, format))
      .Shape(BatchNormGradShape)
      .NoGradient("second derivatives of batch normalization are not provided")
      .Kernels(Kernels<BatchNormGrad>(mixed));
}

}  // namespace

std::vector<OpDefinition> BatchNormOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      Forward("FusedBatchNorm(x: T, scale: T, offset: T, mean: T, variance: T) -> (y: T, batch_mean: T, "
              "batch_variance: T, reserve_space_1: T, reserve_space_2: T)",
              " | T: type in {f32}", kFormat, false));
  ops.push_back(
      Forward("FusedBatchNormV2(x: T, scale: U, offset: U, mean: U, variance: U) -> (y: T, batch_mean: U, "
              "batch_variance: U, reserve_space_1: U, reserve_space_2: U)",
              kMixedTypes, kFormat, true));
  ops.push_back(
      Forward("FusedBatchNormV3(x: T, scale: U, offset: U, mean: U, variance: U) -> (y: T, batch_mean: U, "
              "batch_variance: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U)",
              " | T: type in {f16,bf16,f32} | U: type in {bf16,f32}", kFormat3, true));
  ops.push_back(
      Backward("FusedBatchNormGrad(y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T) -> "
               "(x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: "
               "T)",
               " | T: type in {f32}", kFormat, false));
  ops.push_back(
      Backward("FusedBatchNormGradV2(y_backprop: T, x: T, scale: f32, reserve_space_1: U, reserve_space_2: U) "
               "-> (x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, "
               "reserve_space_4: U)",
               kMixedTypes, kFormat, true));
  ops.push_back(
      Backward("FusedBatchNormGradV3(y_backprop: T, x: T, scale: f32, reserve_space_1: U, reserve_space_2: U, "
               "reserve_space_3: U) -> (x_backprop: T, scale_backprop: U, offset_backprop: U, "
               "reserve_space_4: U, reserve_space_5: U)",
               kMixedTypes, kFormat3, true));
  return ops;
}

}  // namespace headrace
