#include <gtest/gtest.h>

#include "kernel/evaluate.h"
#include "ops/kernel_testing.h"
#include "ops/register.h"

namespace headrace {
namespace {

class StateTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { RegisterStateOps(OpRegistry::Global()); }

  Tensor Handle(const std::string& name, DType dtype = DType::kFloat, const PartialShape& shape = {}) {
    return (
        *EvaluateOp("VarHandleOp", {}, {{"shared_name", name}, {"dtype", dtype}, {"shape", shape}}, &resources_))[0];
  }
  Status Run(const std::string& op, std::vector<Tensor> inputs) {
    return EvaluateOp(op, std::move(inputs), {{"dtype", DType::kFloat}}, &resources_).status();
  }
  std::shared_ptr<Variable> Find(const std::string& name) { return *resources_.Lookup<Variable>("", name); }
  const void* Data(const std::string& name) { return Find(name)->value_locked().raw(); }

  ResourceManager resources_;
};

std::vector<float> Values(const Tensor& tensor) { return {tensor.data<float>().begin(), tensor.data<float>().end()}; }

Tensor Floats(std::initializer_list<float> values) { return Tensor::Vector<float>(values); }

TEST_F(StateTest, AnAssignedValueIsNotCopied) {
  Tensor value = Floats({1, 2});
  const void* data = value.raw();
  ASSERT_TRUE(Run("AssignVariableOp", {Handle("v"), std::move(value)}).ok());
  EXPECT_EQ(Data("v"), data);
  const Tensor read = (*EvaluateOp("ReadVariableOp", {Handle("v")}, {{"dtype", DType::kFloat}}, &resources_))[0];
  EXPECT_EQ(read.raw(), data);
}

TEST_F(StateTest, AnUpdateIsInPlaceUnlessTheOldValueIsStillRead) {
  ASSERT_TRUE(Run("AssignVariableOp", {Handle("v"), Floats({1, 2})}).ok());
  const void* data = Data("v");
  ASSERT_TRUE(Run("AssignAddVariableOp", {Handle("v"), Floats({1, 1})}).ok());
  EXPECT_EQ(Data("v"), data);
  const Tensor snapshot = Find("v")->Read();
  ASSERT_TRUE(Run("AssignSubVariableOp", {Handle("v"), Floats({5, 5})}).ok());
  EXPECT_NE(Data("v"), data);
  EXPECT_EQ(Values(snapshot), (std::vector<float>{2, 3}));
  EXPECT_EQ(Values(Find("v")->Read()), (std::vector<float>{-3, -2}));
}

TEST_F(StateTest, AGatherDoesNotKeepTheNextScatterFromWorkingInPlace) {
  ASSERT_TRUE(Run("AssignVariableOp", {Handle("v"), Floats({1, 2, 3})}).ok());
  const void* data = Data("v");
  const Tensor index = Tensor::Vector<int32_t>({2});
  const Tensor gathered =
      (*EvaluateOp("ResourceGather", {Handle("v"), index}, {{"dtype", DType::kFloat}}, &resources_))[0];
  ASSERT_TRUE(Run("ResourceScatterAdd", {Handle("v"), index, Floats({1})}).ok());
  EXPECT_EQ(Data("v"), data);
  EXPECT_EQ(Values(gathered), (std::vector<float>{3}));
  EXPECT_EQ(Values(Find("v")->Read()), (std::vector<float>{1, 2, 4}));
}

TEST_F(StateTest, AFailedScatterChangesNothing) {
  ASSERT_TRUE(Run("AssignVariableOp", {Handle("v"), Floats({1, 2, 3})}).ok());
  const Status status = Run("ResourceScatterAdd", {Handle("v"), Tensor::Vector<int64_t>({0, 3}), Floats({1, 1})});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(Values(Find("v")->Read()), (std::vector<float>{1, 2, 3}));
}

TEST_F(StateTest, AHandleCarriesTheDeclaredTypeAndShape) {
  const ResourceHandle handle = Handle("v", DType::kInt64, PartialShape({3, -1})).scalar<ResourceHandle>();
  EXPECT_EQ(handle.container, "localhost");
  ASSERT_EQ(handle.dtypes_and_shapes.size(), 1u);
  EXPECT_EQ(handle.dtypes_and_shapes[0].type, DType::kInt64);
  EXPECT_EQ(handle.dtypes_and_shapes[0].shape, PartialShape({3, -1}));
}

TEST_F(StateTest, AVariableOnARefEdgeIsFoundByNodeNameAndStartsWithoutValue) {
  KeptKernel kernel("VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape({2})}}, &resources_);
  const std::shared_ptr<Variable> variable = (*kernel.Run())[0].variable;
  ASSERT_NE(variable, nullptr);
  EXPECT_EQ(variable, Find("VariableV2"));
  EXPECT_EQ(variable, (*kernel.Run())[0].variable);
  KeptKernel initialized("IsVariableInitialized", {{.variable = variable}});
  EXPECT_FALSE(initialized.RunTensor()->scalar<bool>());
}

TEST_F(StateTest, RefOpsChangeTheVariableInPlaceAndHandItOn) {
  const auto variable = std::make_shared<Variable>(DType::kFloat, PartialShape({2}));
  KeptKernel assign("Assign", {{.variable = variable}, {Floats({1, 2})}});
  EXPECT_EQ((*assign.Run())[0].variable, variable);
  KeptKernel add("AssignAdd", {{.variable = variable}, {Floats({10, 10})}});
  ASSERT_TRUE(add.Run().ok());  // copies: the test still holds the assigned value
  const void* data = variable->value_locked().raw();
  ASSERT_TRUE(add.Run().ok());
  EXPECT_EQ(variable->value_locked().raw(), data);
  KeptKernel scatter("ScatterSub", {{.variable = variable}, {Tensor::Vector<int32_t>({1, 1})}, {Floats({1, 2})}});
  EXPECT_EQ((*scatter.Run())[0].variable, variable);
  EXPECT_EQ(variable->value_locked().raw(), data);
  EXPECT_EQ(Values(variable->Read()), (std::vector<float>{21, 19}));
}

TEST_F(StateTest, RefOpsSayWhatDoesNotFit) {
  const auto variable = std::make_shared<Variable>(DType::kFloat, PartialShape({2}));
  EXPECT_EQ(KeptKernel("AssignAdd", {{.variable = variable}, {Floats({1, 2})}}).Run().status().code(),
            Code::kFailedPrecondition);
  const Status status = KeptKernel("Assign", {{.variable = variable}, {Floats({1})}}).Run().status();
  EXPECT_EQ(status.message(), "Assign requires shapes of both tensors to match. lhs shape= [2] rhs shape= [1]");
  ASSERT_TRUE(KeptKernel("Assign", {{.variable = variable}, {Floats({1, 2})}}).Run().ok());
  EXPECT_EQ(KeptKernel("AssignAdd", {{.variable = variable}, {Floats({1})}}).Run().status().code(),
            Code::kInvalidArgument);
  ASSERT_TRUE(KeptKernel("Assign", {{.variable = variable}, {Floats({1})}}, {{"validate_shape", false}}).Run().ok());
  EXPECT_EQ(Values(variable->Read()), (std::vector<float>{1}));
}

}  // namespace
}  // namespace headrace
