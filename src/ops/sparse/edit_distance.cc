// EditDistance: for each place in the leading dimensions, how many insertions, deletions and substitutions make the hypothesis's
// sequence the truth's (Levenshtein); both are sparse. `normalize` divides by the truth's length: infinite for an insertion into an
// empty truth. Errors: kInvalidArgument. Source: TensorFlow's op of the same name.
#include <algorithm>
#include <limits>

#include "ops/integers.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status EditDistanceShape(ShapeContext& c) {
  for (int i = 0; i < 6; ++i) HR_RETURN_IF_ERROR(c.RequireRank(i, i % 3 == 0 ? 2 : 1));
  const auto hypothesis = ConstantIntegers(c, 2), truth = ConstantIntegers(c, 5);
  if (!hypothesis || !truth) return c.SetOutput(0, PartialShape());
  if (hypothesis->size() != truth->size()) {
    return InvalidArgument("Num elements of hypothesis_shape does not match truth_shape: ", hypothesis->size(), " vs. ",
                           truth->size());
  }
  std::vector<int64_t> dims;
  for (size_t d = 0; d + 1 < truth->size(); ++d) dims.push_back(std::max((*hypothesis)[d], (*truth)[d]));
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

/// The entries of a sparse tensor in the order of their places in the output; those of one place in their own order.
struct Sequences {
  struct Entry {
    int64_t place, number;
  };
  std::vector<Entry> entries;
  size_t next = 0;

  static Result<Sequences> Of(const SparseView& sparse, const Shape& places) {
    Sequences made;
    for (int64_t i = 0; i < sparse.size(); ++i) {
      const auto leading = sparse.row(i).first(static_cast<size_t>(sparse.rank() - 1));
      const int64_t place = PlaceOf(leading, places.dims());
      if (place < 0) return OutOfBounds(i, leading, places.dims());
      made.entries.push_back({place, i});
    }
    std::ranges::stable_sort(made.entries, {}, &Entry::place);
    return made;
  }
  bool done() const { return next == entries.size(); }
  int64_t place() const { return done() ? std::numeric_limits<int64_t>::max() : entries[next].place; }
  /// The entries of `wanted`, where that is the next place, else none.
  std::span<const Entry> Take(int64_t wanted) {
    const size_t begin = next;
    while (place() == wanted && !done()) ++next;
    return std::span(entries).subspan(begin, next - begin);
  }
};

template <typename T>
int64_t Distance(const T* a_values, std::span<const Sequences::Entry> a, const T* b_values,
                 std::span<const Sequences::Entry> b) {
  std::vector<int64_t> row(b.size() + 1);  // from the first i elements of `a` to the first j of `b`
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t diagonal = row[0];
    row[0] = static_cast<int64_t>(i) + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const int64_t substituted = diagonal + (a_values[a[i].number] == b_values[b[j].number] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

Result<Shape> OutputShape(const SparseView& hypothesis, const SparseView& truth) {
  if (truth.rank() < 2) {
    return InvalidArgument("Input SparseTensors must have rank at least 2, but truth_shape rank is: ", truth.rank());
  }
  if (hypothesis.rank() != truth.rank()) {
    return InvalidArgument("Expected truth and hypothesis to have matching ranks, but their ranks are: ", truth.rank(),
                           " and ", hypothesis.rank());
  }
  std::vector<int64_t> dims;
  for (size_t d = 0; d + 1 < truth.shape.size(); ++d) dims.push_back(std::max(hypothesis.shape[d], truth.shape[d]));
  return Shape::Make(dims);
}

template <typename T> class EditDistance final : public Kernel {
 public:
  explicit EditDistance(KernelConstruction& c) : normalize_(c.attr<bool>("normalize", true)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const SparseView hypothesis, ReadSparse(c, 0));
    HR_ASSIGN_OR_RETURN(const SparseView truth, ReadSparse(c, 3));
    HR_ASSIGN_OR_RETURN(const Shape shape, OutputShape(hypothesis, truth));
    HR_ASSIGN_OR_RETURN(Sequences said, Sequences::Of(hypothesis, shape));
    HR_ASSIGN_OR_RETURN(Sequences meant, Sequences::Of(truth, shape));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, shape));
    const auto distances = output->mutable_data<float>();
    std::ranges::fill(distances, 0.0f);
    const T *said_values = hypothesis.values->data<T>().data(), *meant_values = truth.values->data<T>().data();
    while (!said.done() || !meant.done()) {
      const int64_t place = std::min(said.place(), meant.place());
      const auto a = said.Take(place), b = meant.Take(place);
      const float distance = static_cast<float>(Distance(said_values, a, meant_values, b));
      distances[static_cast<size_t>(place)] = normalize_ ? distance / static_cast<float>(b.size()) : distance;
    }
    return OkStatus();
  }

 private:
  const bool normalize_;
};

}  // namespace

std::vector<OpDefinition> EditDistanceOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "EditDistance(hypothesis_indices: i64, hypothesis_values: T, hypothesis_shape: i64, truth_indices: i64, "
          "truth_values: T, truth_shape: i64) -> (output: f32) | normalize: bool = true | T: type")
          .Shape(EditDistanceShape)
          .NoGradient("not differentiable: a number of steps")
          .Kernels(KernelsFor<float, double, Half, BFloat16, bool, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t, std::complex<float>, std::complex<double>, std::string>(
              "T", []<typename T>() { return ClassKernel<EditDistance<T>>(); })));
  return ops;
}

}  // namespace headrace
