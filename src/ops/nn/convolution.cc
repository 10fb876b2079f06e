// Conv2D and DepthwiseConv2dNative: y[n,r,c,o] = sum over filter places and in channels of x * w, images in NHWC or NCHW; and the
// ops of their gradients, by which they are each other's. An input of more channels than the filter has is convolved in groups.
// Float runs on oneDNN, images split over the pool. Errors: kInvalidArgument for shapes or attributes that do not fit.
#include "graph/gradient_context.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/nn/convolution_shape.h"
#include "ops/nn/convolve.h"
#include "ops/nn/nn_ops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

template <typename T, ConvolutionPass kPass> class ConvolutionKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    HR_ASSIGN_OR_RETURN(ConvolutionAttrs attrs, ConvolutionAttrs::Read(construction.node()));
    return std::unique_ptr<Kernel>(new ConvolutionKernel(std::move(attrs)));
  }

  Status Compute(KernelContext& c) override {
    if constexpr (kPass == ConvolutionPass::kForward) {
      HR_ASSIGN_OR_RETURN(const ConvolutionShape shape, attrs_.Of(c.input(0).shape(), c.input(1).shape()));
      HR_ASSIGN_OR_RETURN(const Shape out, attrs_.OutputShape(shape));
      HR_ASSIGN_OR_RETURN(Tensor * y, c.AllocateOutput(0, out));
      return Run(c, shape, y, c.input(0), c.input(1), *y);
    } else if constexpr (kPass == ConvolutionPass::kBackwardInput) {
      const Tensor &filter = c.input(1), &dy = c.input(2);
      HR_ASSIGN_OR_RETURN(const Shape in, attrs_.InputShape(c.input(0), filter.shape(), dy.shape()));
      HR_ASSIGN_OR_RETURN(const ConvolutionShape shape, attrs_.Of(in, filter.shape()));
      HR_RETURN_IF_ERROR(attrs_.CheckOutput(shape, dy.shape()));
      HR_ASSIGN_OR_RETURN(Tensor * dx, c.AllocateOutput(0, in));
      return Run(c, shape, dx, *dx, filter, dy);
    } else {
      const Tensor &x = c.input(0), &sizes = c.input(1), &dy = c.input(2);
      if (sizes.rank() != 1)
        return InvalidArgument(c.node().op(), ": filter_sizes shape must be rank 1 but is ", sizes);
      HR_ASSIGN_OR_RETURN(const Shape filter, ShapeFromTensor(c.node().op(), sizes));
      HR_ASSIGN_OR_RETURN(const ConvolutionShape shape, attrs_.Of(x.shape(), filter));
      HR_RETURN_IF_ERROR(attrs_.CheckOutput(shape, dy.shape()));
      HR_ASSIGN_OR_RETURN(Tensor * dw, c.AllocateOutput(0, filter));
      return Run(c, shape, dw, x, *dw, dy);
    }
  }

 private:
  explicit ConvolutionKernel(ConvolutionAttrs attrs) : attrs_(std::move(attrs)), convolver_(kPass) {}

  // `result` is one of the three operands, the one that is written.
  Status Run(KernelContext& c, const ConvolutionShape& shape, Tensor* result, const Tensor& in, const Tensor& filter,
             const Tensor& out) {
    if (result->num_elements() == 0) return OkStatus();
    if (in.num_elements() == 0 || filter.num_elements() == 0 || out.num_elements() == 0) {
      std::fill_n(result->mutable_data<T>().data(), result->num_elements(), T{});
      return OkStatus();
    }
    const auto pointer = [](const Tensor& tensor) { return const_cast<T*>(tensor.data<T>().data()); };
    if constexpr (std::is_same_v<T, float>) {
      return convolver_.RunFloat(c, shape, pointer(in), pointer(filter), pointer(out));
    } else {
      ConvolvePlainly<T>(c, kPass, shape, pointer(in), pointer(filter), pointer(out));
      return OkStatus();
    }
  }

  const ConvolutionAttrs attrs_;
  Convolver convolver_;
};

