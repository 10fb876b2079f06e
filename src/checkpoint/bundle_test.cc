#include <gmock/gmock.h>

#include <random>

#include "checkpoint/bundle_reader.h"
#include "checkpoint/bundle_writer.h"
#include "format/table.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

constexpr char kGolden[] = "tests/golden/checkpoint/";

class BundleTest : public ::testing::Test {
 protected:
  std::unique_ptr<BundleWriter> Writer(const std::string& prefix) {
    Result<std::unique_ptr<BundleWriter>> writer = BundleWriter::Create(*files_, prefix);
    EXPECT_TRUE(writer.ok()) << writer.status().ToString();
    return *std::move(writer);
  }
  std::unique_ptr<BundleReader> Reader(const std::string& prefix) {
    Result<std::unique_ptr<BundleReader>> reader = BundleReader::Open(*files_, prefix);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return *std::move(reader);
  }
  /// Reads all tensors; returns the first error.
  Status ReadAll(const std::string& prefix) {
    HR_ASSIGN_OR_RETURN(const std::unique_ptr<BundleReader> reader, BundleReader::Open(*files_, prefix));
    for (const BundleReader::Named& tensor : reader->List()) HR_RETURN_IF_ERROR(reader->Read(tensor.name).status());
    return OkStatus();
  }
  void WriteSample(const std::string& prefix) {
    const auto writer = Writer(prefix);
    ASSERT_TRUE(writer->Add("a", Tensor::FromValues<float>({1, 2, 3, 4, 5, 6}, Shape({2, 3}))).ok());
    ASSERT_TRUE(writer->Add("b", Tensor::Vector<std::string>({"x", "", "long enough for the heap, surely"})).ok());
    ASSERT_TRUE(writer
                    ->AddSlice("c", *ParseShapeAndSlice("4 2 0,3:-"),
                               Tensor::FromValues<int64_t>({0, 1, 2, 3, 4, 5}, Shape({3, 2})))
                    .ok());
    ASSERT_TRUE(
        writer->AddSlice("c", *ParseShapeAndSlice("4 2 3,1:-"), Tensor::FromValues<int64_t>({6, 7}, Shape({1, 2})))
            .ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  void Edit(const std::string& path, const std::function<void(std::string*)>& edit) {
    std::string content = *ReadWholeFile(*files_, path);
    edit(&content);
    ASSERT_TRUE(WriteFileAtomically(*files_, path, content).ok());
  }

  const std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
};

TEST_F(BundleTest, ReadsWhatItWrote) {
  WriteSample("d/m");
  const auto reader = Reader("d/m");
  ASSERT_EQ(reader->List().size(), 3u);
  EXPECT_EQ(reader->Find("a")->shape, Shape({2, 3}));
  EXPECT_THAT(reader->Read("a")->data<float>(), ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(reader->Read("b")->data<std::string>()[2], "long enough for the heap, surely");
  EXPECT_THAT(reader->Read("c")->data<int64_t>(), ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(reader->ReadSlice("c", *ParseShapeAndSlice("4 2 2,2:1,1"))->data<int64_t>(),
              ::testing::ElementsAre(5, 7));
  EXPECT_THAT(reader->ReadSlice("a", *ParseShapeAndSlice("2 3 -:1,2"))->data<float>(),
              ::testing::ElementsAre(2, 3, 5, 6));
}

TEST_F(BundleTest, NothingIsSeenBeforeFinishAndNothingStaysWithoutIt) {
  {
    const auto writer = Writer("d/m");
    ASSERT_TRUE(writer->Add("a", Tensor::Scalar(1.0f)).ok());
    EXPECT_EQ(BundleReader::Open(*files_, "d/m").status().code(), Code::kNotFound);
  }
  EXPECT_TRUE(files_->List("d")->empty());
}

TEST_F(BundleTest, WritesTheBytesThatTensorFlowWrites) {
  for (const std::string name : {"dtypes", "many"}) {
    auto golden = BundleReader::Open(RealFileSystem(), kGolden + name);
    ASSERT_TRUE(golden.ok()) << golden.status().ToString();
    const auto writer = Writer(name);
    for (const BundleReader::Named& tensor : (*golden)->List()) {
      Result<Tensor> value = (*golden)->Read(tensor.name);
      ASSERT_TRUE(value.ok()) << value.status().ToString();
      ASSERT_TRUE(writer->Add(tensor.name, *value).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
    for (const std::string suffix : {".index", ".data-00000-of-00001"}) {
      EXPECT_EQ(*ReadWholeFile(*files_, name + suffix), *ReadWholeFile(RealFileSystem(), kGolden + name + suffix))
          << name << suffix;
    }
  }
}

TEST_F(BundleTest, WritesSlicesAsTensorFlowDoes) {
  const auto golden = *BundleReader::Open(RealFileSystem(), std::string(kGolden) + "slices");
  const auto writer = Writer("slices");
  // In the order of the golden script's names.
  for (const char* spec : {"4 4 0,2:0,3", "4 4 0,2:3,1", "4 4 2,2:0,3", "4 4 2,2:3,1"}) {
    const ShapeAndSlice part = *ParseShapeAndSlice(spec);
    ASSERT_TRUE(writer->AddSlice("boxes", part, *golden->ReadSlice("boxes", part)).ok());
  }
  for (const char* spec : {"6 2 0,3:-", "6 2 3,2:-", "6 2 5,1:-"}) {
    const ShapeAndSlice part = *ParseShapeAndSlice(spec);
    ASSERT_TRUE(writer->AddSlice("rows", part, *golden->ReadSlice("rows", part)).ok());
  }
  ASSERT_TRUE(writer->Finish().ok());
  for (const std::string suffix : {".index", ".data-00000-of-00001"}) {
    EXPECT_EQ(*ReadWholeFile(*files_, "slices" + suffix),
              *ReadWholeFile(RealFileSystem(), kGolden + ("slices" + suffix)))
        << suffix;
  }
}

TEST_F(BundleTest, ReadsTensorFlowsValues) {
  const auto dtypes = *BundleReader::Open(RealFileSystem(), std::string(kGolden) + "dtypes");
  EXPECT_EQ(dtypes->Read("float64")->data<double>()[5], 5);
  EXPECT_EQ(dtypes->Read("bool")->data<bool>()[1], true);
  EXPECT_EQ(float(dtypes->Read("bfloat16")->data<BFloat16>()[3]), 3);
  EXPECT_EQ(dtypes->Read("complex64")->data<std::complex<float>>()[4], std::complex<float>(4, 0));
  EXPECT_EQ(dtypes->Read("scalar")->scalar<float>(), 1.5f);
  EXPECT_EQ(dtypes->Read("empty")->shape(), Shape({3, 0}));
  EXPECT_EQ(dtypes->Read("rank5")->shape(), Shape({1, 2, 1, 2, 1}));
  EXPECT_EQ(dtypes->Read("text")->data<std::string>()[2], std::string("\0\xff", 2));
  EXPECT_EQ(dtypes->Read("text_scalar")->scalar<std::string>(), "alone");
  const auto slices = *BundleReader::Open(RealFileSystem(), std::string(kGolden) + "slices");
  for (int64_t i = 0; i < 16; ++i) EXPECT_EQ(slices->Read("boxes")->data<int64_t>()[static_cast<size_t>(i)], i);
  EXPECT_THAT(slices->ReadSlice("rows", *ParseShapeAndSlice("6 2 2,2:-"))->data<float>(),
              ::testing::ElementsAre(4, 5, 6, 7));
  const auto merged = *BundleReader::Open(RealFileSystem(), std::string(kGolden) + "merged");
  EXPECT_THAT(merged->Read("rows")->data<float>(), ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(merged->Read("only1")->data<int32_t>(), ::testing::ElementsAre(1, 2, 3));
}

TEST_F(BundleTest, AVariantOfAnotherProgramIsKept) {
  const auto golden = *BundleReader::Open(RealFileSystem(), std::string(kGolden) + "variant");
  const auto writer = Writer("m");
  ASSERT_TRUE(writer->Add("list", *golden->Read("list")).ok());
  ASSERT_TRUE(writer->Finish().ok());
  for (const Result<Tensor>& read : {golden->Read("list"), Reader("m")->Read("list")}) {
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(read->scalar<Variant>().object()->TypeName(), "tensorflow::TensorList");
  }
}

TEST_F(BundleTest, MergesShardsAsTensorFlowDoes) {
  const std::string parts[] = {"merged_temp/part-00000-of-00002", "merged_temp/part-00001-of-00002"};
  for (int32_t i = 0; i < 2; ++i) {
    const float first = static_cast<float>(4 * i);
    const auto writer = Writer(parts[i]);
    ASSERT_TRUE(writer->Add(StrCat("only", i), Tensor::Vector<int32_t>({i, i + 1, i + 2})).ok());
    ASSERT_TRUE(writer
                    ->AddSlice("rows", *ParseShapeAndSlice(StrCat("4 2 ", 2 * i, ",2:-")),
                               Tensor::FromValues<float>({first, first + 1, first + 2, first + 3}, Shape({2, 2})))
                    .ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  ASSERT_TRUE(MergeBundles(*files_, parts, "merged").ok());
  for (const std::string suffix : {".index", ".data-00000-of-00002", ".data-00001-of-00002"}) {
    EXPECT_EQ(*ReadWholeFile(*files_, "merged" + suffix),
              *ReadWholeFile(RealFileSystem(), kGolden + ("merged" + suffix)))
        << suffix;
  }
  EXPECT_TRUE(files_->List("merged_temp")->empty());
}

TEST_F(BundleTest, MergingRefusesATensorThatIsThereTwice) {
  for (const std::string prefix : {"p0", "p1"}) {
    const auto writer = Writer(prefix);
    ASSERT_TRUE(writer->Add("w", Tensor::Scalar(1.0f)).ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  const std::string parts[] = {"p0", "p1"};
  const Status status = MergeBundles(*files_, parts, "m");
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'w'"));
  EXPECT_TRUE(ReadAll("p0").ok());  // and leaves the parts as they were
}

TEST_F(BundleTest, MergingMayPassOverMissingBundles) {
  WriteSample("p0");
  const std::string parts[] = {"p0", "p1"};
  EXPECT_EQ(MergeBundles(*files_, parts, "m").code(), Code::kNotFound);
  ASSERT_TRUE(MergeBundles(*files_, parts, "m", /*allow_missing_files=*/true).ok());
  EXPECT_TRUE(ReadAll("m").ok());
}

TEST_F(BundleTest, AMissingShardIsNamedWithTheTensor) {
  WriteSample("m");
  ASSERT_TRUE(files_->Delete("m.data-00000-of-00001").ok());
  const Status status = ReadAll("m");
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("m.data-00000-of-00001"));
  EXPECT_THAT(status.message(), HasSubstr("'a'"));
}

TEST_F(BundleTest, ACutDataFileIsDataLossAtTheTensor) {
  WriteSample("m");
  Edit("m.data-00000-of-00001", [](std::string* content) { content->resize(40); });
  EXPECT_TRUE(Reader("m")->Read("a").ok());
  const Status status = Reader("m")->Read("b").status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("m.data-00000-of-00001: tensor 'b' str[3] at byte 24"));
}

TEST_F(BundleTest, AFlippedBitInTheDataIsDataLossWithBothChecksums) {
  WriteSample("m");
  Edit("m.data-00000-of-00001", [](std::string* content) { (*content)[5] ^= 4; });
  const Status status = Reader("m")->Read("a").status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), ::testing::ContainsRegex("its checksum is [0-9]+, computed [0-9]+"));
}

TEST_F(BundleTest, AnotherShapeThanAskedForIsInvalid) {
  WriteSample("m");
  const Status status = Reader("m")->ReadSlice("a", *ParseShapeAndSlice("3 2 -:-")).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("[3,2] does not match the shape stored in checkpoint: [2,3]"));
}

TEST_F(BundleTest, AMissingTensorIsNotFound) {
  WriteSample("m");
  const Status status = Reader("m")->Read("zz").status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("Key zz not found in checkpoint"));
}

TEST_F(BundleTest, RefusesBadAdditions) {
  const auto writer = Writer("m");
  ASSERT_TRUE(writer->Add("a", Tensor::Scalar(1.0f)).ok());
  EXPECT_EQ(writer->Add("a", Tensor::Scalar(1.0f)).code(), Code::kInvalidArgument);
  EXPECT_EQ(writer->Add("", Tensor::Scalar(1.0f)).code(), Code::kInvalidArgument);
  EXPECT_EQ(writer->Add("none", Tensor()).code(), Code::kInvalidArgument);
  EXPECT_EQ(writer->AddSlice("s", *ParseShapeAndSlice("4 0,2"), Tensor::Vector<float>({1})).code(),
            Code::kInvalidArgument);
}

TEST_F(BundleTest, MalformedSpecificationsAreInvalid) {
  for (const char* text : {"", " ", "4", "4 0,9", "4 -1,2", "4 0,0", "4 a,b", "4 4 0,2", "x 0,2", "4 0,2,3", "-4 -",
                           "9223372036854775807 4 -:-"}) {
    EXPECT_EQ(ParseShapeAndSlice(text).status().code(), Code::kInvalidArgument) << text;
  }
}

TEST_F(BundleTest, DamageIsNeverMoreThanAnError) {
  constexpr unsigned kSeed = 11;
  std::mt19937 random(kSeed);
  WriteSample("sound");
  for (int i = 0; i < 3000; ++i) {
    for (const std::string suffix : {".index", ".data-00000-of-00001"}) {
      ASSERT_TRUE(WriteFileAtomically(*files_, "m" + suffix, *ReadWholeFile(*files_, "sound" + suffix)).ok());
    }
    Edit(i % 2 == 0 ? "m.index" : "m.data-00000-of-00001", [&random](std::string* content) {
      const size_t at = random() % content->size();
      if (random() % 8 == 0) {
        content->resize(at);
      } else {
        (*content)[at] = static_cast<char>((*content)[at] ^ (1 << random() % 8));
      }
    });
    const Status status = ReadAll("m");
    ASSERT_TRUE(status.ok() || status.code() == Code::kDataLoss)
        << "seed " << kSeed << ", try " << i << ": " << status.ToString();
  }
}

TEST_F(BundleTest, AnIndexThatLiesUnderRightChecksumsIsNeverMoreThanAnError) {
  constexpr unsigned kSeed = 12;
  std::mt19937 random(kSeed);
  WriteSample("m");
  std::vector<std::pair<std::string, std::string>> entries;
  ASSERT_TRUE(ReadTable(*files_, "m.index", [&](std::string_view key, std::string_view value) {
                entries.emplace_back(key, value);
                return OkStatus();
              }).ok());
  for (int i = 0; i < 5000; ++i) {
    auto damaged = entries;
    std::string& value = damaged[random() % damaged.size()].second;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
      char& byte = value[random() % value.size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    TableWriter writer(*files_->Create("m.index"));
    for (const auto& [key, bytes] : damaged) ASSERT_TRUE(writer.Add(key, bytes).ok());
    ASSERT_TRUE(writer.Finish().ok());
    const Status status = ReadAll("m");
    ASSERT_TRUE(status.ok() || status.code() == Code::kDataLoss || status.code() == Code::kNotFound ||
                status.code() == Code::kUnimplemented)
        << "seed " << kSeed << ", try " << i << ": " << status.ToString();
  }
}

}  // namespace
}  // namespace headrace
