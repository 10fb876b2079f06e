#include "ops/nn/convolve.h"

#include <algorithm>
#include <limits>

#include "kernel/float_loops.h"

namespace headrace {

namespace {

constexpr size_t kKeptShapes = 8;
constexpr double kProductsPerNs = 60;    // of one thread, about
constexpr double kWorthSplitting = 2e5;  // ns

bool FitsOneDnn(const ConvolutionShape& s) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  return s.image_in() <= kMost && s.image_out() <= kMost && s.filter_size() <= kMost && s.batch <= kMost &&
         s.rows.pad_before <= kMost && s.columns.pad_before <= kMost;
}

Status FirstError(const std::vector<Status>& statuses) {
  for (const Status& status : statuses) HR_RETURN_IF_ERROR(status);
  return OkStatus();
}

}  // namespace

Status Convolver::RunFloat(KernelContext& c, const ConvolutionShape& shape, float* in, float* filter, float* out) {
  if (FitsOneDnn(shape)) {
    Result<Plan> plan = MakePlan(c, shape);
    if (plan.ok()) {
      if (pass_ == ConvolutionPass::kBackwardFilter) return FilterGradient(c, shape, *plan, in, filter, out);
      return ByImages(c, shape, *plan, in, filter, out);
    }
    if (plan.status().code() != Code::kUnimplemented) return plan.status();
  }
  ConvolvePlainly(c, pass_, shape, in, filter, out);
  return OkStatus();
}

Result<Convolver::Plan> Convolver::MakePlan(const KernelContext& c, const ConvolutionShape& shape) {
  Plan plan{.images = shape.batch};
  const double image_ns = shape.image_products() / kProductsPerNs;
  if (!c.step().run_inline && image_ns * static_cast<double>(shape.batch) > kWorthSplitting) {
    // A few parts for each thread, so that one that is held up does not hold up all.
    const int64_t wanted = c.runtime().compute->num_threads() * 4;
    plan.images = (shape.batch + wanted - 1) / wanted;
  }
  plan.parts = (shape.batch + plan.images - 1) / plan.images;
  ConvolutionShape part = shape;
  part.batch = plan.images;
  HR_ASSIGN_OR_RETURN(plan.whole, Prepare(part));
  part.batch = shape.batch % plan.images;
  if (part.batch == 0) return plan;
  HR_ASSIGN_OR_RETURN(plan.rest, Prepare(part));
  return plan;
}

Result<Convolver::Prepared> Convolver::Prepare(const ConvolutionShape& shape) {
  std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(prepared_.begin(), prepared_.end(), [&](const auto& entry) { return entry.first == shape; });
  if (found != prepared_.end()) {
    std::rotate(found, found + 1, prepared_.end());
    return prepared_.back().second;
  }
  HR_ASSIGN_OR_RETURN(Prepared made, FloatConvolution::Make(pass_, shape));
  if (prepared_.size() == kKeptShapes) prepared_.erase(prepared_.begin());
  prepared_.emplace_back(shape, std::move(made));
  return prepared_.back().second;
}

Status Convolver::ByImages(KernelContext& c, const ConvolutionShape& shape, const Plan& plan, float* in,
                           const float* filter, float* out) const {
  HR_ASSIGN_OR_RETURN(Tensor whole, c.AllocateTemporary(DType::kUint8, Shape({plan.whole->filter_bytes()})));
  HR_RETURN_IF_ERROR(plan.whole->ConvertFilter(filter, whole.mutable_raw()));
  Tensor rest;
  if (plan.rest) {
    HR_ASSIGN_OR_RETURN(rest, c.AllocateTemporary(DType::kUint8, Shape({plan.rest->filter_bytes()})));
    HR_RETURN_IF_ERROR(plan.rest->ConvertFilter(filter, rest.mutable_raw()));
  }
  std::vector<Status> statuses(static_cast<size_t>(plan.parts));
  const auto run = [&](int64_t part) -> Status {
    const FloatConvolution& convolution = plan.of(part);
    HR_ASSIGN_OR_RETURN(Tensor scratch, c.AllocateTemporary(DType::kUint8, Shape({convolution.scratch_bytes()})));
    const int64_t first = part * plan.images;
    return convolution.Run(in + first * shape.image_in(), (&convolution == plan.whole.get() ? whole : rest).raw(),
                           out + first * shape.image_out(), scratch.mutable_raw());
  };
  const double part_ns = shape.image_products() * static_cast<double>(plan.images) / kProductsPerNs;
  c.ParallelFor(plan.parts, part_ns, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) statuses[static_cast<size_t>(part)] = run(part);
  });
  return FirstError(statuses);
}

// Each part gives a gradient of its own, which are added up in their order, so that the sum does not depend on the threads.
Status Convolver::FilterGradient(KernelContext& c, const ConvolutionShape& shape, const Plan& plan, float* in,
                                 float* filter, float* out) const {
  const int64_t size = shape.filter_size();
  HR_ASSIGN_OR_RETURN(const Shape partial, Shape::Make(std::array{plan.parts - 1, size}));
  HR_ASSIGN_OR_RETURN(Tensor more, c.AllocateTemporary(DType::kFloat, partial));
  float* others = more.mutable_data<float>().data();
  std::vector<Status> statuses(static_cast<size_t>(plan.parts));
  const auto run = [&](int64_t part) -> Status {
    const FloatConvolution& convolution = plan.of(part);
    HR_ASSIGN_OR_RETURN(Tensor scratch, c.AllocateTemporary(DType::kUint8, Shape({convolution.scratch_bytes()})));
    HR_ASSIGN_OR_RETURN(Tensor gradient, c.AllocateTemporary(DType::kUint8, Shape({convolution.filter_bytes()})));
    const int64_t first = part * plan.images;
    HR_RETURN_IF_ERROR(convolution.Run(in + first * shape.image_in(), gradient.raw(), out + first * shape.image_out(),
                                       scratch.mutable_raw()));
    return convolution.ConvertFilter(gradient.raw(), part == 0 ? filter : others + (part - 1) * size);
  };
  const double part_ns = shape.image_products() * static_cast<double>(plan.images) / kProductsPerNs;
  c.ParallelFor(plan.parts, part_ns, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) statuses[static_cast<size_t>(part)] = run(part);
  });
  HR_RETURN_IF_ERROR(FirstError(statuses));
  if (plan.parts == 1) return OkStatus();
  const auto add = GetFloatLoops().add_scaled;
  c.ParallelFor(size, 0.2 * static_cast<double>(plan.parts), [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < plan.parts; ++part)
      add(1.0f, others + (part - 1) * size + begin, filter + begin, end - begin);
  });
  return OkStatus();
}

}  // namespace headrace
