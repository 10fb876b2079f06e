// MaxPool, AvgPool: the largest, or the mean, of each window of an image's rows and columns; NHWC or NCHW. MaxPoolV2 takes ksize and
// strides as inputs. MaxPoolGrad gives an output's gradient to the first input that equals orig_output, which must be what MaxPool
// made of orig_input. Errors: kInvalidArgument for shapes and windows that do not fit.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/nn/nn_ops.h"
#include "ops/nn/pool_loops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

// The windows of a pooling op: from its attributes, or of V2 ops from ksize and strides given as values.
class PoolAttrs {
 public:
  static Result<PoolAttrs> Read(const Node& node) {
    return Read(node, GetAttrOr<std::vector<int64_t>>(node.attrs(), "ksize", {}),
                GetAttrOr<std::vector<int64_t>>(node.attrs(), "strides", {}));
  }
  static Result<PoolAttrs> Read(const Node& node, const std::vector<int64_t>& ksize,
                                const std::vector<int64_t>& strides) {
    PoolAttrs attrs;
    attrs.op_ = node.op();
    HR_ASSIGN_OR_RETURN(attrs.window_, WindowAttrs::Read(node.op(), node.attrs(), strides));
    HR_ASSIGN_OR_RETURN(attrs.ksize_,
                        SpatialPair(StrCat(node.op(), ": sliding window ksize"), ksize, attrs.window_.layout()));
    return attrs;
  }

  Result<PoolShape> Of(const Shape& in) const {
    if (in.rank() != 4) return InvalidArgument(op_, ": tensor_in must be 4-dimensional, got shape ", in);
    const ImageLayout& layout = window_.layout();
    PoolShape shape;
    HR_ASSIGN_OR_RETURN(shape.rows, window_.Dim(0, in.dim(layout.rows()), ksize_[0]));
    HR_ASSIGN_OR_RETURN(shape.columns, window_.Dim(1, in.dim(layout.columns()), ksize_[1]));
    const int64_t channels = in.dim(layout.channels());
    shape.images = layout.nchw && in.num_elements() > 0 ? in.dim(0) * channels : in.dim(0);
    shape.depth = layout.nchw ? 1 : channels;
    return shape;
  }
  Result<Shape> OutputShape(const PoolShape& shape, const Shape& in) const {
    const ImageLayout& layout = window_.layout();
    return Shape::Make(layout.Dims(in.dim(0), shape.rows.out, shape.columns.out, in.dim(layout.channels())));
  }
  Result<PartialShape> OutputShape(const PartialShape& in) const {
    const ImageLayout& layout = window_.layout();
    HR_ASSIGN_OR_RETURN(const int64_t rows, window_.OutputExtent(0, in.dim(layout.rows()), ksize_[0]));
    HR_ASSIGN_OR_RETURN(const int64_t columns, window_.OutputExtent(1, in.dim(layout.columns()), ksize_[1]));
    const auto dims = layout.Dims(in.dim(0), rows, columns, in.dim(layout.channels()));
    return PartialShape(std::vector<int64_t>(dims.begin(), dims.end()));
  }
  Status CheckGradient(const Shape& gradient, const Shape& expected) const {
    if (gradient == expected) return OkStatus();
    return InvalidArgument(op_, ": Expected grad shape to be ", expected, ", but got ", gradient);
  }

 private:
  std::string op_;
  WindowAttrs window_;
  std::array<int64_t, 2> ksize_ = {};
};

// Reads the windows once where they are attributes, at each call where they are inputs (from `first_input` on).
class PoolKernel : public Kernel {
 protected:
  explicit PoolKernel(PoolAttrs attrs) : attrs_(std::move(attrs)) {}
  Result<PoolAttrs> Attrs(const KernelContext& c, int first_input) const {
    if (c.num_inputs() <= first_input) return attrs_;
    return PoolAttrs::Read(c.node(), IntegersOf(c.input(first_input)), IntegersOf(c.input(first_input + 1)));
  }

 private:
  const PoolAttrs attrs_;
};

