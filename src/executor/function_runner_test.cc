#include "executor/function_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor_testing.h"
#include "graph/node_def.h"
#include "ops/register.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

FunctionDef TwoArguments(const std::string& name, std::vector<NodeDef> nodes, const std::string& returned) {
  FunctionDef function;
  function.signature = *OpSignature::Parse(name + "(a: f32, b: f32) -> (c: f32)");
  function.nodes = std::move(nodes);
  function.returns = {{"c", returned}};
  return function;
}

std::shared_ptr<FunctionRunner> MakeRunner(std::vector<FunctionDef> functions) {
  RegisterAllOps();
  FunctionRunnerOptions options;
  for (FunctionDef& function : functions) EXPECT_TRUE(options.library.Add(std::move(function)).ok());
  options.device = kTestDevice;
  options.runtime = Runtime::Default();
  options.resources = std::make_shared<ResourceManager>();
  return MakeFunctionRunner(std::move(options));
}

NodeDef AddNode(const std::string& name, const std::string& a, const std::string& b) {
  return {.name = name, .op = "AddV2", .inputs = {a, b}, .attrs = {{"T", DType::kFloat}}};
}

TEST(FunctionRunner, RunsAFunctionOfTheLibrary) {
  const auto runner = MakeRunner({TwoArguments("F", {AddNode("s", "a", "b"), AddNode("t", "s:z:0", "a")}, "t:z:0")});
  const auto function = runner->Compile({"F", nullptr});
  ASSERT_TRUE(function.ok()) << function.status().ToString();
  EXPECT_TRUE((*function)->stateless());
  EXPECT_EQ((*function)->arg_types().size(), 2u);
  EXPECT_EQ((*function)->result_types(), std::vector<DType>{DType::kFloat});
  for (int i = 0; i < 3; ++i) {
    const auto results = (*function)->RunAndWait({Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)}, nullptr);
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    EXPECT_EQ((*results)[0].scalar<float>(), 4);
  }
  EXPECT_EQ(*runner->Compile({"F", nullptr}), *function);
}

TEST(FunctionRunner, AnArgumentMayBeReturnedAsItIs) {
  const auto runner = MakeRunner({TwoArguments("Second", {}, "b")});
  const auto function = runner->Compile({"Second", nullptr});
  ASSERT_TRUE(function.ok()) << function.status().ToString();
  const auto results = (*function)->RunAndWait({Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)}, nullptr);
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<float>(), 2);
}

TEST(FunctionRunner, ArgumentsThatDoNotFitAreRefused) {
  const auto runner = MakeRunner({TwoArguments("F", {AddNode("s", "a", "b")}, "s:z:0")});
  const auto function = runner->Compile({"F", nullptr});
  ASSERT_TRUE(function.ok()) << function.status().ToString();
  EXPECT_EQ((*function)->RunAndWait({Tensor::Scalar(1.0f)}, nullptr).status().code(), Code::kInvalidArgument);
  EXPECT_EQ((*function)->RunAndWait({Tensor::Scalar(1.0f), Tensor::Scalar(1)}, nullptr).status().code(),
            Code::kInvalidArgument);
}

TEST(FunctionRunner, UnknownFunctionsAreNotFound) {
  EXPECT_EQ(MakeRunner({})->Compile({"G", nullptr}).status().code(), Code::kNotFound);
}

TEST(FunctionRunner, ErrorsNameTheNodeInTheFunction) {
  const auto runner = MakeRunner({TwoArguments("F", {AddNode("inner", "a", "b")}, "inner:z:0")});
  const auto function = runner->Compile({"F", nullptr});
  ASSERT_TRUE(function.ok()) << function.status().ToString();
  const auto results =
      (*function)->RunAndWait({Tensor::Vector<float>({1, 2}), Tensor::Vector<float>({1, 2, 3})}, nullptr);
  EXPECT_THAT(results.status().message(), HasSubstr("{{node inner}}"));
}

TEST(FunctionRunner, ACancelledCallEnds) {
  const auto runner = MakeRunner({TwoArguments("F", {AddNode("s", "a", "b")}, "s:z:0")});
  const auto function = runner->Compile({"F", nullptr});
  ASSERT_TRUE(function.ok()) << function.status().ToString();
  CancellationToken token;
  token.Cancel(Cancelled("enough"));
  const auto results = (*function)->RunAndWait({Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)}, &token);
  EXPECT_EQ(results.status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace headrace
