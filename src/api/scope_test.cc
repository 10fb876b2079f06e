// Tests of scopes, outputs, operators and mistakes: scope.h, output.h, math.h, array.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/headrace.h"

namespace headrace::api {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ScopeTest, NamesAreTensorFlowsAndUnique) {
  const Scope root = Scope::NewRoot();
  const Output a = Constant(root.WithName("a"), 1.0f);
  const Output sum = a + a;
  EXPECT_EQ(a.name(), "a:0");
  EXPECT_EQ(sum.name(), "AddV2:0") << "the name of an operand does not go on";
  EXPECT_EQ((sum + a).name(), "AddV2_1:0");
  const Scope inner = root.SubScope("tower").SubScope("dense");
  EXPECT_EQ(MatMul(Placeholder(inner, DType::kFloat, {2, 2}), Placeholder(inner, DType::kFloat, {2, 2})).name(),
            "tower/dense/MatMul:0");
  EXPECT_EQ(Square(a.In(root.WithName("squared"))).name(), "squared:0");
  EXPECT_EQ(ReduceMean(a.In(root.WithName("loss"))).name(), "loss:0") << "also where several nodes are made";
  EXPECT_EQ(ReduceMean(a).name(), "Mean:0");
  EXPECT_TRUE(root.status().ok()) << root.status().ToString();
}

TEST(ScopeTest, AMistakeSaysWhereTheCallStands) {
  const Scope root = Scope::NewRoot();
  const Output a = Placeholder(root, DType::kFloat, {2, 3});
  const int line = __LINE__ + 1;
  const Output bad = MatMul(a, a);
  EXPECT_FALSE(bad.valid());
  const Output after = ReduceMean(bad + 1.0);  // goes on quietly
  EXPECT_FALSE(after.valid());
  EXPECT_EQ(root.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(root.status().message(), HasSubstr(StrCat("scope_test.cc:", line))) << root.status().ToString();
  const Result<Session> session = Session::Open("", root);
  EXPECT_EQ(session.status().ToString(), root.status().ToString());
}

TEST(ScopeTest, OperatorsSayWhereTheyStandToo) {
  const Scope root = Scope::NewRoot();
  const Output a = Placeholder(root, DType::kFloat, {2}), b = Placeholder(root, DType::kFloat, {3});
  const int line = __LINE__ + 1;
  const Output bad = a + b;
  EXPECT_FALSE(bad.valid());
  EXPECT_THAT(root.status().message(), HasSubstr(StrCat("scope_test.cc:", line)));
}

TEST(ScopeTest, GraphsDoNotMix) {
  const Output a = Constant(Scope::NewRoot(), 1.0f);
  const Scope other = Scope::NewRoot();
  const Output b = Constant(other, 1.0f);
  EXPECT_FALSE((b + a).valid());
  EXPECT_THAT(other.status().message(), HasSubstr("belongs to another graph"));
}

TEST(ScopeTest, NumbersTakeTheTypeOfTheOtherOperand) {
  const Scope root = Scope::NewRoot();
  EXPECT_EQ((Placeholder(root, DType::kDouble) * 2).dtype(), DType::kDouble);
  EXPECT_EQ((1 - Placeholder(root, DType::kInt64)).dtype(), DType::kInt64);
  EXPECT_EQ(Where(Placeholder(root, DType::kBool), 0, Placeholder(root, DType::kDouble)).dtype(), DType::kDouble);
  EXPECT_TRUE(root.status().ok()) << root.status().ToString();
}

TEST(ScopeTest, ShapesAreKnownWhileBuilding) {
  const Scope root = Scope::NewRoot();
  const Output x = Placeholder(root, DType::kFloat, {-1, 3});
  EXPECT_EQ(MatMul(x, Placeholder(root, DType::kFloat, {3, 5})).shape(), PartialShape({-1, 5}));
  EXPECT_EQ(ReduceSum(x, {{0}}).shape(), PartialShape({3}));
  EXPECT_EQ(ReduceSum(x, {{-1}}, {.keep_dims = true}).shape(), PartialShape({-1, 1}));
  EXPECT_EQ(ReduceMean(x).shape(), PartialShape::Scalar());
  EXPECT_EQ(Concat({x, x}, 1).shape(), PartialShape({-1, 6}));
  EXPECT_EQ(Reshape(x, {-1, 1}).shape(), PartialShape({-1, 1}));
  EXPECT_TRUE(root.status().ok()) << root.status().ToString();
}

TEST(ScopeTest, AScopeWithoutGraphIsAMistakeAtOpen) {
  EXPECT_EQ(Session::Open("", Scope()).status().code(), Code::kFailedPrecondition);
}

TEST(ScopeTest, VariablesGoWhereTheSetterSays) {
  const Result<ClusterSpec> cluster = ClusterSpec::FromJobs({{"ps", {"a:1", "a:2"}}, {"worker", {"a:3"}}});
  ASSERT_TRUE(cluster.ok());
  const Scope root = Scope::NewRoot().WithDevice(ReplicaDeviceSetter(*cluster));
  const Variable v(root.WithName("v"), Zeros({2, 2})), w(root.WithName("w"), Zeros({2, 2}));
  const Output y = MatMul(v, w);
  EXPECT_EQ(v.name(), "v");
  EXPECT_EQ(v.Value().name(), "v/Read/ReadVariableOp:0");
  EXPECT_TRUE(root.status().ok()) << root.status().ToString();
  EXPECT_TRUE(y.valid());
}

}  // namespace
}  // namespace headrace::api
