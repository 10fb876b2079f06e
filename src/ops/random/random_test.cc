#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ops/kernel_testing.h"
#include "ops/register.h"

namespace headrace {
namespace {

class RandomTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { RegisterRandomOps(OpRegistry::Global()); }
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
    words >> line.op >> line.dtype >> line.seed >> line.seed2 >> line.shape >> line.call >> line.size >> line.hash >>
        line.head;
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

// The inputs and attributes with which make_random.py called the op.
KeptKernel MakeKernel(const GoldenLine& line) {
  const DType dtype = ParseDType(line.dtype);
  const std::vector<int64_t> dims = Dims(line.shape);
  const bool has_bounds = line.op.ends_with("UniformInt");
  std::vector<InputValue> inputs = {{Tensor::Vector(dims)}};
  AttrMap attrs = {{"T", DType::kInt64}};
  if (line.op == "RandomShuffle") {
    Result<Tensor> value = Tensor::Allocate(dtype, Shape(dims));
    for (int32_t i = 0; i < value->num_elements(); ++i) value->mutable_data<int32_t>()[static_cast<size_t>(i)] = i;
    inputs = {{*value}};
    attrs["T"] = dtype;
  } else if (line.op == "StatelessRandomGetKeyCounter") {
    return {line.op, {{Tensor::Vector<int64_t>({line.seed, line.seed2})}}};
  } else {
    attrs[line.op == "RandomUniformInt" ? "Tout" : "dtype"] = dtype;
  }
  if (line.op == "StatelessTruncatedNormalV2") {
    inputs.push_back({Tensor::Vector<uint64_t>({static_cast<uint64_t>(line.seed)})});
    inputs.push_back({Tensor::Vector<uint64_t>({5, static_cast<uint64_t>(line.seed2)})});
    inputs.push_back({Tensor::Scalar<int32_t>(1)});
    attrs.erase("T");
  } else if (line.op.starts_with("Stateless")) {
    inputs.push_back({Tensor::Vector<int64_t>({line.seed, line.seed2})});
  } else {
    attrs["seed"] = line.seed;
    attrs["seed2"] = line.seed2;
  }
  for (int64_t bound : has_bounds ? std::vector<int64_t>{-7, 1000003} : std::vector<int64_t>{}) {
    inputs.push_back({dtype == DType::kInt32 ? Tensor::Scalar(static_cast<int32_t>(bound)) : Tensor::Scalar(bound)});
  }
  return {line.op, std::move(inputs), std::move(attrs)};
}

TEST_F(RandomTest, SeededStreamsAreTensorFlowsBitForBit) {
  const std::vector<GoldenLine> lines = ReadGolden();
  ASSERT_GT(lines.size(), 300u);
  for (size_t i = 0; i < lines.size();) {
    KeptKernel kernel = MakeKernel(lines[i]);
    do {
      const GoldenLine& line = lines[i];
      const std::string what = StrCat(line.op, " ", line.dtype, " ", line.seed, " ", line.shape, " ", line.call);
      const Result<std::vector<InputValue>> outputs = kernel.Run();
      ASSERT_TRUE(outputs.ok()) << what << ": " << outputs.status().ToString();
      std::string bytes, head;
      for (const InputValue& output : *outputs) bytes += output.tensor.bytes();
      EXPECT_EQ(static_cast<int64_t>(bytes.size()), line.size) << what;
      for (char byte : bytes.substr(0, 64)) head += Hex16(static_cast<uint8_t>(byte)).substr(14);
      EXPECT_EQ(head, line.head) << what;
      EXPECT_EQ(Hash(bytes), line.hash) << what;
    } while (++i < lines.size() && lines[i].call > 0);
  }
}

TEST_F(RandomTest, WithoutSeedsTwoKernelsDiffer) {
  KeptKernel a("RandomUniform", {{Tensor::Vector<int32_t>({4})}}, {{"dtype", DType::kDouble}, {"T", DType::kInt32}});
  KeptKernel b("RandomUniform", {{Tensor::Vector<int32_t>({4})}}, {{"dtype", DType::kDouble}, {"T", DType::kInt32}});
  EXPECT_NE(a.RunTensor()->bytes(), b.RunTensor()->bytes());
}

TEST_F(RandomTest, ALargeOutputIsTheSameForAnyNumberOfThreads) {
  const AttrMap attrs = {{"dtype", DType::kFloat}, {"T", DType::kInt32}, {"seed", 3}, {"seed2", 4}};
  for (const char* op : {"RandomUniform", "RandomStandardNormal", "TruncatedNormal"}) {
    KeptKernel large(op, {{Tensor::Vector<int32_t>({300001})}}, attrs),
        small(op, {{Tensor::Vector<int32_t>({5})}}, attrs);
    const Tensor all = *large.RunTensor(), first = *small.RunTensor();
    EXPECT_EQ(all.bytes().substr(0, 20), first.bytes()) << op;
    KeptKernel again(op, {{Tensor::Vector<int32_t>({300001})}}, attrs);
    EXPECT_TRUE(all.bytes() == again.RunTensor()->bytes()) << op;
  }
}

TEST_F(RandomTest, AShapeOverTheBudgetIsRefused) {
  KeptKernel kernel("RandomUniform", {{Tensor::Vector<int64_t>({int64_t{1} << 50})}},
                    {{"dtype", DType::kFloat}, {"T", DType::kInt64}});
  const Result<Tensor> output = kernel.RunTensor();
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.status().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace headrace
