// AdjustContrastv2: (x - mean) * factor + mean, with the mean over height and width of each channel of each image
// [..., height, width, channels]. Errors: kInvalidArgument for a rank below 3, a factor that is no scalar.
// Sums are of runs of pixels, so that they do not depend on the number of threads. Source: TensorFlow's op `AdjustContrastv2`.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/image/image_ops.h"

namespace headrace {

namespace {

struct Runs {
  int64_t images, pixels, channels;
  int64_t run;   // pixels of a run
  int64_t runs;  // of each image
  int64_t count() const { return images * runs; }
  int64_t Begin(int64_t i) const { return ((i / runs) * pixels + (i % runs) * run) * channels; }  // element
  int64_t End(int64_t i) const { return std::min(Begin(i) + run * channels, (i / runs + 1) * pixels * channels); }
};

// REQUIRES: the shape has elements.
Runs RunsOf(const Shape& shape) {
  const int64_t channels = shape.dim(shape.rank() - 1);
  const int64_t pixels = shape.dim(shape.rank() - 3) * shape.dim(shape.rank() - 2);
  const int64_t run = std::max<int64_t>(64, 16384 / channels);
  return {shape.num_elements() / pixels / channels, pixels, channels, run, (pixels + run - 1) / run};
}

// Elements that are dealt with at a time: whole pixels of 1, 2, 3, 4, 6 or 12 channels.
constexpr int kTogether = 12;

template <typename T> void SumRun(const T* x, const T* end, int64_t channels, double* sums) {
  std::fill_n(sums, channels, 0.0);
  constexpr int64_t kInFloat = 64 * kTogether;  // then the sums are added up in double
  while (kTogether % channels == 0 && end - x >= kTogether) {
    float held[kTogether] = {};
    for (const T* stop = std::min(x + kInFloat, end); stop - x >= kTogether; x += kTogether) {
      for (int k = 0; k < kTogether; ++k) held[k] += static_cast<float>(x[k]);
    }
    for (int k = 0; k < kTogether; ++k) sums[k % channels] += static_cast<double>(held[k]);
  }
  for (; x < end; x += channels) {
    for (int64_t k = 0; k < channels; ++k) sums[k] += static_cast<double>(static_cast<float>(x[k]));
  }
}

// Makes the first sums of each image its means.
void SumsToMeans(const Runs& runs, double* sums) {
  for (int64_t image = 0; image < runs.images; ++image) {
    double* means = sums + image * runs.runs * runs.channels;
    for (int64_t k = 0; k < runs.channels; ++k) {
      double sum = 0;
      for (int64_t i = 0; i < runs.runs; ++i) sum += means[i * runs.channels + k];
      means[k] = sum / static_cast<double>(runs.pixels);
    }
  }
}

template <typename T>
void AdjustRun(const T* x, const T* end, int64_t channels, const double* means, float factor, T* y) {
  if (kTogether % channels == 0) {
    float mean[kTogether];
    for (int k = 0; k < kTogether; ++k) mean[k] = static_cast<float>(means[k % channels]);
    for (; end - x >= kTogether; x += kTogether, y += kTogether) {
      T to[kTogether];  // y may be x
      for (int k = 0; k < kTogether; ++k)
        to[k] = static_cast<T>((static_cast<float>(x[k]) - mean[k]) * factor + mean[k]);
      std::copy_n(to, kTogether, y);
    }
  }
  for (; x < end; x += channels, y += channels) {
    for (int64_t k = 0; k < channels; ++k) {
      const auto mean = static_cast<float>(means[k]);
      y[k] = static_cast<T>((static_cast<float>(x[k]) - mean) * factor + mean);
    }
  }
}

template <typename T>
void Adjust(const KernelContext& c, const Runs& runs, const T* x, double* sums, float factor, T* y) {
  const double run_ns = static_cast<double>(runs.run * runs.channels);
  c.ParallelFor(runs.count(), 0.5 * run_ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      SumRun(x + runs.Begin(i), x + runs.End(i), runs.channels, sums + i * runs.channels);
    }
  });
  SumsToMeans(runs, sums);
  c.ParallelFor(runs.count(), 0.7 * run_ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double* means = sums + i / runs.runs * runs.runs * runs.channels;
      AdjustRun(x + runs.Begin(i), x + runs.End(i), runs.channels, means, factor, y + runs.Begin(i));
    }
  });
}

template <typename T> Status AdjustContrastCpu(KernelContext& c) {
  const Tensor &images = c.input(0), &factor = c.input(1);
  if (images.rank() < 3) return InvalidArgument("input must be at least 3-D, got shape", images.shape());
  if (!factor.shape().IsScalar()) return InvalidArgument("contrast_factor must be scalar: ", factor.shape());
  if (images.num_elements() == 0) return c.SetOutput(0, images);
  const Shape shape = images.shape();
  const T* x = images.data<T>().data();
  const Runs runs = RunsOf(shape);
  HR_ASSIGN_OR_RETURN(Tensor sums, c.AllocateTemporary(DType::kDouble, Shape({runs.count(), runs.channels})));
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOrReuse(0, {0}, shape));
  double* const sum = sums.mutable_data<double>().data();
  T* const y = output->mutable_data<T>().data();
  const float by = factor.scalar<float>();
  Adjust(c, runs, x, sum, by, y);
  return OkStatus();
}

Status AdjustContrastShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 3));
  return c.SetOutput(0, c.input(0));
}

}  // namespace

std::vector<OpDefinition> AdjustContrastOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("AdjustContrastv2(images: T, contrast_factor: f32) -> (output: T) | T: type = f32 in {f16,f32}")
          .Shape(AdjustContrastShape)
          .NoGradient("TensorFlow defines none")
          .Kernels(KernelsFor<float, Half>("T", []<typename T>() { return FunctionKernel(AdjustContrastCpu<T>); })));
  return ops;
}

}  // namespace headrace
