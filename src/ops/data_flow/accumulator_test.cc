// Accumulators call by call: who waits, what is dropped, and sparse sums, whose numbers are TensorFlow's.
#include "ops/data_flow/accumulator.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

struct Outcome {
  bool ended = false;
  Status status;
  Gradient gradient;
};

template <typename T> std::vector<T> Values(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

class AccumulatorTest : public testing::Test {
 protected:
  AccumulatorTest() { dense_ = Make(*MakeDenseSum(DType::kFloat, PartialShape({2})), true); }
  static std::shared_ptr<Accumulator> Make(std::unique_ptr<GradientSum> sum, bool takes_mean) {
    return std::make_shared<Accumulator>(DType::kFloat, takes_mean, std::move(sum));
  }
  static std::shared_ptr<Accumulator> MakeSparse(const PartialShape& shape, bool takes_mean = true) {
    return Make(*MakeSparseSum(DType::kFloat, shape), takes_mean);
  }

  Status Apply(int64_t step, float a, float b) {
    return dense_->Apply(step, {Tensor::Vector<float>({a, b})}, *runtime_);
  }
  void Take(Accumulator& from, int64_t num_required, Outcome* outcome, CancellationToken* token = nullptr) {
    from.Take(num_required, *runtime_, token, [outcome](const Status& status, Gradient gradient) {
      EXPECT_FALSE(outcome->ended) << "told twice";
      *outcome = {true, status, std::move(gradient)};
    });
  }
  Status ApplySparse(Accumulator& to, std::vector<int64_t> indices, const std::vector<float>& values,
                     std::vector<int64_t> shape = {4, 2}) {
    const auto rows = static_cast<int64_t>(indices.size());
    Tensor two_columns =
        Tensor::Vector<float>(values).Reshaped(Shape({rows, static_cast<int64_t>(values.size()) / rows}));
    return to.Apply(0, {Tensor::Vector<int64_t>(indices), std::move(two_columns), Tensor::Vector<int64_t>(shape)},
                    *runtime_);
  }
  Gradient TakeNow(Accumulator& from) {
    Outcome outcome;
    Take(from, 1, &outcome);
    EXPECT_TRUE(outcome.ended && outcome.status.ok());
    return outcome.gradient;
  }

  const std::shared_ptr<Runtime> runtime_ = Runtime::Default();
  std::shared_ptr<Accumulator> dense_;
};

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

TEST_F(AccumulatorTest, ThoseWhoWaitAreServedInOrderWhateverTheyRequire) {
  Outcome two, one;
  Take(*dense_, 2, &two);
  Take(*dense_, 1, &one);
  ASSERT_TRUE(Apply(0, 1, 2).ok());
  EXPECT_FALSE(two.ended || one.ended);
  ASSERT_TRUE(Apply(0, 3, 4).ok());
  EXPECT_EQ(Values<float>(two.gradient[0]), (Floats{2, 3}));
  EXPECT_FALSE(one.ended);
  ASSERT_TRUE(Apply(0, 9, 9).ok());  // of a step that is over
  EXPECT_FALSE(one.ended);
  ASSERT_TRUE(Apply(1, 3, 5).ok());
  EXPECT_EQ(Values<float>(one.gradient[0]), (Floats{3, 5}));
}

TEST_F(AccumulatorTest, ACancelledCallLetsTheNextOneGoOn) {
  CancellationToken token;
  Outcome many, one;
  Take(*dense_, 5, &many, &token);
  Take(*dense_, 1, &one);
  ASSERT_TRUE(Apply(0, 1, 2).ok());
  EXPECT_FALSE(one.ended);
  token.Cancel(DeadlineExceeded("too late"));
  EXPECT_EQ(many.status.ToString(), "DEADLINE_EXCEEDED: too late");
  EXPECT_EQ(Values<float>(one.gradient[0]), (Floats{1, 2}));
}

TEST_F(AccumulatorTest, AGradientThatIsStillReadElsewhereDoesNotChange) {
  const Tensor gradient = Tensor::Vector<float>({1, 2});
  ASSERT_TRUE(dense_->Apply(0, {gradient}, *runtime_).ok());
  ASSERT_TRUE(Apply(0, 10, 20).ok());
  EXPECT_EQ(Values<float>(gradient), (Floats{1, 2}));
  EXPECT_EQ(Values<float>(TakeNow(*dense_)[0]), (Floats{5.5, 11}));
}

TEST_F(AccumulatorTest, AGradientThatDoesNotFitCountsForNothing) {
  EXPECT_FALSE(dense_->Apply(0, {Tensor::Vector<float>({1})}, *runtime_).ok());
  EXPECT_EQ(dense_->num_accumulated(), 0);
}

TEST_F(AccumulatorTest, ARowOfASparseMeanIsDividedByTheGradientsThatHaveIt) {
  const auto sparse = MakeSparse(PartialShape({4, 2}));
  ASSERT_TRUE(ApplySparse(*sparse, {0, 2}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(ApplySparse(*sparse, {1, 2}, {5, 6, 7, 8}).ok());
  ASSERT_TRUE(ApplySparse(*sparse, {3}, {5, 6}).ok());
  const Gradient mean = TakeNow(*sparse);
  EXPECT_EQ(Values<int64_t>(mean[0]), (Ints{0, 1, 2, 3}));
  EXPECT_EQ(Values<float>(mean[1]), (Floats{1, 2, 5, 6, 5, 6, 5, 6}));
  EXPECT_EQ(Values<int64_t>(mean[2]), (Ints{4, 2}));
}

TEST_F(AccumulatorTest, ASparseSumIsNotDivided) {
  const auto sparse = MakeSparse(PartialShape({4, 2}), /*takes_mean=*/false);
  ASSERT_TRUE(ApplySparse(*sparse, {0, 2}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(ApplySparse(*sparse, {1, 2}, {5, 6, 7, 8}).ok());
  EXPECT_EQ(Values<float>(TakeNow(*sparse)[1]), (Floats{1, 2, 5, 6, 10, 12}));
}

TEST_F(AccumulatorTest, RepeatedAndUnsortedIndicesMergeAsTensorFlowMergesThem) {
  const auto sparse = MakeSparse(PartialShape({4, 2}));
  ASSERT_TRUE(ApplySparse(*sparse, {1, 2}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(ApplySparse(*sparse, {2, 2}, {10, 20, 30, 40}).ok());
  Gradient mean = TakeNow(*sparse);
  EXPECT_EQ(Values<int64_t>(mean[0]), (Ints{1, 2, 2}));
  EXPECT_EQ(Values<float>(mean[1]), (Floats{1, 2, 6.5, 12, 30, 40}));
  sparse->SetGlobalStep(0);
  ASSERT_TRUE(ApplySparse(*sparse, {2, 0}, {1, 2, 3, 4}).ok());
  ASSERT_TRUE(ApplySparse(*sparse, {0, 2}, {5, 6, 7, 8}).ok());
  mean = TakeNow(*sparse);
  EXPECT_EQ(Values<int64_t>(mean[0]), (Ints{0, 2, 0}));
  EXPECT_EQ(Values<float>(mean[1]), (Floats{5, 6, 4, 5, 3, 4}));
}

TEST_F(AccumulatorTest, AnUndeclaredShapeIsThatOfTheRows) {
  const auto sparse = MakeSparse(PartialShape());
  ASSERT_TRUE(ApplySparse(*sparse, {9}, {1, 2, 3}, {}).ok());
  EXPECT_EQ(Values<int64_t>(TakeNow(*sparse)[2]), (Ints{-1, 3}));
}

TEST_F(AccumulatorTest, ADeclaredShapeMayLackDimensionsAtItsEnd) {
  const auto sparse = MakeSparse(PartialShape(std::vector<int64_t>{}));
  ASSERT_TRUE(ApplySparse(*sparse, {9}, {1, 2, 3}, {}).ok());
  EXPECT_EQ(Values<int64_t>(TakeNow(*sparse)[2]), (Ints{-1, 3}));
}

TEST_F(AccumulatorTest, SparseGradientsThatDoNotFitSayWhy) {
  const auto sparse = MakeSparse(PartialShape({4, 2}));
  EXPECT_EQ(ApplySparse(*sparse, {0}, {1, 2}, {5, 2}).message(), "Shape mismatch: expected shape dim 0 to be 4, got 5");
  EXPECT_EQ(ApplySparse(*sparse, {0}, {1, 2, 3}).message(), "Shape mismatch: expected values dim 1 to be 2, got 3");
  EXPECT_EQ(ApplySparse(*sparse, {9}, {1, 2}).message(),
            "Shape mismatch: index of slice 0 exceeded limits of shape; index is 9 exceeded 4");
  EXPECT_EQ(ApplySparse(*sparse, {-1}, {1, 2}).code(), Code::kInvalidArgument);
  EXPECT_EQ(
      sparse
          ->Apply(0, {Tensor::Vector<int64_t>({0}), Tensor::Vector<float>({1}), Tensor::Vector<int64_t>({})}, *runtime_)
          .message(),
      "Shape mismatch: expected values rank at least 2, got 1");
  const Tensor one = Tensor::Vector<float>({1}), row = one.Reshaped(Shape({1, 1})), none = Tensor::Vector<int64_t>({});
  EXPECT_EQ(sparse->Apply(0, {Tensor::Vector<int64_t>({0, 1}), row, none}, *runtime_).message(),
            "Expected 2 non-empty input values, got 1");
  EXPECT_EQ(sparse->Apply(0, {Tensor::Scalar<int64_t>(0), row, none}, *runtime_).message(),
            "Input indices should be vector but received shape: []");
  EXPECT_EQ(sparse->Apply(0, {Tensor::Vector<int64_t>({0}), one.Reshaped(Shape()), none}, *runtime_).message(),
            "Values cannot be 0-dimensional.");
  EXPECT_EQ(sparse->num_accumulated(), 0);
}

}  // namespace
}  // namespace headrace
