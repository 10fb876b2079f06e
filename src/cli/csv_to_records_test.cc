#include "cli/csv_to_records.h"

#include <gmock/gmock.h>

#include "format/record_file.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConvertTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(WriteFileAtomically(*files_, path, content).ok());
  }
  std::vector<std::string> Records(const std::string& path) {
    std::vector<std::string> records;
    const auto reader = *RecordReader::Open(*files_, path);
    while (true) {
      std::string_view record;
      bool end = false;
      EXPECT_TRUE(reader->Next(&record, &end).ok());
      if (end) return records;
      records.emplace_back(record);
    }
  }
  /// "name:kind:bytes-of-list" of every feature.
  static std::vector<std::string> Features(const std::string& record) {
    std::vector<std::string> texts;
    EXPECT_TRUE(ForEachFeature(record, [&texts](const FeatureView& feature) {
      float number = 0;
      int64_t integer = 0;
      std::string text;
      if (feature.kind == FeatureKind::kFloat)
        text = DecodeFloats(feature.list, &number, 1) == 1 ? StrCat(number, "f") : "?";
      if (feature.kind == FeatureKind::kInt64)
        text = DecodeInt64s(feature.list, &integer, 1) == 1 ? StrCat(integer) : "?";
      if (feature.kind == FeatureKind::kBytes) {
        EXPECT_EQ(DecodeBytes(feature.list, &text, 1), 1);
      }
      texts.push_back(StrCat(feature.name, "=", text));
      return true;
    }));
    return texts;
  }

  const std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
};

TEST_F(ConvertTest, DealsRowsRoundRobinAndInfersTypes) {
  Write("a.csv", "word,count,share\nx,1,0.5\n\"y, z\",2,3\n,,\n\n");
  const Result<ConvertSummary> summary =
      ConvertCsv(*files_, {.inputs = {"a.csv"}, .out_prefix = "out/a", .num_shards = 2});
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->rows, 3);
  EXPECT_THAT(summary->paths, ElementsAre("out/a-00000-of-00002.tfrecord", "out/a-00001-of-00002.tfrecord"));
  EXPECT_EQ(summary->bytes, *files_->SizeOf(summary->paths[0]) + *files_->SizeOf(summary->paths[1]));
  const std::vector<std::string> first = Records(summary->paths[0]), second = Records(summary->paths[1]);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_THAT(Features(first[0]), ElementsAre("count=1", "share=0.5f", "word=x"));
  EXPECT_THAT(Features(second[0]), ElementsAre("count=2", "share=3f", "word=y, z"));
  EXPECT_THAT(Features(first[1]), ElementsAre("word="));  // no value for a number that is not there
}

TEST_F(ConvertTest, TheSchemaChoosesColumnsAndTypes) {
  const Result<std::vector<ConvertColumn>> columns = ParseConvertSchema(
      R"({"train_rows": 1, "columns": [{"name": "n", "type": "float"}, {"name": "id", "role": "id"}, {"name": "s", "type": "bytes"},
          {"name": "c", "role": "categorical", "vocabulary_size": 9}, {"name": "x", "role": "numeric"}]})");
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  Write("a.csv", "s,n,unused,id,x,c\n5,1,?,7,2,3\n");
  Write("b.csv", "id,s,n,c,x\n8,6,2,4,5\n");
  const Result<ConvertSummary> summary =
      ConvertCsv(*files_, {.inputs = {"a.csv", "b.csv"}, .columns = *columns, .out_prefix = "o", .num_shards = 1});
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  const std::vector<std::string> records = Records("o-00000-of-00001.tfrecord");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(Features(records[0]), ElementsAre("c=3", "id=7", "n=1f", "s=5", "x=2f"));
  EXPECT_THAT(Features(records[1]), ElementsAre("c=4", "id=8", "n=2f", "s=6", "x=5f"));
}

TEST_F(ConvertTest, ABadCellSaysFileLineColumnAndValueAndNothingIsWritten) {
  Write("a.csv", "n,s\n1,\"two\nlines\"\n2,x\n3x,y\n");
  const std::vector<ConvertColumn> columns = {{"n", FeatureKind::kInt64}};
  const Status status =
      ConvertCsv(*files_, {.inputs = {"a.csv"}, .columns = columns, .out_prefix = "o", .num_shards = 2}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.message(), "a.csv: line 5, column 'n': '3x' is not an int64");
  EXPECT_THAT(*files_->List(""), ElementsAre("a.csv"));
}

TEST_F(ConvertTest, OtherFaultsOfTheInputAreNamed) {
  const auto message = [this](const std::string& content, std::vector<ConvertColumn> columns) {
    Write("a.csv", content);
    const Status status =
        ConvertCsv(*files_, {.inputs = {"a.csv"}, .columns = std::move(columns), .out_prefix = "o"}).status();
    EXPECT_FALSE(status.ok());
    return status.message();
  };
  EXPECT_EQ(message("a,b\n1,2\n3\n", {}), "a.csv: line 3: the row has 1 cells, the first line has 2");
  EXPECT_EQ(message("a,b\n1,2\n", {{"c", FeatureKind::kBytes}}), "a.csv: there is no column 'c'");
  EXPECT_EQ(message("a,a\n1,2\n", {}), "a.csv: two columns have the same name");
  EXPECT_EQ(message("", {}), "a.csv: the file has no line of column names");
  EXPECT_EQ(message("a\n1\n", {{"a", FeatureKind::kBytes}, {"a", FeatureKind::kInt64}}),
            "the schema names column 'a' twice");
  EXPECT_EQ(ConvertCsv(*files_, {.inputs = {"none.csv"}, .out_prefix = "o"}).status().code(), Code::kNotFound);
}

TEST_F(ConvertTest, ASchemaThatCannotBeUsedSaysWhy) {
  const auto message = [](std::string_view json) { return ParseConvertSchema(json).status().message(); };
  EXPECT_THAT(message("{"), HasSubstr("no sound JSON"));
  EXPECT_THAT(message("[]"), HasSubstr("needs a list \"columns\""));
  EXPECT_THAT(message(R"({"columns": []})"), HasSubstr("names no columns"));
  EXPECT_THAT(message(R"({"columns": [{"type": "float"}]})"), HasSubstr("has no \"name\""));
  EXPECT_THAT(message(R"({"columns": [{"name": "a", "type": "date"}]})"), HasSubstr("column 'a' needs a \"type\""));
  EXPECT_THAT(message(R"({"columns": [{"name": 7}]})"), HasSubstr("\"name\" must be a text"));
}

}  // namespace
}  // namespace headrace
