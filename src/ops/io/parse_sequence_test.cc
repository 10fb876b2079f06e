// SequenceExample parsing against values and damage; single features are in tests/cases/io.
#include <gmock/gmock.h>

#include <random>

#include "format/example.h"
#include "format/little_endian.h"
#include "kernel/evaluate.h"
#include "ops/io/example_testing.h"
#include "ops/register.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Field(uint32_t field, const std::string& bytes) {
  std::string out;
  AppendVarint(out, field << 3 | 2);
  AppendVarint(out, bytes.size());
  return out + bytes;
}

std::vector<Tensor> Values(Result<std::vector<Tensor>> outputs) {
  EXPECT_TRUE(outputs.ok()) << outputs.status().ToString();
  return outputs.ok() ? *std::move(outputs) : std::vector<Tensor>();
}

using Rows = std::vector<std::vector<int64_t>>;

std::string List(const std::string& key, const Rows& rows) {
  std::string list;
  for (const std::vector<int64_t>& row : rows) {
    std::string packed;
    for (const int64_t value : row) AppendVarint(packed, static_cast<uint64_t>(value));
    list += Field(1, Field(static_cast<uint32_t>(FeatureKind::kInt64), Field(1, packed)));
  }
  return Field(1, Field(1, key) + Field(2, list));
}

/// A message with the context feature "c", a list of single numbers and one of any.
std::string Sample(const std::vector<int64_t>& context, const std::vector<int64_t>& steps, const Rows& bags) {
  ExampleWriter writer;
  writer.AddInt64s("c", context);
  Rows single;
  for (const int64_t step : steps) single.push_back({step});
  return writer.Take() + Field(2, List("steps", single) + List("bags", bags));
}

/// Asks for "c" as sparse, "steps" as dense, and "bags" as sparse or ragged.
Result<std::vector<Tensor>> Parse(Tensor serialized, bool ragged, bool may_be_missing = true) {
  const auto strings = [](const std::vector<std::string>& keys) { return Tensor::Vector(keys); };
  const std::vector<std::string> bags = {"bags"}, none = {};
  const std::vector<DType> int64 = {DType::kInt64}, no_types = {};
  std::vector<Tensor> inputs = {std::move(serialized),
                                strings({}),
                                strings({"c"}),
                                strings({}),
                                strings({}),
                                strings(ragged ? none : bags),
                                strings({"steps"}),
                                strings(ragged ? bags : none),
                                Tensor::Vector<bool>({may_be_missing})};
  return EvaluateOp("ParseSequenceExampleV2", std::move(inputs),
                    {{"Ncontext_sparse", int64_t{1}},
                     {"context_sparse_types", int64},
                     {"Nfeature_list_sparse", int64_t{ragged ? 0 : 1}},
                     {"Nfeature_list_dense", int64_t{1}},
                     {"feature_list_dense_types", int64},
                     {"feature_list_dense_shapes", std::vector<PartialShape>{PartialShape::Scalar()}},
                     {"feature_list_sparse_types", ragged ? no_types : int64},
                     {"feature_list_ragged_value_types", ragged ? int64 : no_types},
                     {"feature_list_ragged_split_types", ragged ? int64 : no_types}});
}

class ParseSequenceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { RegisterAllOps(); }
};

