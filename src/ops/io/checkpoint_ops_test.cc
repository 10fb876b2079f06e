#include <gmock/gmock.h>

#include "checkpoint/bundle_reader.h"
#include "kernel/evaluate.h"
#include "ops/register.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;

class CheckpointOpsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { RegisterAllOps(); }
  void SetUp() override { ASSERT_TRUE(RealFileSystem().MakeDirectories(directory_).ok()); }
  void TearDown() override {
    const Result<std::vector<std::string>> names = RealFileSystem().List(directory_);
    for (const std::string& name : *names) {
      ASSERT_TRUE(RealFileSystem().Delete(JoinPath(directory_, name)).ok()) << name;
    }
    ASSERT_TRUE(RealFileSystem().Delete(directory_).ok());
  }
  static Tensor Texts(const std::vector<std::string>& texts) { return Tensor::Vector(texts); }
  static Status Save(const std::string& prefix, const std::vector<std::string>& names,
                     const std::vector<std::string>& slices, const std::vector<Tensor>& tensors) {
    std::vector<Tensor> inputs = {Tensor::Scalar(prefix), Texts(names), Texts(slices)};
    inputs.insert(inputs.end(), tensors.begin(), tensors.end());
    return EvaluateOp("SaveV2", std::move(inputs)).status();
  }

  const std::string directory_ = StrCat(::testing::TempDir(), "headrace-io-", Hex16(RandomBits()));
};

TEST_F(CheckpointOpsTest, RestoresWhatWasSaved) {
  const std::string prefix = directory_ + "/m";
  ASSERT_TRUE(
      Save(prefix, {"z", "a", "rows", "rows"}, {"", "", "3 2 0,2:-", "3 2 2,1:-"},
           {Tensor::Vector<std::string>({"x", "y"}), Tensor::Scalar(2.5),
            Tensor::FromValues<float>({1, 2, 3, 4}, Shape({2, 2})), Tensor::FromValues<float>({5, 6}, Shape({1, 2}))})
          .ok());
  const Result<std::vector<Tensor>> read = EvaluateOp(
      "RestoreV2", {Tensor::Scalar(prefix), Texts({"a", "z", "rows", "rows"}), Texts({"", "", "", "3 2 1,2:1,1"})},
      {{"dtypes", std::vector<DType>{DType::kDouble, DType::kString, DType::kFloat, DType::kFloat}}});
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ((*read)[0].scalar<double>(), 2.5);
  EXPECT_THAT((*read)[1].data<std::string>(), ElementsAre("x", "y"));
  EXPECT_THAT((*read)[2].data<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT((*read)[3].data<float>(), ElementsAre(4, 6));
}

TEST_F(CheckpointOpsTest, MergingRemovesTheDirectoryOfTheParts) {
  const std::vector<std::string> parts = {directory_ + "/m_temp/part-00000-of-00002",
                                          directory_ + "/m_temp/part-00001-of-00002"};
  ASSERT_TRUE(Save(parts[0], {"a"}, {""}, {Tensor::Scalar(1.0f)}).ok());
  ASSERT_TRUE(Save(parts[1], {"b"}, {""}, {Tensor::Scalar(2.0f)}).ok());
  ASSERT_TRUE(EvaluateOp("MergeV2Checkpoints", {Texts(parts), Tensor::Scalar(directory_ + "/m")}).ok());
  EXPECT_THAT(*RealFileSystem().List(directory_),
              ElementsAre("m.data-00000-of-00002", "m.data-00001-of-00002", "m.index"));
  const auto reader = *BundleReader::Open(RealFileSystem(), directory_ + "/m");
  EXPECT_EQ(reader->Read("a")->scalar<float>(), 1);
  EXPECT_EQ(reader->Read("b")->scalar<float>(), 2);
}

TEST_F(CheckpointOpsTest, AFailedSaveLeavesNothing) {
  EXPECT_EQ(Save(directory_ + "/m", {"a", "a"}, {"", ""}, {Tensor::Scalar(1.0f), Tensor::Scalar(2.0f)}).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(RealFileSystem().List(directory_)->empty());
}

TEST_F(CheckpointOpsTest, ReadsTheFileThatWasWritten) {
  const Tensor path = Tensor::Scalar(directory_ + "/new/file");
  ASSERT_TRUE(EvaluateOp("WriteFile", {path, Tensor::Scalar(std::string("\0bytes", 6))}).ok());
  const Result<std::vector<Tensor>> read = EvaluateOp("ReadFile", {path});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ((*read)[0].scalar<std::string>(), std::string("\0bytes", 6));
  ASSERT_TRUE(RealFileSystem().Delete(directory_ + "/new/file").ok());
}

}  // namespace
}  // namespace headrace
