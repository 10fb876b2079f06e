#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "kernel/evaluate.h"
#include "ops/register.h"

namespace headrace {
namespace {

// An op's kernel, kept over calls as a session keeps it.
class KeptKernel {
 public:
  KeptKernel(const std::string& op, std::vector<Tensor> inputs, AttrMap attrs) : inputs_(std::move(inputs)) {
    static const bool registered = [] {
      RegisterRandomOps(OpRegistry::Global());
      return true;
    }();
    EXPECT_TRUE(registered);
    static const auto* arg = new OpDefinition("_Arg() -> (output: T) | T: type | index: int >= 0 | stateful");
    NodeSpec spec{.name = "op", .definition = OpRegistry::Global().Find(op), .attrs = std::move(attrs)};
    for (const Tensor& input : inputs_) {
      NodeSpec source{.name = graph_.UniqueName("in"), .definition = arg, .attrs = {{"T", input.dtype()}, {"index", 0}}};
      spec.inputs.push_back({*graph_.AddNode(std::move(source)), 0});
    }
    Result<Node*> node = graph_.AddNode(std::move(spec));
    EXPECT_TRUE(node.ok()) << node.status().ToString();
    node_ = *node;
    KernelConstruction construction(*node_, "", runtime_.get(), &resources_, nullptr);
    kernel_ = *(*node_->definition().FindKernel(kCpu, node_->attrs()))->factory(construction);
  }

  Result<Tensor> Run() {
    std::vector<InputValue> values, outputs(1);
    for (const Tensor& input : inputs_) values.push_back({input, nullptr});
    StepContext step{.runtime = runtime_.get(), .resources = &resources_};
    KernelContext context(&step, node_, values, outputs);
    HR_RETURN_IF_ERROR(kernel_->Compute(context));
    return outputs[0].tensor;
  }

 private:
  std::shared_ptr<Runtime> runtime_ = Runtime::Default();
  ResourceManager resources_;
  Graph graph_;
  std::vector<Tensor> inputs_;
  Node* node_ = nullptr;
  std::unique_ptr<Kernel> kernel_;
};

struct GoldenLine {
  std::string op, dtype, shape, hash, head;
  int64_t seed, seed2, call, size;
};

std::vector<GoldenLine> ReadGolden() {
  std::ifstream file("tests/golden/random.txt");
  std::vector<GoldenLine> lines;
  std::string text;
  while (std::getline(file, text)) {
    std::istringstream words(text);
    GoldenLine line;
    words >> line.op >> line.dtype >> line.seed >> line.seed2 >> line.shape >> line.call >> line.size >> line.hash >> line.head;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<int64_t> Dims(const std::string& text) {
  std::vector<int64_t> dims;
  for (const std::string& piece : StrSplit(text.substr(1, text.size() - 2), ',')) dims.push_back(std::stoll(piece));
  return dims;
}

std::string Hash(std::string_view bytes) {
  uint64_t value = 0xcbf29ce484222325;
  for (char byte : bytes) value = (value ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return Hex16(value);
}

KeptKernel MakeKernel(const GoldenLine& line) {
  const DType dtype = ParseDType(line.dtype);
  const std::vector<int64_t> dims = Dims(line.shape);
  AttrMap attrs = {{"seed", line.seed}, {"seed2", line.seed2}};
  if (line.op == "RandomShuffle") {
    Result<Tensor> value = Tensor::Allocate(dtype, Shape(dims));
    for (int32_t i = 0; i < value->num_elements(); ++i) value->mutable_data<int32_t>()[static_cast<size_t>(i)] = i;
    attrs["T"] = dtype;
    return KeptKernel(line.op, {*value}, std::move(attrs));
  }
  attrs["T"] = DType::kInt64;
  std::vector<Tensor> inputs = {Tensor::Vector(dims)};
  if (line.op == "RandomUniformInt") {
    attrs["Tout"] = dtype;
    for (int64_t bound : {-7, 1000003}) {
      inputs.push_back(dtype == DType::kInt32 ? Tensor::Scalar(static_cast<int32_t>(bound)) : Tensor::Scalar(bound));
    }
  } else {
    attrs["dtype"] = dtype;
  }
  return KeptKernel(line.op, std::move(inputs), std::move(attrs));
}

TEST(RandomTest, SeededStreamsAreTensorFlowsBitForBit) {
  const std::vector<GoldenLine> lines = ReadGolden();
  ASSERT_GT(lines.size(), 300u);
  for (size_t i = 0; i < lines.size();) {
    KeptKernel kernel = MakeKernel(lines[i]);
    do {
      Result<Tensor> output = kernel.Run();
      ASSERT_TRUE(output.ok()) << output.status().ToString();
      const GoldenLine& line = lines[i];
      EXPECT_EQ(output->size_bytes(), line.size);
      std::string head;
      for (char byte : output->bytes().substr(0, 64)) head += Hex16(static_cast<uint8_t>(byte)).substr(14);
      EXPECT_EQ(head, line.head) << line.op << " " << line.dtype << " " << line.seed << " " << line.shape << " " << line.call;
      EXPECT_EQ(Hash(output->bytes()), line.hash) << line.op << " " << line.dtype << " " << line.shape << " " << line.call;
    } while (++i < lines.size() && lines[i].call > 0);
  }
}

TEST(RandomTest, WithoutSeedsTwoKernelsDiffer) {
  KeptKernel a("RandomUniform", {Tensor::Vector<int32_t>({4})}, {{"dtype", DType::kDouble}, {"T", DType::kInt32}});
  KeptKernel b("RandomUniform", {Tensor::Vector<int32_t>({4})}, {{"dtype", DType::kDouble}, {"T", DType::kInt32}});
  EXPECT_NE(a.Run()->bytes(), b.Run()->bytes());
}

TEST(RandomTest, ALargeOutputIsTheSameForAnyNumberOfThreads) {
  const AttrMap attrs = {{"dtype", DType::kFloat}, {"T", DType::kInt32}, {"seed", 3}, {"seed2", 4}};
  for (const char* op : {"RandomUniform", "RandomStandardNormal", "TruncatedNormal"}) {
    KeptKernel large(op, {Tensor::Vector<int32_t>({300001})}, attrs), small(op, {Tensor::Vector<int32_t>({5})}, attrs);
    const Tensor all = *large.Run(), first = *small.Run();
    EXPECT_EQ(all.bytes().substr(0, 20), first.bytes()) << op;
    const auto values = all.data<float>();
    EXPECT_GT((std::set<float>(values.begin(), values.end()).size()), 200000u) << op;
  }
}

TEST(RandomTest, AShapeOverTheBudgetIsRefused) {
  KeptKernel kernel("RandomUniform", {Tensor::Vector<int64_t>({int64_t{1} << 50})}, {{"dtype", DType::kFloat}, {"T", DType::kInt64}});
  const Result<Tensor> output = kernel.Run();
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.status().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace headrace