TEST_F(ParseSequenceTest, ListsOfABatchArePaddedSparseOrRagged) {
  const Tensor batch = Tensor::Vector<std::string>(
      {Sample({1, 2}, {5, 6, 7}, {{1}, {}, {2, 3}}), Sample({}, {8}, {}), Sample({3}, {}, {{4, 5}})});
  const std::vector<Tensor> sparse = Values(Parse(batch, false));
  ASSERT_FALSE(sparse.empty());
  EXPECT_THAT(sparse[1].data<int64_t>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(sparse[3].data<int64_t>(), ElementsAre(0, 0, 0, 0, 2, 0, 0, 2, 1, 2, 0, 0, 2, 0, 1));
  EXPECT_THAT(sparse[4].data<int64_t>(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(sparse[5].data<int64_t>(), ElementsAre(3, 3, 2));
  EXPECT_EQ(sparse[6].shape(), Shape({3, 3}));
  EXPECT_THAT(sparse[6].data<int64_t>(), ElementsAre(5, 6, 7, 8, 0, 0, 0, 0, 0));
  EXPECT_THAT(sparse[7].data<int64_t>(), ElementsAre(3, 1, 0));
  const std::vector<Tensor> ragged = Values(Parse(batch, true));
  ASSERT_FALSE(ragged.empty());
  EXPECT_THAT(ragged[5].data<int64_t>(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(ragged[6].data<int64_t>(), ElementsAre(0, 3, 3, 4));
  EXPECT_THAT(ragged[7].data<int64_t>(), ElementsAre(0, 1, 1, 3, 5));
}

TEST_F(ParseSequenceTest, OneMessageHasNoBatchDimension) {
  const Tensor one = Tensor::Scalar(Sample({1}, {5, 6}, {{1}, {2, 3}}));
  const std::vector<Tensor> sparse = Values(Parse(one, false));
  ASSERT_FALSE(sparse.empty());
  EXPECT_EQ(sparse[3].shape(), Shape({3, 2}));
  EXPECT_THAT(sparse[5].data<int64_t>(), ElementsAre(2, 2));
  EXPECT_EQ(sparse[6].shape(), Shape({2}));
  EXPECT_EQ(sparse[7].shape(), Shape());
  const std::vector<Tensor> ragged = Values(Parse(one, true));
  ASSERT_FALSE(ragged.empty());
  EXPECT_EQ(ragged[6].shape(), Shape({0}));
  EXPECT_THAT(ragged[7].data<int64_t>(), ElementsAre(0, 1, 3));
}

TEST_F(ParseSequenceTest, ALargeBatchComesOutInOrderWhateverThreadsDoIt) {
  constexpr int64_t kExamples = 20'000;
  std::vector<std::string> examples;
  for (int64_t i = 0; i < kExamples; ++i) {
    examples.push_back(Sample({i}, std::vector<int64_t>(static_cast<size_t>(i % 3), i), {{i}, {i, i}}));
  }
  const std::vector<Tensor> out = Values(Parse(Tensor::Vector(examples), true));
  ASSERT_FALSE(out.empty());
  ASSERT_EQ(out[3].shape(), Shape({kExamples, 2}));
  for (int64_t i = 0; i < kExamples; ++i) {
    const auto at = static_cast<size_t>(i);
    ASSERT_EQ(out[1].data<int64_t>()[at], i);
    for (int64_t k = 0; k < 2; ++k)
      ASSERT_EQ(out[3].data<int64_t>()[2 * at + static_cast<size_t>(k)], k < i % 3 ? i : 0);
    ASSERT_EQ(out[4].data<int64_t>()[at], i % 3);
    ASSERT_EQ(out[5].data<int64_t>()[3 * at], i);
    ASSERT_EQ(out[7].data<int64_t>()[2 * at + 1], 3 * i + 1);
  }
}

TEST_F(ParseSequenceTest, TheFirstBadExampleIsReported) {
  std::vector<std::string> examples(5'000, Sample({1}, {1}, {}));
  examples[4'000] = Field(2, "\xff");
  examples[1'234] = "";
  EXPECT_THAT(Parse(Tensor::Vector(examples), true, false).status().message(),
              HasSubstr("Feature list 'steps' is required"));
  examples[1'234] = Field(2, "\xff");
  const Status status = Parse(Tensor::Vector(examples), true, false).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("Invalid protocol message input, example id: <unknown>"));
  EXPECT_THAT(status.message(), HasSubstr("(example 1234, 3 bytes)"));
}

TEST_F(ParseSequenceTest, RowsThatClaimManyValuesAreRefusedWithoutRoomForThem) {
  const auto parse = [](int64_t row_size) {
    const auto no_strings = [] { return Tensor::Vector(std::vector<std::string>()); };
    const std::string message = Field(2, List("x", {{1, 2}}));
    std::vector<Tensor> inputs = {Tensor::Vector<std::string>({message})};
    for (int i = 0; i < 5; ++i) inputs.push_back(no_strings());
    inputs.push_back(Tensor::Vector<std::string>({"x"}));
    inputs.push_back(no_strings());
    inputs.push_back(Tensor::Vector<bool>({false}));
    return EvaluateOp("ParseSequenceExampleV2", std::move(inputs),
                      {{"Nfeature_list_dense", int64_t{1}},
                       {"feature_list_dense_types", std::vector<DType>{DType::kInt64}},
                       {"feature_list_dense_shapes", std::vector<PartialShape>{PartialShape{row_size}}}})
        .status();
  };
  EXPECT_TRUE(parse(2).ok());
  EXPECT_THAT(parse(int64_t{1} << 60).message(), HasSubstr("Number of values != expected.  values size: 2"));
  EXPECT_THAT(parse(0).message(), HasSubstr("rows without elements"));
}

TEST_F(ParseSequenceTest, DamageIsNeverMoreThanAnError) {
  constexpr unsigned kSeed = 5;
  std::mt19937 random(kSeed);
  const std::string sound = Sample({1, 300, -5}, {1, 1 << 20, -1}, {{}, {7, 8, 9}, {-1}});
  for (int i = 0; i < 20'000; ++i) {
    const std::string damaged = Damaged(sound, random);
    const Status status = Parse(Tensor::Vector<std::string>({damaged, sound}), i % 2 == 0).status();
    ASSERT_TRUE(status.ok() || status.code() == Code::kInvalidArgument)
        << "seed " << kSeed << ", try " << i << ": " << status.ToString();
  }
}

}  // namespace
}  // namespace headrace
