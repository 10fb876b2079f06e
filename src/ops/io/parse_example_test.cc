// Example parsing against values, messages and damage; single features are in tests/cases/io.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "format/example.h"
#include "kernel/evaluate.h"
#include "ops/io/example_testing.h"
#include "ops/register.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Tensor> Values(Result<std::vector<Tensor>> outputs) {
  EXPECT_TRUE(outputs.ok()) << outputs.status().ToString();
  return outputs.ok() ? *std::move(outputs) : std::vector<Tensor>();
}

/// What a ParseExampleV2 node is asked for.
struct Wanted {
  std::vector<std::string> sparse, dense, ragged;
  std::vector<DType> sparse_types, ragged_types, split_types;
  std::vector<PartialShape> shapes;
  std::vector<Tensor> defaults;

  Result<std::vector<Tensor>> Parse(Tensor serialized, std::vector<std::string> names = {}) const {
    std::vector<Tensor> inputs = {std::move(serialized), Tensor::Vector(names), Tensor::Vector(sparse),
                                  Tensor::Vector(dense), Tensor::Vector(ragged)};
    inputs.insert(inputs.end(), defaults.begin(), defaults.end());
    std::vector<DType> dense_types;
    for (const Tensor& value : defaults) dense_types.push_back(value.dtype());
    return EvaluateOp("ParseExampleV2", std::move(inputs),
                      {{"num_sparse", static_cast<int64_t>(sparse.size())},
                       {"sparse_types", sparse_types},
                       {"Tdense", dense_types},
                       {"dense_shapes", shapes},
                       {"ragged_value_types", ragged_types},
                       {"ragged_split_types", split_types}});
  }
};

template <typename T> Tensor NoDefault() { return Tensor::Vector(std::vector<T>()); }

std::string Sample(float f, std::vector<int64_t> ids, std::vector<std::string> words) {
  ExampleWriter writer;
  writer.AddFloats("f", {f, f + 1});
  writer.AddInt64s("ids", ids);
  writer.AddBytes("words", words);
  return writer.Take();
}

class ParseExampleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { RegisterAllOps(); }
};

const Wanted& All() {
  static const auto* wanted = new Wanted{.sparse = {"ids"},
                                         .dense = {"f", "words"},
                                         .ragged = {"words"},
                                         .sparse_types = {DType::kInt64},
                                         .ragged_types = {DType::kString},
                                         .split_types = {DType::kInt32},
                                         .shapes = {PartialShape{2}, PartialShape{-1}},
                                         .defaults = {NoDefault<float>(), Tensor::Scalar("-")}};
  return *wanted;
}

