// NonMaxSuppression, V2 to V5: of boxes [n, 4] (two corners each, as y and x) those of the highest scores, without those that overlap
// one taken before them by more than iou_threshold of their union; at most max_output_size, and none that scores score_threshold or
// less. With soft_nms_sigma (V5), scores fall with any overlap instead: times exp(-overlap^2 / (2 * sigma)).
// Errors: kInvalidArgument for shapes that do not fit, a negative size or sigma, an iou_threshold outside [0, 1].
#include <cmath>
#include <limits>
#include <queue>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/image/image_ops.h"

namespace headrace {

namespace {

struct Rectangle {
  float y0, x0, y1, x1, area;

  template <typename T> static Rectangle Of(const T* corners) {
    const auto [y0, y1] = std::minmax({static_cast<float>(corners[0]), static_cast<float>(corners[2])});
    const auto [x0, x1] = std::minmax({static_cast<float>(corners[1]), static_cast<float>(corners[3])});
    return {y0, x0, y1, x1, (y1 - y0) * (x1 - x0)};
  }
  /// The share that the intersection has of the union.
  float Overlap(const Rectangle& b) const {
    if (!(area > 0 && b.area > 0)) return 0;
    const float height = std::max(std::min(y1, b.y1) - std::max(y0, b.y0), 0.0F);
    const float width = std::max(std::min(x1, b.x1) - std::max(x0, b.x0), 0.0F);
    return height * width / (area + b.area - height * width);
  }
};

struct Limits {
  int64_t size;
  float iou, score, sigma;
};

struct Candidate {
  int64_t box;
  float score;
  int64_t compared;  // with how many of the selected its score reckons already
  // The one that comes first is the largest: the highest score, of equals the first box.
  bool operator<(const Candidate& b) const { return score < b.score || (score == b.score && box > b.box); }
};

struct Selection {
  std::vector<int32_t> boxes;
  std::vector<float> scores;
};

// Lets the candidate's score fall by its overlap with the selected. False where it is out by the hard threshold.
bool Reckon(const std::vector<Rectangle>& boxes, const Selection& selected, const Limits& limits, Candidate* next) {
  const auto count = static_cast<int64_t>(selected.boxes.size());
  for (int64_t i = count - 1; i >= next->compared; --i) {  // the last are the most alike
    const auto other = static_cast<size_t>(selected.boxes[static_cast<size_t>(i)]);
    const float overlap = boxes[static_cast<size_t>(next->box)].Overlap(boxes[other]);
    if (limits.sigma == 0) {
      if (overlap > limits.iou) return false;
      continue;
    }
    next->score *= std::exp(-0.5F / limits.sigma * overlap * overlap);
    if (next->score <= limits.score) break;
  }
  next->compared = count;
  return true;
}

Result<Selection> Select(const KernelContext& c, const std::vector<Rectangle>& boxes, std::vector<Candidate> candidates,
                         const Limits& limits) {
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(candidates));
  Selection selected;
  for (int64_t turn = 1; static_cast<int64_t>(selected.boxes.size()) < limits.size && !queue.empty(); ++turn) {
    if (turn % 256 == 0 && c.cancellation() != nullptr) HR_RETURN_IF_ERROR(c.cancellation()->status());
    Candidate next = queue.top();
    queue.pop();
    const float before = next.score;
    if (!Reckon(boxes, selected, limits, &next)) continue;
    if (next.score == before) {
      selected.boxes.push_back(static_cast<int32_t>(next.box));
      selected.scores.push_back(next.score);
    } else if (next.score > limits.score) {
      queue.push(next);
    }
  }
  return selected;
}

// A scalar of type f32 or f16.
Result<float> ReadScalar(const KernelContext& c, int i, std::string_view name) {
  const Tensor& value = c.input(i);
  if (!value.shape().IsScalar()) return InvalidArgument(name, " must be 0-D, got shape ", value.shape());
  return value.dtype() == DType::kHalf ? static_cast<float>(value.scalar<Half>()) : value.scalar<float>();
}

template <typename T> class NonMaxSuppressionKernel final : public Kernel {
 public:
  explicit NonMaxSuppressionKernel(const KernelConstruction& c)
      : iou_(c.attr<float>("iou_threshold", 0.5F)), pad_(c.attr<bool>("pad_to_max_output_size")) {}

  Status Compute(KernelContext& c) override {
    const Tensor &boxes = c.input(0), &scores = c.input(1), &size = c.input(2);
    if (boxes.rank() != 2) return InvalidArgument("boxes must be 2-D", boxes.shape());
    if (boxes.dim(1) != 4) return InvalidArgument("boxes must have 4 columns", boxes.shape());
    if (scores.rank() != 1) return InvalidArgument("scores must be 1-D", scores.shape());
    if (scores.dim(0) != boxes.dim(0)) {
      return InvalidArgument("scores has incompatible shape: boxes=", boxes, " scores=", scores);
    }
    if (boxes.dim(0) > INT32_MAX) return InvalidArgument("boxes must be fewer than 2^31, got ", boxes);
    if (!size.shape().IsScalar()) return InvalidArgument("max_output_size must be 0-D, got shape ", size.shape());
    HR_ASSIGN_OR_RETURN(const Limits limits, ReadLimits(c));
    std::vector<Rectangle> rectangles;
    std::vector<Candidate> candidates;
    const T* const corners = boxes.data<T>().data();
    for (int64_t i = 0; i < boxes.dim(0); ++i) {
      rectangles.push_back(Rectangle::Of(corners + 4 * i));
      const auto score = static_cast<float>(scores.data<T>()[static_cast<size_t>(i)]);
      if (score > limits.score) candidates.push_back({i, score, 0});
    }
    HR_ASSIGN_OR_RETURN(const Selection selected, Select(c, rectangles, std::move(candidates), limits));
    return Give(c, selected, pad_ ? limits.size : static_cast<int64_t>(selected.boxes.size()));
  }

 private:
  Result<Limits> ReadLimits(const KernelContext& c) const {
    Limits limits{c.input(2).scalar<int32_t>(), iou_, std::numeric_limits<float>::lowest(), 0};
    if (limits.size < 0) return InvalidArgument("output size must be non-negative, got ", limits.size);
    if (c.num_inputs() > 3) {
      HR_ASSIGN_OR_RETURN(limits.iou, ReadScalar(c, 3, "iou_threshold"));
    }
    if (c.num_inputs() > 4) {
      HR_ASSIGN_OR_RETURN(limits.score, ReadScalar(c, 4, "score_threshold"));
    }
    if (c.num_inputs() > 5) {
      HR_ASSIGN_OR_RETURN(limits.sigma, ReadScalar(c, 5, "soft_nms_sigma"));
    }
    if (!(limits.iou >= 0 && limits.iou <= 1))
      return InvalidArgument("iou_threshold must be in [0, 1], got ", limits.iou);
    if (!(limits.sigma >= 0)) return InvalidArgument("soft_nms_sigma_val must be >= 0, got ", limits.sigma);
    return limits;
  }

  // The indices; where the op has them the scores, and how many are not padding.
  static Status Give(KernelContext& c, const Selection& selected, int64_t size) {
    HR_ASSIGN_OR_RETURN(Tensor * indices, c.AllocateOutput(0, Shape({size})));
    std::ranges::fill(indices->mutable_data<int32_t>(), 0);
    std::ranges::copy(selected.boxes, indices->mutable_data<int32_t>().begin());
    if (c.num_outputs() == 3) {
      HR_ASSIGN_OR_RETURN(Tensor * scores, c.AllocateOutput(1, Shape({size})));
      std::ranges::fill(scores->mutable_data<T>(), static_cast<T>(0.0F));
      std::transform(selected.scores.begin(), selected.scores.end(), scores->mutable_data<T>().begin(),
                     [](float score) { return static_cast<T>(score); });
    }
    if (c.num_outputs() == 1) return OkStatus();
    return c.SetOutput(c.num_outputs() - 1, Tensor::Scalar(static_cast<int32_t>(selected.boxes.size())));
  }

  const float iou_;
  const bool pad_;
};

Status NonMaxSuppressionShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  for (int i = 2; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.RequireScalar(i));
  int64_t size = PartialShape::kUnknownDim;
  if (c.attr<bool>("pad_to_max_output_size") && c.constant(2) != nullptr) {
    size = std::max<int64_t>(c.constant(2)->scalar<int32_t>(), PartialShape::kUnknownDim);
  }
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({size})));
  if (c.num_outputs() == 3) HR_RETURN_IF_ERROR(c.SetOutput(1, PartialShape({size})));
  return c.num_outputs() == 1 ? OkStatus() : c.SetOutput(c.num_outputs() - 1, PartialShape::Scalar());
}

