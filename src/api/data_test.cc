// Tests of data.h and parse_example.h.
#include "api/data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "api/headrace.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct DataTest : testing::Test {
  // Everything that the dataset yields, as the i64 values of its first component.
  std::vector<int64_t> All(const data::Dataset& dataset) {
    const data::Iterator iterator = data::MakeInitializableIterator(dataset);
    const Output value = iterator.GetNext().empty() ? Output() : iterator.GetNext().front();
    Result<Session> session = Session::Open("", root);
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    std::vector<int64_t> values;
    if (!session.ok()) return values;
    const Status started = session->Run(iterator.initializer());
    EXPECT_TRUE(started.ok()) << started.ToString();
    while (true) {
      const Result<Tensor> next = session->Run(value);
      if (next.status().code() == Code::kOutOfRange) return values;
      EXPECT_TRUE(next.ok()) << next.status().ToString();
      if (!next.ok()) return values;
      values.insert(values.end(), next->data<int64_t>().begin(), next->data<int64_t>().end());
    }
  }
  Scope root = Scope::NewRoot();
};

TEST_F(DataTest, TransformationsCompose) {
  EXPECT_THAT(All(data::FromRange(root, 10).Skip(1).Take(6).Shard(2, 1).Repeat(2)), ElementsAre(2, 4, 6, 2, 4, 6));
}

TEST_F(DataTest, BatchesHaveAnExtentWhereTheRemainderIsDropped) {
  const data::Dataset dataset = data::FromRange(root, 5);
  EXPECT_EQ(dataset.Batch(2).output_shapes()[0], PartialShape({-1}));
  EXPECT_EQ(dataset.Batch(2, {.drop_remainder = true}).output_shapes()[0], PartialShape({2}));
  EXPECT_THAT(All(dataset.Batch(2, {.drop_remainder = true})), ElementsAre(0, 1, 2, 3));
}

TEST_F(DataTest, ShuffledElementsAreAllThere) {
  std::vector<int64_t> values = All(data::FromRange(root, 100).Shuffle(10, {.seed = 3}));
  EXPECT_FALSE(std::ranges::is_sorted(values));
  std::ranges::sort(values);
  EXPECT_EQ(values.size(), 100u);
  EXPECT_EQ(values.back(), 99);
}

TEST_F(DataTest, AFunctionIsTracedIntoTheGraph) {
  EXPECT_THAT(All(data::FromRange(root, 3).Map([](Output x) { return x * x + 1; })), ElementsAre(1, 2, 5));
}

TEST_F(DataTest, AnEndlessSearchEndsWithItsSession) {
  const auto none = [](Output x) { return Less(x, Constant(x.scope(), int64_t{0})); };
  const data::Dataset dataset = data::FromRange(root, INT64_MAX)
                                    .Filter(none)
                                    .Map([](Output x) { return x + 1; }, {.num_parallel_calls = 2})
                                    .Prefetch(2);
  const data::Iterator iterator = data::MakeInitializableIterator(dataset);
  const Output next = iterator.GetNext()[0];
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  ASSERT_TRUE(session->Run(iterator.initializer()).ok());
  EXPECT_EQ(session->Run(next, {.timeout_ms = 50}).status().code(), Code::kDeadlineExceeded);
  Status searched;
  std::thread searching([&] { searched = session->Run(next).status(); });
  EXPECT_TRUE(session->Close().ok());
  searching.join();
  EXPECT_FALSE(searched.ok());
}

TEST_F(DataTest, AFunctionMayUseWhatIsAroundIt) {
  const Output ten = Constant(root, int64_t{10});
  EXPECT_THAT(All(data::FromRange(root, 3).Map([&](Output x) { return x * ten; }, {.num_parallel_calls = 2})),
              ElementsAre(0, 10, 20));
}

TEST_F(DataTest, FunctionsTakeAndReturnSeveralComponents) {
  const data::Dataset pairs =
      data::FromTensorSlices(root, {Tensor::Vector<int64_t>({1, 2}), Tensor::Vector<int64_t>({30, 40})});
  const data::Dataset swapped = pairs.Map([](Output a, Output b) {
    return std::array<Output, 2>{b - a, Cast(a, DType::kFloat)};
  });
  EXPECT_THAT(swapped.output_types(), ElementsAre(DType::kInt64, DType::kFloat));
  EXPECT_THAT(All(swapped), ElementsAre(29, 38));
}

