#include "kernel/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/evaluate.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

constexpr char kDevice[] = "/job:worker/replica:0/task:0/device:CPU:0";

/// A call of a kernel on a node with one f32 output and one input of any type.
struct Call {
  explicit Call(Tensor input) : inputs(1), outputs(1) {
    static const auto* definition = new OpDefinition("TestOne(x: T) -> (y: f32) | T: type");
    NodeSpec spec{.name = "one", .definition = definition, .attrs = {{"T", input.dtype()}}};
    static const auto* source = new OpDefinition("TestSource() -> (x: T) | T: type");
    NodeSpec source_spec{.name = "source", .definition = source, .attrs = {{"T", input.dtype()}}};
    spec.inputs = {Endpoint{*graph.AddNode(std::move(source_spec)), 0}};
    node = *graph.AddNode(std::move(spec));
    step.device = kDevice;
    step.runtime = runtime.get();
    step.resources = &resources;
    inputs[0].tensor = std::move(input);
    context.emplace(&step, node, inputs, outputs);
  }
  std::shared_ptr<Runtime> runtime = Runtime::Default();
  ResourceManager resources;
  Graph graph;
  Node* node;
  StepContext step;
  std::vector<InputValue> inputs;
  std::vector<InputValue> outputs;
  std::optional<KernelContext> context;
};

TEST(KernelContext, ReusesTheBufferOfAnInputThatOnlyTheKernelHolds) {
  Call call(Tensor::Vector<float>({1, 2, 3}));
  const void* buffer = call.inputs[0].tensor.raw();
  const auto output = call.context->AllocateOrReuse(0, {0}, Shape({3}));
  ASSERT_TRUE(output.ok());
  EXPECT_EQ((*output)->raw(), buffer);
  EXPECT_EQ(call.context->input(0).data<float>()[2], 3);
}

TEST(KernelContext, ReusesABufferUnderAnotherTypeAndShapeOfTheSameSize) {
  Call call(Tensor::Vector<int32_t>({1, 2, 3, 4}));
  const void* buffer = call.inputs[0].tensor.raw();
  const auto output = call.context->AllocateOrReuse(0, {0}, Shape({2, 2}));
  ASSERT_TRUE(output.ok());
  EXPECT_EQ((*output)->raw(), buffer);
  EXPECT_EQ((*output)->TypeAndShape(), "f32[2,2]");
}

TEST(KernelContext, AllocatesWhenTheInputIsSharedOrDoesNotFit) {
  const Tensor shared = Tensor::Vector<float>({1, 2, 3});
  Call call(shared);
  EXPECT_NE((*call.context->AllocateOrReuse(0, {0}, Shape({3})))->raw(), shared.raw());
  Call other(Tensor::Vector<float>({1, 2, 3}));
  const void* buffer = other.inputs[0].tensor.raw();
  EXPECT_NE((*other.context->AllocateOrReuse(0, {0}, Shape({2})))->raw(), buffer);
  Call wide(Tensor::Vector<double>({1, 2, 3}));
  buffer = wide.inputs[0].tensor.raw();
  EXPECT_NE((*wide.context->AllocateOrReuse(0, {0}, Shape({3})))->raw(), buffer);
}

TEST(KernelContext, AHandleOfAnotherDeviceNamesBoth) {
  ResourceHandle handle;
  handle.device = "/job:ps/replica:0/task:0/device:CPU:0";
  handle.container = "localhost";
  handle.name = "w";
  Call call(Tensor::Scalar(handle));
  const auto found = call.context->LookupResource<Variable>(0);
  EXPECT_EQ(found.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(found.status().message(), HasSubstr("/job:ps/replica:0/task:0/device:CPU:0"));
  EXPECT_THAT(found.status().message(), HasSubstr(kDevice));
}

TEST(KernelContext, WhatIsNoHandleIsRefused) {
  Call call(Tensor::Scalar(1.0f));
  EXPECT_EQ(call.context->Handle(0).status().code(), Code::kInvalidArgument);
}

TEST(ResourceManager, FindsWhatWasCreatedOnceUnderItsName) {
  ResourceManager resources;
  int made = 0;
  const auto make = [&]() -> Result<std::shared_ptr<Variable>> {
    ++made;
    return std::make_shared<Variable>(DType::kFloat, PartialShape({2}));
  };
  const auto first = resources.LookupOrCreate<Variable>("", "v", make);
  const auto second = resources.LookupOrCreate<Variable>("localhost", "v", make);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(resources.Lookup<Variable>("other", "v").status().code(), Code::kNotFound);
  EXPECT_TRUE(resources.Delete("", "v").ok());
  EXPECT_EQ(resources.Lookup<Variable>("", "v").status().code(), Code::kNotFound);
  EXPECT_EQ(resources.Delete("", "v").code(), Code::kNotFound);
}

TEST(ResourceManager, AnotherTypeUnderTheNameIsAnError) {
  struct Other : Resource {
    std::string DebugString() const override { return "Other"; }
  };
  ResourceManager resources;
  ASSERT_TRUE(
      resources
          .LookupOrCreate<Other>("c", "x", []() -> Result<std::shared_ptr<Other>> { return std::make_shared<Other>(); })
          .ok());
  const auto found = resources.Lookup<Variable>("c", "x");
  EXPECT_EQ(found.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(found.status().message(), HasSubstr("Other"));
  resources.ClearContainer("c");
  EXPECT_EQ(resources.Lookup<Other>("c", "x").status().code(), Code::kNotFound);
}

TEST(Variable, AReaderKeepsTheValueThatItRead) {
  Variable variable(DType::kFloat, PartialShape({2}));
  EXPECT_FALSE(variable.IsInitialized());
  variable.Assign(Tensor::Vector<float>({1, 2}));
  const Tensor read = variable.Read();
  {
    std::unique_lock lock(variable.mutex());
    const auto value = variable.MutableValueLocked(nullptr);
    ASSERT_TRUE(value.ok());
    (*value)->mutable_data<float>()[0] = 10;
  }
  EXPECT_EQ(read.data<float>()[0], 1);
  EXPECT_EQ(variable.Read().data<float>()[0], 10);
}

TEST(Variable, AnUpdateThatNobodyReadsStaysInPlace) {
  Variable variable(DType::kFloat, PartialShape({2}));
  variable.Assign(Tensor::Vector<float>({1, 2}));
  const void* buffer = variable.Read().raw();
  std::unique_lock lock(variable.mutex());
  EXPECT_EQ((*variable.MutableValueLocked(nullptr))->raw(), buffer);
}

TEST(Variable, AnUninitializedValueCannotBeUpdated) {
  Variable variable(DType::kFloat, PartialShape({2}));
  std::unique_lock lock(variable.mutex());
  EXPECT_EQ(variable.MutableValueLocked(nullptr).status().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace headrace