template <typename K> KernelFactory PoolFactory() {
  return [](KernelConstruction& c) -> Result<std::unique_ptr<Kernel>> {
    PoolAttrs attrs;
    if (c.node().attrs().contains("ksize")) {
      HR_ASSIGN_OR_RETURN(attrs, PoolAttrs::Read(c.node()));
    }
    return std::unique_ptr<Kernel>(std::make_unique<K>(std::move(attrs)));
  };
}

double WindowCost(const PoolShape& s) { return 0.2 * static_cast<double>(s.rows.filter * s.columns.filter); }

template <typename T, bool kMax> class PoolForward final : public PoolKernel {
 public:
  explicit PoolForward(PoolAttrs attrs) : PoolKernel(std::move(attrs)) {}

  Status Compute(KernelContext& c) override {
    const Shape& in = c.input(0).shape();
    HR_ASSIGN_OR_RETURN(const PoolAttrs attrs, Attrs(c, 1));
    HR_ASSIGN_OR_RETURN(const PoolShape s, attrs.Of(in));
    HR_ASSIGN_OR_RETURN(const Shape shape, attrs.OutputShape(s, in));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, shape));
    if (shape.num_elements() == 0) return OkStatus();
    const T* x = c.input(0).data<T>().data();
    T* y = out->mutable_data<T>().data();
    const int64_t row_size = s.columns.out * s.depth;
    c.ParallelFor(s.images * s.rows.out, WindowCost(s) * static_cast<double>(row_size),
                  [&](int64_t begin, int64_t end) {
                    std::vector<ArithmeticType<T>> sums(kMax ? 0 : static_cast<size_t>(s.depth));
                    for (int64_t item = begin; item < end; ++item) {
                      const T* image = x + item / s.rows.out * s.image_in();
                      if constexpr (kMax) {
                        MaxPoolRow(s, image, y + item * row_size, item % s.rows.out);
                      } else {
                        AvgPoolRow(s, image, y + item * row_size, item % s.rows.out, sums.data());
                      }
                    }
                  });
    return OkStatus();
  }
};

template <typename T> class MaxPoolGradKernel final : public PoolKernel {
 public:
  explicit MaxPoolGradKernel(PoolAttrs attrs) : PoolKernel(std::move(attrs)) {}

  Status Compute(KernelContext& c) override {
    const Tensor &x = c.input(0), &y = c.input(1), &dy = c.input(2);
    HR_ASSIGN_OR_RETURN(const PoolAttrs attrs, Attrs(c, 3));
    HR_ASSIGN_OR_RETURN(const PoolShape s, attrs.Of(x.shape()));
    HR_ASSIGN_OR_RETURN(const Shape expected, attrs.OutputShape(s, x.shape()));
    if (y.shape() != expected) {
      return InvalidArgument(c.node().op(), ": Expected orig_output shape to be ", expected, ", but got ", y.shape());
    }
    HR_RETURN_IF_ERROR(attrs.CheckGradient(dy.shape(), expected));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, x.shape()));
    T* dx = out->mutable_data<T>().data();
    if (x.num_elements() == 0 || dy.num_elements() == 0) return std::fill_n(dx, x.num_elements(), T{}), OkStatus();
    const double cost_ns = 2 * WindowCost(s) * static_cast<double>(s.image_out());
    c.ParallelFor(s.images, cost_ns, [&](int64_t begin, int64_t end) {
      std::vector<T> left(static_cast<size_t>(s.depth));
      const auto image = s.IsPartition() ? MaxPoolGradImage<T, true> : MaxPoolGradImage<T, false>;
      for (int64_t i = begin; i < end; ++i) {
        image(s, x.data<T>().data() + i * s.image_in(), y.data<T>().data() + i * s.image_out(),
              dy.data<T>().data() + i * s.image_out(), dx + i * s.image_in(), left.data());
      }
    });
    return OkStatus();
  }
};