TEST_F(DataTest, FilteredElementsAreGone) {
  EXPECT_THAT(All(data::FromRange(root, 6).Filter([](Output x) { return Equal(FloorMod(x, 2), 0); })),
              ElementsAre(0, 2, 4));
}

TEST_F(DataTest, PaddedBatchesTakeDefaultsAndValues) {
  const data::Dataset rows = data::FromRange(root, 1, 4).Map([](Output i) { return Fill(ExpandDims(i, 0), i); });
  EXPECT_THAT(All(rows.PaddedBatch(3, {PartialShape({-1})})), ElementsAre(1, 0, 0, 2, 2, 0, 3, 3, 3));
  const data::PaddedBatchOptions options{.padding_values = {Tensor::Scalar<int64_t>(-1)}, .drop_remainder = true};
  const data::Dataset padded = rows.PaddedBatch(2, {PartialShape({3})}, options);
  EXPECT_EQ(padded.output_shapes()[0], PartialShape({2, 3}));
  EXPECT_THAT(All(padded), ElementsAre(1, -1, -1, 2, 2, -1));
}

TEST_F(DataTest, FunctionsMayMakeDatasets) {
  const data::Dataset starts = data::FromRange(root, 1, 4);
  const auto twice = [](Output i) { return data::FromTensorSlices({Stack({i, i * 10})}); };
  EXPECT_THAT(All(starts.FlatMap(twice)), ElementsAre(1, 10, 2, 20, 3, 30));
  EXPECT_THAT(All(starts.Interleave(twice, {.cycle_length = 2})), ElementsAre(1, 2, 10, 20, 3, 30));
  EXPECT_THAT(All(starts.Interleave(twice, {.cycle_length = 2, .num_parallel_calls = 2})),
              ElementsAre(1, 2, 10, 20, 3, 30));
}

TEST_F(DataTest, StreamsAreJoined) {
  const data::Dataset numbers = data::FromRange(root, 10, 0, -4);
  EXPECT_THAT(All(numbers.Concatenate(data::FromRange(root, 2)).Cache().Repeat(2)),
              ElementsAre(10, 6, 2, 0, 1, 10, 6, 2, 0, 1));
  EXPECT_THAT(All(numbers.Batch(2).Unbatch()), ElementsAre(10, 6, 2));
  const data::Dataset sums =
      data::Zip({numbers, data::FromRange(root, 2)}).Map([](Output a, Output b) { return a + b; });
  EXPECT_THAT(All(sums), ElementsAre(10, 7));
}

TEST_F(DataTest, AFunctionOfAnotherNumberOfComponentsIsAMistake) {
  data::FromRange(root, 3).Map([](Output x, Output y) { return x + y; });
  EXPECT_EQ(root.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(root.status().message(), HasSubstr("data_test.cc"));
}

TEST_F(DataTest, AskingForAnotherNumberOfComponentsIsAMistake) {
  auto [x, y] = data::MakeInitializableIterator(data::FromRange(root, 3)).Next<2>();
  EXPECT_THAT(root.status().message(), HasSubstr("elements have 1 components, asked for 2"));
  EXPECT_FALSE(x.valid());
}

TEST_F(DataTest, AOneShotIteratorStartsByItself) {
  const auto [x] = data::MakeOneShotIterator(data::FromRange(root, 2)).Next<1>();
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  for (const int64_t expected : {0, 1}) {
    const Result<Tensor> value = session->Run(x);
    ASSERT_TRUE(value.ok()) << value.status().ToString();
    EXPECT_EQ(value->scalar<int64_t>(), expected);
  }
  EXPECT_EQ(session->Run(x).status().code(), Code::kOutOfRange);
}

TEST_F(DataTest, AOneShotIteratorRefusesVariables) {
  const Variable v(root.WithName("v"), Zeros({}, DType::kInt64));
  data::MakeOneShotIterator(data::FromRange(root, 2).Map([&](Output x) { return x + v.Value(); }));
  EXPECT_THAT(root.status().message(), HasSubstr("use MakeInitializableIterator"));
}

}  // namespace
}  // namespace headrace::api
