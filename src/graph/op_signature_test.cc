#include "graph/op_signature.h"

#include <fstream>

#include "gmock/gmock.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpSignature Parsed(std::string_view text) {
  Result<OpSignature> signature = OpSignature::Parse(text);
  EXPECT_TRUE(signature.ok()) << signature.status().ToString();
  return signature.ok() ? *signature : OpSignature();
}

TEST(OpSignatureTest, EveryGoldenLineSurvivesParsingAndWriting) {
  std::ifstream golden("tests/golden/op_definitions.txt");
  int lines = 0;
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("#")) continue;
    ++lines;
    EXPECT_EQ(Parsed(line).ToString(), line);
  }
  EXPECT_GT(lines, 1900);
}

TEST(OpSignatureTest, ReadsArgumentsOfEveryForm) {
  const OpSignature op =
      Parsed("X(a: f32, b: T, c: N * T, d: list(L), e: Ref(T)) -> () | T: type | N: int >= 2 | L: list(type)");
  ASSERT_EQ(op.inputs.size(), 5u);
  EXPECT_EQ(op.inputs[0].type, DType::kFloat);
  EXPECT_EQ(op.inputs[1].type_attr, "T");
  EXPECT_EQ(op.inputs[2].number_attr, "N");
  EXPECT_EQ(op.inputs[3].type_list_attr, "L");
  EXPECT_TRUE(op.inputs[4].is_ref);
  EXPECT_EQ(op.FindAttr("N")->minimum, 2);
  EXPECT_EQ(op.FindAttr("missing"), nullptr);
}

TEST(OpSignatureTest, SaysWhereAFaultIs) {
  for (const char* text : {"", "X", "X(a) -> ()", "X() -> () | a: number", "X() -> () | a: int = x", "X() -> () extra",
                           "X() -> () | a: int in {1}", "X() -> () | a: string = 'open", "X(a: list(T) -> ()"}) {
    const Result<OpSignature> parsed = OpSignature::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.status().message(), HasSubstr("at character")) << text;
  }
}

TEST(OpSignatureTest, ArgumentsExpandUnderTheAttributes) {
  const OpSignature op = Parsed("X(a: N * T, b: list(L), c: Ref(f32)) -> () | N: int | T: type | L: list(type)");
  const AttrMap attrs = {{"N", 2}, {"T", DType::kInt32}, {"L", std::vector<DType>{DType::kString, DType::kBool}}};
  const auto types = ArgTypes(op.inputs, attrs);
  ASSERT_TRUE(types.ok());
  EXPECT_THAT(*types, ElementsAre(DType::kInt32, DType::kInt32, DType::kString, DType::kBool, MakeRef(DType::kFloat)));
  EXPECT_THAT(*ArgOffsets(op.inputs, attrs), ElementsAre(0, 2, 4, 5));
}

TEST(OpSignatureTest, RepetitionsFromOutsideAreBounded) {
  const OpSignature op = Parsed("X(a: N * f32) -> () | N: int");
  for (const int64_t count : {int64_t{-1}, int64_t{1} << 21, int64_t{1} << 62}) {
    EXPECT_EQ(ArgTypes(op.inputs, {{"N", count}}).status().code(), Code::kInvalidArgument) << count;
  }
  EXPECT_EQ(ArgTypes(op.inputs, {}).status().code(), Code::kInvalidArgument);
}

TEST(CompleteAttrsTest, AddsDefaultsAndKeepsWhatIsGiven) {
  const OpSignature op = Parsed("X() -> () | a: int = 3 | b: string = 'x' in {'x','y'} | T: type = f32 in {f32,f64}");
  AttrMap attrs = {{"b", "y"}, {"_class", std::vector<std::string>{"loc:@v"}}};
  ASSERT_TRUE(CompleteAttrs(op, &attrs).ok());
  EXPECT_EQ(attrs.at("a"), AttrValue(3));
  EXPECT_EQ(attrs.at("b"), AttrValue("y"));
  EXPECT_EQ(attrs.at("T"), AttrValue(DType::kFloat));
  EXPECT_EQ(attrs.size(), 4u);
}

TEST(CompleteAttrsTest, RefusesWhatTheSignatureForbids) {
  const OpSignature op = Parsed(
      "X() -> () | n: int = 1 >= 1 | s: string = 'x' in {'x','y'} | T: type = f32 in {f32,f64} | L: list(type) = [f32] "
      ">= 1");
  const std::vector<std::pair<AttrMap, std::string>> cases = {
      {{{"n", 0}}, "'n' must be at least 1, is 0"},
      {{{"n", "text"}}, "'n' must be of kind int, is string 'text'"},
      {{{"s", "z"}}, "'s' is 'z', which is not in {'x','y'}"},
      {{{"T", DType::kString}}, "'T' is str, which is not in {f32,f64}"},
      {{{"T", DType(77)}}, "not a dtype"},
      {{{"L", std::vector<DType>{}}}, "'L' must be a list of length at least 1, is []"},
      {{{"unknown", 1}}, "X has no attribute 'unknown'"},
  };
  for (const auto& [given, text] : cases) {
    AttrMap attrs = given;
    const Status status = CompleteAttrs(op, &attrs);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(text));
  }
  AttrMap none;
  EXPECT_THAT(CompleteAttrs(Parsed("X() -> () | a: int"), &none).message(), HasSubstr("'a' (int) of X is missing"));
}

}  // namespace
}  // namespace headrace
