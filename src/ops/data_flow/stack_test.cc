#include "executor/executor_testing.h"
#include "gtest/gtest.h"
#include "kernel/owned_resource.h"
#include "ops/register.h"

namespace headrace {
namespace {

const OpDefinition& Definition(std::string_view op) {
  RegisterAllOps();
  return **OpRegistry::Global().Lookup(op);
}

/// Pushes what it is fed, twice; results are what is popped, the last first.
void AddPushesAndPops(TestGraph* g, Endpoint stack, const std::string& version) {
  const OpDefinition& push = Definition("StackPush" + version);
  const OpDefinition& pop = Definition("StackPop" + version);
  const Endpoint first = g->Op(push, {stack, g->Arg(DType::kFloat, 0)}, {{"T", DType::kFloat}});
  const Endpoint second = g->Op(push, {stack, g->Arg(DType::kFloat, 1)}, {{"T", DType::kFloat}}, {first.node});
  const Endpoint last = g->Op(pop, {stack}, {{"elem_type", DType::kFloat}}, {second.node});
  g->Retval(last, 0);
  g->Retval(g->Op(pop, {stack}, {{"elem_type", DType::kFloat}}, {last.node}), 1);
}

void ExpectLastInFirstOut(TestGraph* g) {
  const auto plan = g->Compile();
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  for (int step = 0; step < 3; ++step) {  // each step has its own stack
    const auto results = RunStep(**plan, {Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)});
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    EXPECT_EQ((*results)[0].scalar<float>(), 2);
    EXPECT_EQ((*results)[1].scalar<float>(), 1);
  }
}

TEST(Stack, BehindAHandleIsLastInFirstOut) {
  TestGraph g;
  const Endpoint size = g.Const(Tensor::Scalar<int32_t>(2));
  AddPushesAndPops(&g, g.Op(Definition("StackV2"), {size}, {{"elem_type", DType::kFloat}}), "V2");
  ExpectLastInFirstOut(&g);
}

TEST(Stack, BehindARefIsLastInFirstOut) {
  TestGraph g;
  AddPushesAndPops(&g, g.Op(Definition("Stack"), {}, {{"elem_type", DType::kFloat}}), "");
  ExpectLastInFirstOut(&g);
}

class Counted final : public Resource {
 public:
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  ~Counted() override { --*alive_; }
  std::string DebugString() const override { return "Counted"; }

 private:
  int* alive_;
};

TEST(OwnedResource, LivesAsLongAsATensorHoldsItsHandle) {
  int alive = 0;
  Tensor handle = MakeOwningHandle(ResourceHandle(), std::make_shared<Counted>(&alive));
  Tensor copy = handle;
  handle = Tensor();
  EXPECT_EQ(alive, 1);
  EXPECT_TRUE(LookupOwned<Counted>(copy, "test").ok());
  copy = Tensor();
  EXPECT_EQ(alive, 0);
}

TEST(OwnedResource, AnotherTensorOwnsNothing) {
  EXPECT_EQ(OwnedResource(Tensor::Scalar(1.0f)), nullptr);
  EXPECT_EQ(LookupOwned<Counted>(Tensor::Scalar(1.0f), "test").status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace headrace