// The three ops of one kind of convolution.
struct Names {
  const char *forward, *input, *filter;
};
constexpr Names kConv2D = {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"};
constexpr Names kDepthwise = {"DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput",
                              "DepthwiseConv2dNativeBackpropFilter"};

// What all three have in common.
AttrMap WindowAttrsOf(const GradientContext& c) {
  AttrMap attrs;
  for (const char* name : {"strides", "padding", "explicit_paddings", "data_format", "dilations"}) {
    if (const auto found = c.node().attrs().find(name); found != c.node().attrs().end()) attrs[name] = found->second;
  }
  return attrs;
}

// y = conv(x, w) is linear in both, so each gradient is one of the three ops: of x from (w, dy), of w from (x, dy).
template <const Names& kNames> Status ForwardGradient(GradientContext& c) {
  const Endpoint x = c.input(0), w = c.input(1), dy = c.output_gradient(0);
  const AttrMap attrs = WindowAttrsOf(c);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.Op(kNames.input, {ShapeOf(c.builder(), x), w, dy}, attrs)));
  return c.SetInputGradient(1, c.Op(kNames.filter, {x, ShapeOf(c.builder(), w), dy}, attrs));
}

template <const Names& kNames> Status InputGradient(GradientContext& c) {
  const Endpoint w = c.input(1), dy = c.input(2), dx = c.output_gradient(0);
  const AttrMap attrs = WindowAttrsOf(c);
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, c.Op(kNames.filter, {dx, ShapeOf(c.builder(), w), dy}, attrs)));
  return c.SetInputGradient(2, c.Op(kNames.forward, {dx, w}, attrs));
}

template <const Names& kNames> Status FilterGradient(GradientContext& c) {
  const Endpoint x = c.input(0), dy = c.input(2), dw = c.output_gradient(0);
  const AttrMap attrs = WindowAttrsOf(c);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.Op(kNames.input, {ShapeOf(c.builder(), x), dw, dy}, attrs)));
  return c.SetInputGradient(2, c.Op(kNames.forward, {x, dw}, attrs));
}

template <ConvolutionPass kPass, typename... Ts> std::vector<KernelDefinition> Kernels() {
  return KernelsFor<Ts...>("T", []<typename T>() { return ClassKernel<ConvolutionKernel<T, kPass>>(); });
}

template <const Names& kNames, typename... Ts>
std::vector<OpDefinition> Ops(std::string_view types, std::string_view cudnn) {
  const std::string attrs =
      StrCat(" | strides: list(int)", cudnn,
             " | padding: string in {'SAME','VALID','EXPLICIT'} | explicit_paddings: list(int) = [] | data_format: "
             "string = 'NHWC' in {'NHWC','NCHW'} | dilations: list(int) = [1,1,1,1]");
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat(kNames.forward, "(input: T, filter: T) -> (output: T) | T: type in ", types, attrs))
                    .Shape(ConvolutionAttrs::Forward)
                    .Gradient(ForwardGradient<kNames>)
                    .Kernels(Kernels<ConvolutionPass::kForward, float, double, Half, BFloat16, Ts...>()));
  ops.push_back(
      OpDefinition(StrCat(kNames.input, "(input_sizes: i32, filter: T, out_backprop: T) -> (output: T) | T: type in ",
                          types, attrs))
          .Shape(ConvolutionAttrs::BackpropInput)
          .Gradient(InputGradient<kNames>)
          .Kernels(Kernels<ConvolutionPass::kBackwardInput, float, double, Half, BFloat16, Ts...>()));
  ops.push_back(
      OpDefinition(StrCat(kNames.filter, "(input: T, filter_sizes: i32, out_backprop: T) -> (output: T) | T: type in ",
                          kFloatTypes, attrs))
          .Shape(ConvolutionAttrs::BackpropFilter)
          .Gradient(FilterGradient<kNames>)
          .Kernels(Kernels<ConvolutionPass::kBackwardFilter, float, double, Half, BFloat16>()));
  return ops;
}

}  // namespace

std::vector<OpDefinition> ConvolutionOps() {
  return Ops<kConv2D, int32_t>("{f16,bf16,f32,f64,i32}", " | use_cudnn_on_gpu: bool = true");
}

std::vector<OpDefinition> DepthwiseConvolutionOps() { return Ops<kDepthwise>(kFloatTypes, ""); }

}  // namespace headrace