TEST_F(ParseExampleTest, EveryFormOfFeatureFromABatch) {
  const std::vector<Tensor> out = Values(All().Parse(
      Tensor::Vector<std::string>({Sample(1, {7, 8, 9}, {"a"}), Sample(5, {}, {}), Sample(8, {-1}, {"b", "c"})})));
  ASSERT_EQ(out.size(), 7u);
  EXPECT_THAT(out[0].data<int64_t>(), ElementsAre(0, 0, 0, 1, 0, 2, 2, 0));
  EXPECT_THAT(out[1].data<int64_t>(), ElementsAre(7, 8, 9, -1));
  EXPECT_THAT(out[2].data<int64_t>(), ElementsAre(3, 3));
  EXPECT_EQ(out[3].shape(), Shape({3, 2}));
  EXPECT_THAT(out[3].data<float>(), ElementsAre(1, 2, 5, 6, 8, 9));
  EXPECT_EQ(out[4].shape(), Shape({3, 2}));
  EXPECT_THAT(out[4].data<std::string>(), ElementsAre("a", "-", "-", "-", "b", "c"));
  EXPECT_THAT(out[5].data<std::string>(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(out[6].data<int32_t>(), ElementsAre(0, 1, 1, 3));
}

TEST_F(ParseExampleTest, OneExampleHasNoBatchDimension) {
  const std::vector<Tensor> out = Values(All().Parse(Tensor::Scalar(Sample(1, {7, 8}, {"a", "b"}))));
  ASSERT_EQ(out.size(), 7u);
  EXPECT_EQ(out[0].shape(), Shape({2, 1}));
  EXPECT_THAT(out[0].data<int64_t>(), ElementsAre(0, 1));
  EXPECT_THAT(out[2].data<int64_t>(), ElementsAre(2));
  EXPECT_EQ(out[3].shape(), Shape({2}));
  EXPECT_EQ(out[4].shape(), Shape({2}));
  EXPECT_EQ(out[6].shape(), Shape({0}));
}

TEST_F(ParseExampleTest, AnEmptyBatchGivesEmptyTensors) {
  const std::vector<Tensor> out = Values(All().Parse(NoDefault<std::string>()));
  ASSERT_EQ(out.size(), 7u);
  EXPECT_EQ(out[0].shape(), Shape({0, 2}));
  EXPECT_THAT(out[2].data<int64_t>(), ElementsAre(0, 0));
  EXPECT_EQ(out[3].shape(), Shape({0, 2}));
  EXPECT_THAT(out[6].data<int32_t>(), ElementsAre(0));
}

TEST_F(ParseExampleTest, ALargeBatchComesOutInOrderWhateverThreadsDoIt) {
  std::vector<std::string> examples;
  for (int i = 0; i < 20'000; ++i) {
    examples.push_back(Sample(static_cast<float>(i), std::vector<int64_t>(static_cast<size_t>(i % 4), i), {StrCat(i)}));
  }
  const std::vector<Tensor> out = Values(All().Parse(Tensor::Vector(examples)));
  ASSERT_EQ(out.size(), 7u);
  size_t value = 0;
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(out[3].data<float>()[static_cast<size_t>(2 * i)], static_cast<float>(i));
    ASSERT_EQ(out[5].data<std::string>()[static_cast<size_t>(i)], StrCat(i));
    for (int k = 0; k < i % 4; ++k, ++value) {
      ASSERT_EQ(out[1].data<int64_t>()[value], i);
      ASSERT_EQ(out[0].data<int64_t>()[2 * value], i);
      ASSERT_EQ(out[0].data<int64_t>()[2 * value + 1], k);
    }
  }
}

TEST_F(ParseExampleTest, TheLastOfEqualKeysCounts) {
  const std::string twice = Sample(1, {1, 2}, {"x"}) + Sample(5, {3}, {"y"});
  const std::vector<Tensor> out = Values(All().Parse(Tensor::Vector<std::string>({twice})));
  ASSERT_EQ(out.size(), 7u);
  EXPECT_THAT(out[1].data<int64_t>(), ElementsAre(3));
  EXPECT_THAT(out[3].data<float>(), ElementsAre(5, 6));
}

TEST_F(ParseExampleTest, ValuesMayStandUnpacked) {
  const auto field = [](char tag, const std::string& bytes) {
    return std::string(1, tag) + static_cast<char>(bytes.size()) + bytes;
  };
  std::string floats;
  for (const float value : {1.5f, 2.5f})
    floats += "\x0d" + std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  const std::string ids = field('\x0a', "ids") + field('\x12', field('\x1a', "\x08\x05\x08\xac\x02"));
  const std::string f = field('\x0a', "f") + field('\x12', field('\x12', floats));
  const std::string example = field('\x0a', field('\x0a', ids) + field('\x0a', f));
  const std::vector<Tensor> out = Values(All().Parse(Tensor::Vector<std::string>({example})));
  ASSERT_EQ(out.size(), 7u);
  EXPECT_THAT(out[1].data<int64_t>(), ElementsAre(5, 300));
  EXPECT_THAT(out[3].data<float>(), ElementsAre(1.5, 2.5));
}

TEST_F(ParseExampleTest, MessagesAreTensorFlows) {
  ExampleWriter writer;
  writer.AddInt64s("x", {1, 2});
  const std::string ints = writer.Take();
  writer.AddFloats("x", {1, 2, 3});
  const std::string floats = writer.Take();
  const auto message = [](const Wanted& wanted, const Tensor& serialized, std::vector<std::string> names = {}) {
    const Status status = wanted.Parse(serialized, std::move(names)).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.message();
  };
  Wanted dense{.dense = {"x"}, .shapes = {PartialShape{2}}, .defaults = {NoDefault<float>()}};
  EXPECT_THAT(
      message(dense, Tensor::Vector<std::string>({ints})),
      HasSubstr(
          "Name: <unknown>, Key: x, Index: 0.  Data types don't match. Data type: int64 but expected type: float"));
  EXPECT_THAT(message(dense, Tensor::Scalar(ints)),
              HasSubstr("Key: x.  Data types don't match. Data type: int64 but expected type: float"));
  EXPECT_THAT(
      message(dense, Tensor::Vector<std::string>({floats}), {"n"}),
      HasSubstr(
          "Name: n, Key: x, Index: 0.  Number of float values != expected.  Values size: 3 but output shape: [2]"));
  const Wanted sparse{.sparse = {"x"}, .sparse_types = {DType::kString}};
  EXPECT_THAT(message(sparse, Tensor::Vector<std::string>({ints})),
              HasSubstr("Data types don't match. Expected type: string, Actual type: int64"));
  Wanted padded{.dense = {"x"}, .shapes = {PartialShape{-1, 2}}, .defaults = {Tensor::Scalar(0.0f)}};
  EXPECT_THAT(
      message(padded, Tensor::Vector<std::string>({floats})),
      HasSubstr("Number of float values is not a multiple of stride length. Saw 3 values but output shape is: [?,2]"));
  padded.defaults = {NoDefault<float>()};
  EXPECT_THAT(message(padded, Tensor::Vector<std::string>({floats})),
              HasSubstr("must contain a single element (the padding element)"));
  dense.defaults = {Tensor::Vector<float>({1, 2, 3})};
  EXPECT_THAT(message(dense, Tensor::Vector<std::string>({floats})),
              HasSubstr("def_value[0].shape() == [3] is not compatible with dense_shapes_[0] == [2]"));
  EXPECT_THAT(message(dense, Tensor::Vector<std::string>({floats}), {"a", "b"}),
              HasSubstr("Expected names have the same shape as serialized"));
}

TEST_F(ParseExampleTest, TheFirstBadExampleIsReported) {
  std::vector<std::string> examples(5'000, Sample(1, {1}, {"x"}));
  examples[4'000] = "\xff";
  examples[1'234] = "";
  const Status status = All().Parse(Tensor::Vector(examples)).status();
  EXPECT_THAT(status.message(), HasSubstr("Feature: f (data type: float) is required"));
  examples[1'234] = "\xff";
  EXPECT_THAT(All().Parse(Tensor::Vector(examples)).status().message(), HasSubstr("(example 1234, 1 bytes)"));
}

TEST_F(ParseExampleTest, ShapesThatCannotBeAreRefused) {
  for (const PartialShape& shape :
       {PartialShape(), PartialShape{2, -1}, PartialShape{-1, 0}, PartialShape{int64_t{1} << 40, int64_t{1} << 40}}) {
    const Wanted wanted{.dense = {"f"}, .shapes = {shape}, .defaults = {Tensor::Scalar(0.0f)}};
    EXPECT_EQ(wanted.Parse(Tensor::Vector<std::string>({""})).status().code(), Code::kInvalidArgument)
        << shape.ToString();
  }
  const Wanted huge{.dense = {"f"}, .shapes = {PartialShape{int64_t{1} << 61}}, .defaults = {NoDefault<float>()}};
  EXPECT_FALSE(huge.Parse(Tensor::Vector<std::string>({""})).ok());
}

TEST_F(ParseExampleTest, DamageIsNeverMoreThanAnError) {
  constexpr unsigned kSeed = 3;
  std::mt19937 random(kSeed);
  const std::string sound = Sample(1, {1, 300, -5}, {"some", "", std::string(200, 'w')});
  for (int i = 0; i < 20'000; ++i) {
    const std::string damaged = Damaged(sound, random);
    const Status status = All().Parse(Tensor::Vector<std::string>({damaged, sound})).status();
    ASSERT_TRUE(status.ok() || status.code() == Code::kInvalidArgument)
        << "seed " << kSeed << ", try " << i << ": " << status.ToString();
  }
}

}  // namespace
}  // namespace headrace
