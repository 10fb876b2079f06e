// UniformCandidateSampler, LogUniformCandidateSampler: num_sampled classes of [0, range_max), all alike or with a probability that
// falls like 1 / (class + 1); without repeats where `unique`. Beside them, how often each of the true and of the sampled classes
// is to be expected among the samples. At equal seed and seed2 the numbers are TensorFlow's. Errors: kInvalidArgument for
// true_classes of another shape than [?, num_true] or outside [0, range_max), or a range smaller than num_sampled.
// ComputeAccidentalHits: where a sampled class is one of the row's true ones, with the weight that takes it out of a softmax.
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "ops/random/draw.h"
#include "ops/random/random_ops.h"
#include "ops/random/random_stream.h"

namespace headrace {

namespace {

class UniformRange {
 public:
  explicit UniformRange(int64_t range) : range_(range), probability_(1.0f / static_cast<float>(range)) {}
  int64_t Draw(PhiloxWords& words) const {
    return static_cast<int64_t>(DrawBelow(words, static_cast<uint64_t>(range_)));
  }
  float Probability(int64_t) const { return probability_; }

 private:
  const int64_t range_;
  const float probability_;
};

// P(k) = log((k + 2) / (k + 1)) / log(range + 1).
class LogUniformRange {
 public:
  explicit LogUniformRange(int64_t range) : range_(range), log_range_(std::log1p(static_cast<double>(range))) {}
  int64_t Draw(PhiloxWords& words) const {
    return (static_cast<int64_t>(std::exp(DrawUnit(words) * log_range_)) - 1) % range_;  // rounding may reach range
  }
  float Probability(int64_t k) const {
    const double at = static_cast<double>(k);
    return static_cast<float>(std::log((at + 2) / (at + 1)) / log_range_);
  }

 private:
  const int64_t range_;
  const double log_range_;
};

// What is expected of a class of probability p in `count` samples for which `tries` were drawn: 1 - (1 - p)^tries where repeats
// were drawn again.
float ExpectedCount(float p, int64_t count, int64_t tries) {
  if (tries == count) return p * static_cast<float>(count);
  return static_cast<float>(-std::expm1(static_cast<double>(tries) * std::log1p(-static_cast<double>(p))));
}

template <typename Range> class CandidateSampler final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const int64_t count = c.attr<int64_t>("num_sampled"), range = c.attr<int64_t>("range_max");
    if (count < 1 || count > std::numeric_limits<int32_t>::max() || range < 1) {
      return InvalidArgument(c.node().op(), ": num_sampled and range_max must be positive, got ", count, " and ",
                             range);
    }
    if (c.attr<bool>("unique") && count > range) {
      return InvalidArgument("Sampler's range is too small: ", c.node().op(), " draws ", count, " unique classes of ",
                             range);
    }
    return std::unique_ptr<Kernel>(new CandidateSampler(c, count, range));
  }

  Status Compute(KernelContext& c) override {
    const Tensor& classes = c.input(0);
    if (classes.rank() != 2) return InvalidArgument("true_classes must be a matrix, got shape ", classes.shape());
    if (classes.dim(1) != num_true_) {
      return InvalidArgument("true_classes must have num_true columns, expected: ", classes.dim(1),
                             " was: ", num_true_);
    }
    for (int64_t id : classes.data<int64_t>()) {
      if (id < 0 || id >= range_max_)
        return InvalidArgument("`true_candidate` out of range [0, ", range_max_, "), received ", id);
    }
    const Shape shape({count_});
    HR_ASSIGN_OR_RETURN(Tensor * sampled, c.AllocateOutput(0, shape));
    HR_ASSIGN_OR_RETURN(Tensor * true_expected, c.AllocateOutput(1, classes.shape()));
    HR_ASSIGN_OR_RETURN(Tensor * sampled_expected, c.AllocateOutput(2, shape));
    const std::span<int64_t> out = sampled->mutable_data<int64_t>();
    const int64_t tries = Draw(c, out);
    if (tries == 0) return c.cancellation()->status();
    for (size_t i = 0; i < out.size(); ++i)
      sampled_expected->mutable_data<float>()[i] = ExpectedCount(range_.Probability(out[i]), count_, tries);
    const std::span<const int64_t> ids = classes.data<int64_t>();
    for (size_t i = 0; i < ids.size(); ++i)
      true_expected->mutable_data<float>()[i] = ExpectedCount(range_.Probability(ids[i]), count_, tries);
    return OkStatus();
  }

 private:
  CandidateSampler(KernelConstruction& c, int64_t count, int64_t range)
      : stream_(c),
        range_(range),
        count_(count),
        range_max_(range),
        num_true_(c.attr<int64_t>("num_true")),
        unique_(c.attr<bool>("unique")) {}

