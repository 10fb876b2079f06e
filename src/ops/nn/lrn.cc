// LRN: y = x / (bias + alpha * sum of x^2 over the channels within depth_radius)^beta, along the last dimension of images. LRNGrad
// takes the gradient of y, and x and y. Errors: kInvalidArgument for a rank other than 4 or shapes that differ.
#include <cmath>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/nn/nn_ops.h"

namespace headrace {

namespace {

struct LrnAttrs {
  explicit LrnAttrs(const KernelConstruction& c)
      : radius(c.attr<int64_t>("depth_radius", 5)),
        bias(c.attr<float>("bias", 1)),
        alpha(c.attr<float>("alpha", 1)),
        beta(c.attr<float>("beta", 0.5f)) {}

  // The channels within the radius of channel k.
  int64_t Begin(int64_t k) const { return radius > k ? 0 : k - radius; }
  int64_t End(int64_t k, int64_t depth) const { return radius >= depth - k ? depth : k + radius + 1; }
  // norm[k] = bias + alpha * sum of squares; the sum slides along with k.
  template <typename T> void Norms(const T* x, int64_t depth, std::vector<float>& norm) const {
    std::vector<double> sums(static_cast<size_t>(depth) + 1);  // of all squares before
    for (int64_t k = 0; k < depth; ++k) {
      const double value = static_cast<double>(static_cast<float>(x[k]));
      sums[static_cast<size_t>(k) + 1] = sums[static_cast<size_t>(k)] + value * value;
    }
    for (int64_t k = 0; k < depth; ++k) {
      const double sum = sums[static_cast<size_t>(End(k, depth))] - sums[static_cast<size_t>(Begin(k))];
      norm[static_cast<size_t>(k)] = bias + alpha * static_cast<float>(sum);
    }
  }

  const int64_t radius;
  const float bias, alpha, beta;
};

Status CheckRadius(const LrnAttrs& attrs) {
  return attrs.radius >= 0 ? OkStatus() : InvalidArgument("LRN: depth_radius must be >= 0, got ", attrs.radius);
}

template <typename T> class Lrn final : public Kernel {
 public:
  explicit Lrn(KernelConstruction& c) : attrs_(c) {}

  Status Compute(KernelContext& c) override {
    const Tensor& in = c.input(0);
    if (in.rank() != 4) return InvalidArgument("LRN: in must be 4-dimensional, got ", in);
    HR_RETURN_IF_ERROR(CheckRadius(attrs_));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, in.shape()));
    if (in.num_elements() == 0) return OkStatus();
    const int64_t depth = in.dim(3);
    const T* x = in.data<T>().data();
    T* y = out->mutable_data<T>().data();
    c.ParallelFor(in.num_elements() / depth, 15.0 * static_cast<double>(depth), [&](int64_t begin, int64_t end) {
      std::vector<float> norm(static_cast<size_t>(depth));
      for (int64_t i = begin * depth; i < end * depth; i += depth) {
        attrs_.Norms(x + i, depth, norm);
        for (int64_t k = 0; k < depth; ++k) {
          y[i + k] =
              static_cast<T>(static_cast<float>(x[i + k]) * std::pow(norm[static_cast<size_t>(k)], -attrs_.beta));
        }
      }
    });
    return OkStatus();
  }

 private:
  const LrnAttrs attrs_;
};

// dx[k] = dy[k] * norm[k]^-beta - 2 * alpha * beta * x[k] * sum of dy * y / norm over the channels within the radius of k.
template <typename T> class LrnGrad final : public Kernel {
 public:
  explicit LrnGrad(KernelConstruction& c) : attrs_(c) {}

  Status Compute(KernelContext& c) override {
    const Tensor &dy = c.input(0), &x = c.input(1), &y = c.input(2);
    if (x.rank() != 4 || dy.shape() != x.shape() || y.shape() != x.shape()) {
      return InvalidArgument(
          "LRNGrad: input_grads, input_image, and out_image should have the same shape, with 4 "
          "dimensions, got ",
          dy, ", ", x, ", ", y);
    }
    HR_RETURN_IF_ERROR(CheckRadius(attrs_));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, x.shape()));
    if (x.num_elements() == 0) return OkStatus();
    const int64_t depth = x.dim(3);
    T* dx = out->mutable_data<T>().data();
    c.ParallelFor(x.num_elements() / depth, 20.0 * static_cast<double>(depth), [&](int64_t begin, int64_t end) {
      std::vector<float> norm(static_cast<size_t>(depth));
      for (int64_t i = begin * depth; i < end * depth; i += depth) {
        Row(depth, dy.data<T>().data() + i, x.data<T>().data() + i, y.data<T>().data() + i, dx + i, norm);
      }
    });
    return OkStatus();
  }

 private:
  void Row(int64_t depth, const T* dy, const T* x, const T* y, T* dx, std::vector<float>& norm) const {
    attrs_.Norms(x, depth, norm);
    std::vector<double> sums(static_cast<size_t>(depth) + 1);  // of dy * y / norm of all channels before
    for (size_t k = 0; k < norm.size(); ++k) {
      const float part = static_cast<float>(dy[k]) * static_cast<float>(y[k]) / norm[k];
      sums[k + 1] = sums[k] + static_cast<double>(part);
    }
    for (int64_t k = 0; k < depth; ++k) {
      const float sum = static_cast<float>(sums[static_cast<size_t>(attrs_.End(k, depth))] -
                                           sums[static_cast<size_t>(attrs_.Begin(k))]);
      const float direct = static_cast<float>(dy[k]) * std::pow(norm[static_cast<size_t>(k)], -attrs_.beta);
      dx[k] = static_cast<T>(direct - 2 * attrs_.alpha * attrs_.beta * static_cast<float>(x[k]) * sum);
    }
  }

  const LrnAttrs attrs_;
};

Status LrnShape(ShapeContext& c) {
  PartialShape shape = PartialShape::UnknownOfRank(4);
  for (int i = 0; i < c.num_inputs(); ++i) {
    HR_ASSIGN_OR_RETURN(shape, shape.MergeWith(c.input(i)));
  }
  return c.SetOutput(0, std::move(shape));
}

Status LrnGradient(GradientContext& c) {
  AttrMap attrs;
  for (const char* name : {"depth_radius", "bias", "alpha", "beta"}) {
    if (const auto found = c.node().attrs().find(name); found != c.node().attrs().end()) attrs[name] = found->second;
  }
  return c.SetInputGradient(0, c.Op("LRNGrad", {c.output_gradient(0), c.input(0), c.output(0)}, std::move(attrs)));
}

template <template <typename> typename K> std::vector<KernelDefinition> Kernels() {
  return KernelsFor<float, Half, BFloat16>("T", []<typename T>() { return ClassKernel<K<T>>(); });
}

constexpr char kAttrs[] =
    " | depth_radius: int = 5 | bias: float = 1.0 | alpha: float = 1.0 | beta: float = 0.5 | T: type = f32 in "
    "{f16,bf16,f32}";

}  // namespace

OpDefinition LRN() {
  return OpDefinition(StrCat("LRN(input: T) -> (output: T)", kAttrs))
      .Shape(LrnShape)
      .Gradient(LrnGradient)
      .Kernels(Kernels<Lrn>());
}

OpDefinition LRNGrad() {
  return OpDefinition(StrCat("LRNGrad(input_grads: T, input_image: T, output_image: T) -> (output: T)", kAttrs))
      .Shape(LrnShape)
      .NoGradient("TensorFlow defines none")
      .Kernels(Kernels<LrnGrad>());
}

}  // namespace headrace