template <typename T> class AvgPoolGradKernel final : public PoolKernel {
 public:
  explicit AvgPoolGradKernel(PoolAttrs attrs) : PoolKernel(std::move(attrs)) {}

  Status Compute(KernelContext& c) override {
    const Tensor &sizes = c.input(0), &dy = c.input(1);
    if (sizes.rank() != 1 || sizes.dim(0) != 4) {
      return InvalidArgument("AvgPoolGrad: orig_input_shape must be 1-dimensional and 4 elements, got ", sizes);
    }
    HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("AvgPoolGrad", sizes));
    HR_ASSIGN_OR_RETURN(const PoolAttrs attrs, Attrs(c, 2));
    HR_ASSIGN_OR_RETURN(const PoolShape s, attrs.Of(shape));
    HR_ASSIGN_OR_RETURN(const Shape expected, attrs.OutputShape(s, shape));
    HR_RETURN_IF_ERROR(attrs.CheckGradient(dy.shape(), expected));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, shape));
    T* dx = out->mutable_data<T>().data();
    if (shape.num_elements() == 0 || dy.num_elements() == 0)
      return std::fill_n(dx, shape.num_elements(), T{}), OkStatus();
    const double cost_ns = WindowCost(s) * static_cast<double>(s.image_out());
    c.ParallelFor(s.images, cost_ns, [&](int64_t begin, int64_t end) {
      const auto image = s.IsPartition() ? AvgPoolGradImage<T, true> : AvgPoolGradImage<T, false>;
      for (int64_t i = begin; i < end; ++i) image(s, dy.data<T>().data() + i * s.image_out(), dx + i * s.image_in());
    });
    return OkStatus();
  }
};

Status PoolOutput(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape in, c.InputOfRank(0, 4));
  if (c.num_inputs() == 1) {
    HR_ASSIGN_OR_RETURN(const PoolAttrs attrs, PoolAttrs::Read(c.node()));
    HR_ASSIGN_OR_RETURN(PartialShape out, attrs.OutputShape(in));
    return c.SetOutput(0, std::move(out));
  }
  const auto ksize = ConstantIntegers(c, 1), strides = ConstantIntegers(c, 2);
  if (!ksize || !strides) return c.SetOutput(0, PartialShape::UnknownOfRank(4));
  HR_ASSIGN_OR_RETURN(const PoolAttrs attrs, PoolAttrs::Read(c.node(), *ksize, *strides));
  HR_ASSIGN_OR_RETURN(PartialShape out, attrs.OutputShape(in));
  return c.SetOutput(0, std::move(out));
}

Status MaxPoolGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape in, c.InputOfRank(0, 4));
  return c.SetOutput(0, std::move(in));
}

Status AvgPoolGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape sizes, c.ShapeFromInput(0));
  HR_ASSIGN_OR_RETURN(PartialShape shape, sizes.MergeWith(PartialShape::UnknownOfRank(4)));
  return c.SetOutput(0, std::move(shape));
}

AttrMap PoolAttrsOf(const GradientContext& c) {
  AttrMap attrs;
  for (const char* name : {"ksize", "strides", "padding", "explicit_paddings", "data_format"}) {
    if (const auto found = c.node().attrs().find(name); found != c.node().attrs().end()) attrs[name] = found->second;
  }
  return attrs;
}

Status MaxPoolGradient(GradientContext& c) {
  std::vector<Endpoint> inputs = {c.input(0), c.output(0), c.output_gradient(0)};
  for (int i = 1; i < c.num_inputs(); ++i) inputs.push_back(c.input(i));
  return c.SetInputGradient(
      0, c.Op(c.num_inputs() == 1 ? "MaxPoolGrad" : "MaxPoolGradV2", std::move(inputs), PoolAttrsOf(c)));
}

Status AvgPoolGradient(GradientContext& c) {
  return c.SetInputGradient(
      0, c.Op("AvgPoolGrad", {ShapeOf(c.builder(), c.input(0)), c.output_gradient(0)}, PoolAttrsOf(c)));
}

Status AvgPoolGradGradient(GradientContext& c) {
  return c.SetInputGradient(1, c.Op("AvgPool", {c.output_gradient(0)}, PoolAttrsOf(c)));
}

