// Tests of record files: round trips, and every way a file can be damaged.
#include "format/record_file.h"

#include <gtest/gtest.h>

#include "format/crc32c.h"

namespace headrace {
namespace {

class RecordFileTest : public testing::Test {
 protected:
  void WriteRecords(const std::vector<std::string>& records, Compression compression = Compression::kNone) {
    auto writer = RecordWriter::Create(*files_, "/f", compression);
    ASSERT_TRUE(writer.ok());
    for (const std::string& record : records) ASSERT_TRUE((*writer)->Write(record).ok());
    ASSERT_TRUE((*writer)->Close().ok());
  }
  std::string Bytes() { return *ReadWholeFile(*files_, "/f"); }
  void SetBytes(std::string_view bytes) { ASSERT_TRUE(WriteFileAtomically(*files_, "/f", bytes).ok()); }
  std::unique_ptr<RecordReader> Open(Compression compression = Compression::kNone) {
    return *RecordReader::Open(*files_, "/f", compression, 4096);
  }
  /// Reads to the end; errors become texts among the records.
  std::vector<std::string> ReadAll(Compression compression = Compression::kNone) {
    std::unique_ptr<RecordReader> reader = Open(compression);
    std::vector<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      std::string_view record;
      bool end = false;
      const Status status = reader->Next(&record, &end);
      if (!status.ok()) {
        seen.push_back(status.ToString());
      } else if (end) {
        return seen;
      } else {
        seen.emplace_back(record);
      }
    }
    ADD_FAILURE() << "no end";
    return seen;
  }

  std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
};

TEST(Crc32cTest, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(UnmaskCrc(MaskCrc(0x12345678)), 0x12345678u);
}

TEST(Crc32cTest, ShortAndLongPathsAgree) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 7);
  for (size_t size : {1u, 7u, 255u, 256u, 257u, 1000u, 5000u}) {
    uint32_t piecewise = 0;
    for (size_t i = 0; i < size; ++i) piecewise = ExtendCrc32c(piecewise, std::string_view(bytes).substr(i, 1));
    EXPECT_EQ(Crc32c(std::string_view(bytes).substr(0, size)), piecewise) << size;
  }
}

TEST_F(RecordFileTest, ReadsBackAllSizes) {
  const std::vector<std::string> records = {"", "a", std::string(4096, 'b'), std::string(100'000, 'c'), "d"};
  for (Compression compression : {Compression::kNone, Compression::kZlib, Compression::kGzip}) {
    WriteRecords(records, compression);
    EXPECT_EQ(ReadAll(compression), records);
  }
}

TEST_F(RecordFileTest, AnEmptyFileHasNoRecords) {
  SetBytes("");
  EXPECT_TRUE(ReadAll().empty());
}

TEST_F(RecordFileTest, NamesFileRecordOffsetAndDataChecksumAndGoesOn) {
  WriteRecords({"one", "two", "three"});
  std::string bytes = Bytes();
  bytes[19 + 12] ^= 1;
  SetBytes(bytes);
  const std::vector<std::string> seen = ReadAll();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_TRUE(seen[1].starts_with("DATA_LOSS: /f: record 1 at byte 19: data checksum is 0x")) << seen[1];
  EXPECT_EQ(seen[2], "three");
}

TEST_F(RecordFileTest, AFlippedLengthEndsTheFile) {
  WriteRecords({"one", "two"});
  std::string bytes = Bytes();
  bytes[19] ^= 1;
  SetBytes(bytes);
  const std::vector<std::string> seen = ReadAll();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen[1].starts_with("DATA_LOSS: /f: record 1 at byte 19: length checksum is 0x")) << seen[1];
}

TEST_F(RecordFileTest, EveryCutIsAnErrorExceptAtARecordBorder) {
  WriteRecords({"one", "two"});
  const std::string bytes = Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    SetBytes(bytes.substr(0, size));
    const std::vector<std::string> seen = ReadAll();
    if (size % 19 == 0) {
      EXPECT_EQ(seen.size(), size / 19);
    } else {
      ASSERT_EQ(seen.size(), size / 19 + 1) << size;
      EXPECT_NE(seen.back().find("truncated"), std::string::npos) << seen.back();
    }
  }
}

TEST_F(RecordFileTest, AWrongLengthDoesNotAllocateWhatTheFileDoesNotHold) {
  WriteRecords({"one"});
  std::string bytes = Bytes();
  const uint64_t length = uint64_t{1} << 50;
  bytes.replace(0, 8, reinterpret_cast<const char*>(&length), 8);
  const uint32_t crc = MaskCrc(Crc32c(std::string_view(bytes).substr(0, 8)));
  bytes.replace(8, 4, reinterpret_cast<const char*>(&crc), 4);
  SetBytes(bytes);
  const std::vector<std::string> seen = ReadAll();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_NE(seen[0].find("truncated record"), std::string::npos) << seen[0];
}

TEST_F(RecordFileTest, SkipsWithoutReadingAndFindsACut) {
  WriteRecords({"one", std::string(20'000, 'x'), "three"});
  std::unique_ptr<RecordReader> reader = Open();
  EXPECT_EQ(*reader->Skip(2), 2);
  std::string_view record;
  bool end = false;
  ASSERT_TRUE(reader->Next(&record, &end).ok());
  EXPECT_EQ(record, "three");
  EXPECT_EQ(*reader->Skip(5), 0);
  SetBytes(Bytes().substr(0, 10'000));
  EXPECT_EQ(Open()->Skip(2).status().code(), Code::kDataLoss);
}

TEST_F(RecordFileTest, ReportsDamagedCompression) {
  WriteRecords({std::string(50'000, 'x'), "two"}, Compression::kGzip);
  SetBytes(Bytes().substr(0, Bytes().size() / 2));
  const std::vector<std::string> seen = ReadAll(Compression::kGzip);
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(seen.back().starts_with("DATA_LOSS: /f: ")) << seen.back();
}

}  // namespace
}  // namespace headrace