  // Returns how many were drawn; 0 when the step ended before there were enough: few unique classes are left to find near the
  // range's end.
  int64_t Draw(const KernelContext& c, std::span<int64_t> out) {
    PhiloxWords words(stream_.TakeBlocks(2048 * static_cast<uint64_t>(count_) / 4));
    std::unordered_set<int64_t> seen;
    int64_t tries = 0;
    for (size_t i = 0; i < out.size(); ++tries) {
      if (tries % 65536 == 65535 && c.cancellation() != nullptr && c.cancellation()->IsCancelled()) return 0;
      out[i] = range_.Draw(words);
      if (!unique_ || seen.insert(out[i]).second) ++i;
    }
    return tries;
  }

  RandomStream stream_;
  const Range range_;
  const int64_t count_, range_max_, num_true_;
  const bool unique_;
};

Status SamplerShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape classes, c.InputOfRank(0, 2));
  HR_ASSIGN_OR_RETURN(classes,
                      classes.MergeWith(PartialShape({PartialShape::kUnknownDim, c.attr<int64_t>("num_true", 1)})));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({c.attr<int64_t>("num_sampled", 1)})));
  HR_RETURN_IF_ERROR(c.SetOutput(1, std::move(classes)));
  return c.SetOutput(2, PartialShape({c.attr<int64_t>("num_sampled", 1)}));
}

Status AccidentalHits(KernelContext& c) {
  const Tensor &classes = c.input(0), &sampled = c.input(1);
  const int64_t num_true = GetAttrOr<int64_t>(c.node().attrs(), "num_true", 1);
  if (classes.rank() != 2 || classes.dim(1) != num_true) {
    return InvalidArgument("true_candidates must be a batch_size * num_true matrix, got ", classes,
                           " num_true=", num_true);
  }
  if (sampled.rank() != 1) return InvalidArgument("sampled_candidates must be a vector, got ", sampled);
  if (classes.dim(0) > std::numeric_limits<int32_t>::max())
    return InvalidArgument("ComputeAccidentalHits: ", classes.dim(0), " rows are over 2^31 - 1");
  std::unordered_map<int64_t, int64_t> place;  // of equal candidates, of the last
  const std::span<const int64_t> candidates = sampled.data<int64_t>();
  for (size_t i = 0; i < candidates.size(); ++i) place[candidates[i]] = static_cast<int64_t>(i);
  std::vector<int32_t> rows;
  std::vector<int64_t> ids;
  const std::span<const int64_t> truths = classes.data<int64_t>();
  for (size_t i = 0; i < truths.size(); ++i) {
    const auto found = place.find(truths[i]);
    if (found == place.end()) continue;
    rows.push_back(static_cast<int32_t>(static_cast<int64_t>(i) / num_true));
    ids.push_back(found->second);
  }
  const Shape shape({static_cast<int64_t>(ids.size())});
  HR_ASSIGN_OR_RETURN(Tensor * row_out, c.AllocateOutput(0, shape));
  HR_ASSIGN_OR_RETURN(Tensor * id_out, c.AllocateOutput(1, shape));
  HR_ASSIGN_OR_RETURN(Tensor * weights, c.AllocateOutput(2, shape));
  std::copy(rows.begin(), rows.end(), row_out->mutable_data<int32_t>().begin());
  std::copy(ids.begin(), ids.end(), id_out->mutable_data<int64_t>().begin());
  std::fill_n(weights->mutable_data<float>().begin(), ids.size(), -std::numeric_limits<float>::max());
  return OkStatus();
}

Status AccidentalHitsShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape::UnknownOfRank(1)));
  return OkStatus();
}

template <typename Range> OpDefinition Sampler(std::string_view name) {
  return OpDefinition(
             StrCat(name,
                    "(true_classes: i64) -> (sampled_candidates: i64, true_expected_count: f32, "
                    "sampled_expected_count: f32) | num_true: int >= 1 | num_sampled: int >= 1 | unique: bool | "
                    "range_max: int >= 1 | seed: int = 0 | seed2: int = 0 | stateful"))
      .Shape(SamplerShape)
      .NoGradient("random")
      .Kernels(AnyType(ClassKernel<CandidateSampler<Range>>()));
}

}  // namespace

std::vector<OpDefinition> CandidateSamplerOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Sampler<UniformRange>("UniformCandidateSampler"));
  ops.push_back(Sampler<LogUniformRange>("LogUniformCandidateSampler"));
  ops.push_back(
      OpDefinition("ComputeAccidentalHits(true_classes: i64, sampled_candidates: i64) -> (indices: i32, ids: i64, "
                   "weights: f32) | num_true: int | seed: int = 0 | seed2: int = 0")
          .Shape(AccidentalHitsShape)
          .NoGradient("not differentiable")
          .Kernels(AnyType(FunctionKernel(AccidentalHits))));
  return ops;
}

}  // namespace headrace
