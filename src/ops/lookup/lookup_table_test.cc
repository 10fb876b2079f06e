// What the cases cannot show: many keys, in every order of adding and taking away.
#include "ops/lookup/lookup_table.h"

#include <map>
#include <random>

#include "gtest/gtest.h"

namespace headrace {
namespace {

TEST(KeyRowsTest, FindsWhatAMapFindsAfterManyInsertsAndRemovals) {
  KeyRows<int64_t> rows;
  std::map<int64_t, int> expected;
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto key = static_cast<int64_t>(random() % 500) * 1024;  // few keys, and hashes that meet
    if (random() % 3 == 0) {
      EXPECT_EQ(rows.Remove(key) >= 0, expected.erase(key) == 1) << i;
    } else {
      const int64_t row = rows.Insert(key);
      ASSERT_EQ(rows.keys()[static_cast<size_t>(row)], key) << i;
      expected[key] = 1;
    }
    ASSERT_EQ(rows.size(), static_cast<int64_t>(expected.size())) << i;
  }
  for (int64_t key = 0; key < 500 * 1024; key += 1024) {
    const int64_t row = rows.Find(key);
    ASSERT_EQ(row >= 0, expected.contains(key)) << key;
    if (row < 0) continue;
    EXPECT_EQ(rows.keys()[static_cast<size_t>(row)], key);
  }
}

TEST(KeyRowsTest, NumbersAreDenseAndTheLastKeyTakesOverARemovedOnes) {
  KeyRows<std::string> rows;
  for (const char* key : {"a", "b", "c", "d"}) rows.Insert(key);
  EXPECT_EQ(rows.Remove("b"), 1);
  EXPECT_EQ(rows.Find("d"), 1);
  EXPECT_EQ(rows.Find("b"), -1);
  EXPECT_EQ(rows.Remove("d"), 1);
  EXPECT_EQ(rows.Find("c"), 1);
  EXPECT_EQ(rows.size(), 2);
  rows.Clear();
  EXPECT_EQ(rows.Find("a"), -1);
}

TEST(LookupTableTest, ValuesFollowTheirKeysThroughGrowthAndRemoval) {
  const Result<std::shared_ptr<LookupTable>> table =
      LookupTable::Make({.key_dtype = DType::kInt32, .value_dtype = DType::kString, .value_shape = Shape({2})});
  ASSERT_TRUE(table.ok());
  for (int32_t i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_TRUE(
        (*table)
            ->Insert(Tensor::Vector<int32_t>({i}), Tensor::FromValues<std::string>({text, text + "!"}, Shape({1, 2})))
            .ok());
  }
  for (int32_t i = 0; i < 100; i += 3) ASSERT_TRUE((*table)->Remove(Tensor::Scalar<int32_t>(i)).ok());
  EXPECT_EQ((*table)->size(), 66);
  const Tensor fallback = Tensor::Vector<std::string>({"none", "none!"});
  for (int32_t i = 0; i < 100; ++i) {
    Result<Tensor> found = Tensor::Allocate(DType::kString, Shape({2}));
    ASSERT_TRUE((*table)->Find(Tensor::Scalar<int32_t>(i), fallback, &*found).ok());
    const std::string text = i % 3 == 0 ? "none" : std::to_string(i);
    EXPECT_EQ(found->data<std::string>()[0], text) << i;
    EXPECT_EQ(found->data<std::string>()[1], text + "!") << i;
  }
}

TEST(LookupTableTest, KeysOfOtherTypesAreRefused) {
  EXPECT_EQ(LookupTable::Make({.key_dtype = DType::kFloat, .value_dtype = DType::kInt64}).status().code(),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace headrace
