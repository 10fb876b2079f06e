#include "graph/attr_value.h"

#include <limits>

#include "gmock/gmock.h"
#include "graph/attr_text.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

TEST(AttrValueTest, TextIsShortAndTyped) {
  EXPECT_EQ(AttrValue(3).ToString(), "3");
  EXPECT_EQ(AttrValue(true).ToString(), "true");
  EXPECT_EQ(AttrValue("it's").ToString(), "'it\\'s'");
  EXPECT_EQ(AttrValue(DType::kInt64).ToString(), "i64");
  EXPECT_EQ(AttrValue(PartialShape({1, -1})).ToString(), "[1,?]");
  EXPECT_EQ(AttrValue(std::vector<bool>{true, false}).ToString(), "[true,false]");
  EXPECT_EQ(AttrValue(FunctionRef{"f", std::make_shared<AttrMap>(AttrMap{{"T", DType::kFloat}})}).ToString(),
            "func:f{T=f32}");
  EXPECT_EQ(AttrValue(AttrPlaceholder{"T"}).KindName(), "placeholder");
  EXPECT_EQ(AttrValue(std::vector<DType>{}).KindName(), "list(type)");
}

TEST(AttrValueTest, FloatsAreWrittenExactly) {
  EXPECT_EQ(FloatText(1.0f), "1.0");
  EXPECT_EQ(FloatText(0.0f), "0.0");
  EXPECT_EQ(FloatText(4000.0f), "4000.0");
  EXPECT_EQ(FloatText(1e-4f), "9.999999747378752e-05");
  EXPECT_EQ(FloatText(-std::numeric_limits<float>::infinity()), "-inf");
}

TEST(AttrValueTest, EqualityComparesContents) {
  EXPECT_EQ(AttrValue(Tensor::Vector<float>({1, 2})), AttrValue(Tensor::Vector<float>({1, 2})));
  EXPECT_FALSE(AttrValue(Tensor::Vector<float>({1, 2})) == AttrValue(Tensor::Vector<float>({1, 3})));
  EXPECT_EQ(AttrValue(Tensor::Scalar("a")), AttrValue(Tensor::Scalar("a")));
  EXPECT_FALSE(AttrValue(1) == AttrValue(1.0f));
  EXPECT_EQ(AttrValue(FunctionRef{"f", nullptr}), AttrValue(FunctionRef{"f", std::make_shared<AttrMap>()}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(AttrValue(nan), AttrValue(nan));
}

TEST(GetAttrTest, NamesTheAttributeThatIsMissingOrOfAnotherKind) {
  const AttrMap attrs = {{"n", int64_t{1} << 40}, {"s", "x"}};
  int64_t value = 0;
  EXPECT_TRUE(GetAttr(attrs, "n", &value).ok());
  EXPECT_THAT(GetAttr(attrs, "m", &value).message(), HasSubstr("'m' is missing"));
  EXPECT_THAT(GetAttr(attrs, "s", &value).message(), HasSubstr("'s' is of another kind than expected: string 'x'"));
  int narrow = 0;
  EXPECT_THAT(GetAttr(attrs, "n", &narrow).message(), HasSubstr("does not fit in 32 bits"));
}

}  // namespace
}  // namespace headrace