OpDefinition Suppressor(std::string_view signature, std::vector<KernelDefinition> kernels) {
  return OpDefinition(signature)
      .Shape(NonMaxSuppressionShape)
      .NoGradient("TensorFlow defines none")
      .Kernels(std::move(kernels));
}

std::vector<KernelDefinition> ForFloats() {
  return KernelsFor<float, Half>("T", []<typename T>() { return ClassKernel<NonMaxSuppressionKernel<T>>(); });
}

}  // namespace

std::vector<OpDefinition> NonMaxSuppressionOps() {
  constexpr std::string_view kThresholds = " | T: type = f32 in {f16,f32} | T_threshold: type = f32 in {f16,f32}";
  std::vector<OpDefinition> ops;
  ops.push_back(
      Suppressor("NonMaxSuppression(boxes: f32, scores: f32, max_output_size: i32) -> (selected_indices: i32) | "
                 "iou_threshold: float = 0.5",
                 AnyType(ClassKernel<NonMaxSuppressionKernel<float>>())));
  ops.push_back(
      Suppressor(StrCat("NonMaxSuppressionV2(boxes: T, scores: T, max_output_size: i32, iou_threshold: T_threshold) -> "
                        "(selected_indices: i32)",
                        kThresholds),
                 ForFloats()));
  ops.push_back(
      Suppressor(StrCat("NonMaxSuppressionV3(boxes: T, scores: T, max_output_size: i32, iou_threshold: T_threshold, "
                        "score_threshold: T_threshold) -> (selected_indices: i32)",
                        kThresholds),
                 ForFloats()));
  ops.push_back(
      Suppressor(StrCat("NonMaxSuppressionV4(boxes: T, scores: T, max_output_size: i32, iou_threshold: T_threshold, "
                        "score_threshold: T_threshold) -> (selected_indices: i32, valid_outputs: i32)",
                        kThresholds, " | pad_to_max_output_size: bool = false"),
                 ForFloats()));
  ops.push_back(
      Suppressor("NonMaxSuppressionV5(boxes: T, scores: T, max_output_size: i32, iou_threshold: T, score_threshold: T, "
                 "soft_nms_sigma: T) -> "
                 "(selected_indices: i32, selected_scores: T, valid_outputs: i32) | T: type = f32 in {f16,f32} | "
                 "pad_to_max_output_size: "
                 "bool = false",
                 ForFloats()));
  return ops;
}

}  // namespace headrace