std::vector<KernelDefinition> MaxPoolKernels() {
  return KernelsFor<float, double, Half, BFloat16, int32_t, int64_t, uint8_t, int16_t, int8_t, uint16_t>(
      "T", []<typename T>() { return PoolFactory<PoolForward<T, true>>(); });
}

std::vector<KernelDefinition> MaxPoolGradKernels() {
  return KernelsFor<float, double, Half, BFloat16, int32_t, int64_t, uint8_t, int16_t, int8_t, uint16_t, uint32_t,
                    uint64_t>("T", []<typename T>() { return PoolFactory<MaxPoolGradKernel<T>>(); });
}

constexpr char kWindows[] = " | ksize: list(int) >= 4 | strides: list(int) >= 4";
constexpr char kPadding[] = " | padding: string in {'SAME','VALID'}";
constexpr char kExplicitPadding[] =
    " | padding: string in {'SAME','VALID','EXPLICIT'} | explicit_paddings: list(int) = []";
constexpr char kFormat[] = " | data_format: string = 'NHWC' in {'NHWC','NCHW'}";
constexpr char kMaxPoolFormat[] = " | data_format: string = 'NHWC' in {'NHWC','NCHW','NCHW_VECT_C'}";
constexpr char kMaxPoolTypes[] = " | T: type = f32 in {f16,bf16,f32,f64,i32,i64,u8,i16,i8,u16,qi8}";
constexpr char kNoSecond[] = "TensorFlow's is MaxPoolGradGrad, which is not among the ops here";

}  // namespace

std::vector<OpDefinition> PoolOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(StrCat("MaxPool(input: T) -> (output: T)", kMaxPoolTypes, kWindows, kExplicitPadding,
                                    kMaxPoolFormat))
                    .Shape(PoolOutput)
                    .Gradient(MaxPoolGradient)
                    .Kernels(MaxPoolKernels()));
  ops.push_back(OpDefinition(StrCat("MaxPoolV2(input: T, ksize: i32, strides: i32) -> (output: T)", kMaxPoolTypes,
                                    kPadding, kMaxPoolFormat))
                    .Shape(PoolOutput)
                    .Gradient(MaxPoolGradient)
                    .Kernels(MaxPoolKernels()));
  ops.push_back(OpDefinition(StrCat("MaxPoolGrad(orig_input: T, orig_output: T, grad: T) -> (output: T)", kWindows,
                                    kExplicitPadding, kFormat, " | T: type = f32 in ", kRealTypes))
                    .Shape(MaxPoolGradShape)
                    .NoGradient(kNoSecond)
                    .Kernels(MaxPoolGradKernels()));
  ops.push_back(
      OpDefinition(StrCat("MaxPoolGradV2(orig_input: T, orig_output: T, grad: T, ksize: i32, strides: i32) -> "
                          "(output: T)",
                          kPadding, kFormat, " | T: type = f32 in ", kRealTypes))
          .Shape(MaxPoolGradShape)
          .NoGradient(kNoSecond)
          .Kernels(MaxPoolGradKernels()));
  ops.push_back(OpDefinition(StrCat("AvgPool(value: T) -> (output: T)", kWindows, kPadding, kFormat, " | T: type in ",
                                    kFloatTypes))
                    .Shape(PoolOutput)
                    .Gradient(AvgPoolGradient)
                    .Kernels(KernelsFor<float, double, Half, BFloat16>(
                        "T", []<typename T>() { return PoolFactory<PoolForward<T, false>>(); })));
  ops.push_back(OpDefinition(StrCat("AvgPoolGrad(orig_input_shape: i32, grad: T) -> (output: T)", kWindows, kPadding,
                                    kFormat, " | T: type in ", kFloatTypes))
                    .Shape(AvgPoolGradShape)
                    .Gradient(AvgPoolGradGradient)
                    .Kernels(KernelsFor<float, double, Half, BFloat16>(
                        "T", []<typename T>() { return PoolFactory<AvgPoolGradKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
