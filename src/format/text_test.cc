// Tests of CSV, lines and Example messages.
#include <gtest/gtest.h>

#include "format/csv.h"
#include "format/example.h"

namespace headrace {
namespace {

std::vector<std::string> Split(std::string_view record) {
  std::vector<std::string> fields;
  const Status status = SplitCsvRecord(record, ',', true, &fields);
  if (!status.ok()) return {status.ToString()};
  return fields;
}

TEST(CsvTest, SplitsPlainAndQuotedFields) {
  using Fields = std::vector<std::string>;
  EXPECT_EQ(Split("a,b,,c"), (Fields{"a", "b", "", "c"}));
  EXPECT_EQ(Split(""), (Fields{""}));
  EXPECT_EQ(Split("a,"), (Fields{"a", ""}));
  EXPECT_EQ(Split("\"a,b\",\"say \"\"hi\"\"\""), (Fields{"a,b", "say \"hi\""}));
  EXPECT_EQ(Split("\"open"), (Fields{"INVALID_ARGUMENT: field 1: the quote is not closed"}));
  EXPECT_EQ(Split("x,\"a\"b"), (Fields{"INVALID_ARGUMENT: field 2: text after the closing quote"}));
}

TEST(CsvTest, ReadsRecordsThatSpanLinesAndNumbersThem) {
  auto files = MakeInMemoryFileSystem();
  ASSERT_TRUE(WriteFileAtomically(*files, "/f", "a,b\r\n\"two\nlines\",c\n\nlast,\"open").ok());
  CsvReader reader("/f", *files->OpenSequential("/f"));
  std::vector<std::string> fields;
  bool end = false;
  ASSERT_TRUE(reader.Next(&fields, &end).ok());
  EXPECT_EQ(fields, (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(reader.Next(&fields, &end).ok());
  EXPECT_EQ(fields, (std::vector<std::string>{"two\nlines", "c"}));
  ASSERT_TRUE(reader.Next(&fields, &end).ok());
  EXPECT_EQ(fields, (std::vector<std::string>{""}));
  EXPECT_EQ(reader.Next(&fields, &end).ToString(), "INVALID_ARGUMENT: /f: line 5: field 2: the quote is not closed");
}

TEST(LineReaderTest, ReadsLinesLongerThanItsBuffer) {
  auto files = MakeInMemoryFileSystem();
  const std::string text = std::string(100, 'a') + "\n\n" + std::string(50, 'b');
  ASSERT_TRUE(WriteFileAtomically(*files, "/f", text).ok());
  LineReader reader(*files->OpenSequential("/f"), 16);
  std::vector<size_t> sizes;
  std::string_view line;
  bool end = false;
  while (reader.Next(&line, &end).ok() && !end) sizes.push_back(line.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 0, 50}));
}

TEST(ExampleTest, ReadsBackWhatItWrote) {
  ExampleWriter writer;
  writer.AddFloats("f", {1.5f, -2});
  writer.AddInt64s("i", {-1, 300, 0});
  writer.AddBytes("s", {"x", ""});
  writer.AddInt64s("empty", {});
  const std::string example = writer.Take();
  int features = 0;
  ASSERT_TRUE(ForEachFeature(example, [&](const FeatureView& feature) {
    ++features;
    if (feature.name == "f") {
      float values[2];
      EXPECT_EQ(feature.kind, FeatureKind::kFloat);
      EXPECT_EQ(DecodeFloats(feature.list, values, 2), 2);
      EXPECT_EQ(values[1], -2);
    } else if (feature.name == "i") {
      int64_t values[2];
      EXPECT_EQ(DecodeInt64s(feature.list, values, 2), 3);
      EXPECT_EQ(values[0], -1);
      EXPECT_EQ(values[1], 300);
    } else if (feature.name == "s") {
      std::string values[2];
      EXPECT_EQ(DecodeBytes(feature.list, values, 2), 2);
      EXPECT_EQ(values[0], "x");
    } else {
      EXPECT_EQ(DecodeInt64s(feature.list, nullptr, 0), 0);
    }
    return true;
  }));
  EXPECT_EQ(features, 4);
}

TEST(ExampleTest, NoCutOrFlipCrashesTheReader) {
  ExampleWriter writer;
  writer.AddFloats("float", {1, 2, 3});
  writer.AddBytes("bytes", {"abc", "def"});
  const std::string example = writer.Take();
  const auto decode_all = [](std::string_view bytes) {
    return ForEachFeature(bytes, [](const FeatureView& feature) {
      float floats[2];
      int64_t ints[2];
      std::string texts[2];
      DecodeFloats(feature.list, floats, 2);
      DecodeInt64s(feature.list, ints, 2);
      DecodeBytes(feature.list, texts, 2);
      return true;
    });
  };
  int refused = 0;
  for (size_t size = 0; size < example.size(); ++size)
    refused += !decode_all(std::string_view(example).substr(0, size));
  EXPECT_GT(refused, 10);
  for (size_t i = 0; i < example.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = example;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      (void)decode_all(flipped);
    }
  }
}

TEST(ExampleTest, ReadsUnpackedLists) {
  const std::string floats = std::string("\x0d", 1) + std::string("\0\0\x80\x3f", 4);
  float value = 0;
  EXPECT_EQ(DecodeFloats(floats, &value, 1), 1);
  EXPECT_EQ(value, 1.0f);
  int64_t number = 0;
  EXPECT_EQ(DecodeInt64s("\x08\x05", &number, 1), 1);
  EXPECT_EQ(number, 5);
}

}  // namespace
}  // namespace headrace
