#include "format/table.h"

#include <gmock/gmock.h>
#include <snappy.h>

#include <random>

#include "format/crc32c.h"
#include "format/little_endian.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;
using Entries = std::vector<std::pair<std::string, std::string>>;

class TableTest : public ::testing::Test {
 protected:
  void Write(const Entries& entries) {
    Result<std::unique_ptr<WritableFile>> file = files_->Create("t");
    ASSERT_TRUE(file.ok());
    TableWriter writer(*std::move(file));
    for (const auto& [key, value] : entries) ASSERT_TRUE(writer.Add(key, value).ok());
    ASSERT_TRUE(writer.Finish().ok());
  }
  std::string Bytes() { return *ReadWholeFile(*files_, "t"); }
  void SetBytes(const std::string& bytes) { ASSERT_TRUE(WriteFileAtomically(*files_, "t", bytes).ok()); }
  Status Read(Entries* entries) {
    return ReadTable(*files_, "t", [&](std::string_view key, std::string_view value) {
      entries->emplace_back(key, value);
      return OkStatus();
    });
  }

  const std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
};

Entries ManyEntries(int count) {
  Entries entries;
  for (int i = 0; i < count; ++i)
    entries.emplace_back(StrCat("key/", 100'000 + i), std::string(static_cast<size_t>(i % 97), 'v'));
  return entries;
}

TEST_F(TableTest, ReadsWhatItWrote) {
  for (const Entries& entries :
       {Entries{}, Entries{{"", "header"}}, Entries{{"a", ""}, {"ab", "2"}, {"b", "3"}}, ManyEntries(20'000)}) {
    Write(entries);
    Entries read;
    ASSERT_TRUE(Read(&read).ok());
    EXPECT_EQ(read, entries);
  }
}

TEST_F(TableTest, RefusesKeysThatDoNotAscend) {
  TableWriter writer(*files_->Create("t"));
  ASSERT_TRUE(writer.Add("b", "").ok());
  EXPECT_EQ(writer.Add("b", "").code(), Code::kInvalidArgument);
  EXPECT_EQ(writer.Add("a", "").code(), Code::kInvalidArgument);
}

/// A table of one data block with the content given, stored as `type`.
std::string TableOf(std::string stored, char type) {
  std::string file;
  const auto add_block = [&file](std::string block, char block_type) {
    std::string handle;
    AppendVarint(handle, file.size());
    AppendVarint(handle, block.size());
    block += block_type;
    AppendFixed32(block, MaskCrc(Crc32c(block)));
    file += block;
    return handle;
  };
  const std::string no_entries("\0\0\0\0\1\0\0\0", 8);
  const std::string data = add_block(std::move(stored), type);
  std::string footer = add_block(no_entries, 0);
  std::string index("\0\1", 2);
  AppendVarint(index, data.size());
  footer += add_block(index + "z" + data + no_entries, 0);
  footer.resize(40);
  AppendFixed64(footer, 0xdb4775248b80fb57);
  return file + footer;
}

TEST_F(TableTest, ReadsSnappyBlocks) {
  const std::string value(1000, 'v');
  std::string content("\0\1", 2), compressed;
  AppendVarint(content, value.size());
  content += "k" + value + std::string("\0\0\0\0\1\0\0\0", 8);
  snappy::Compress(content.data(), content.size(), &compressed);
  SetBytes(TableOf(compressed, 1));
  Entries entries;
  ASSERT_TRUE(Read(&entries).ok());
  EXPECT_EQ(entries, (Entries{{"k", value}}));
}

TEST_F(TableTest, ASnappyLengthThatCannotBeIsNotBelieved) {
  SetBytes(
      TableOf("\xff\xff\xff\xff\x0f"
              "abc",
              1));  // says 4 GiB
  Entries entries;
  const Status status = Read(&entries);
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("does not inflate"));
}

TEST_F(TableTest, UnsoundContentWithARightChecksumIsAnError) {
  for (const std::string& content :
       {std::string("\5\1\0k\0\0\0\0\1\0\0\0", 12), std::string("\0\x7f\0k\0\0\0\0\1\0\0\0", 12),
        std::string("\0\0\0\x10", 4), std::string("\1", 1),
        std::string("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0k\0\0\0\0\1\0\0\0", 21)}) {
    SetBytes(TableOf(content, 0));
    Entries entries;
    EXPECT_EQ(Read(&entries).code(), Code::kDataLoss) << content.size();
  }
}

TEST_F(TableTest, EveryTruncationIsAnError) {
  Write(ManyEntries(40));
  const std::string bytes = Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    SetBytes(bytes.substr(0, size));
    Entries entries;
    const Status status = Read(&entries);
    ASSERT_EQ(status.code(), Code::kDataLoss) << size;
    ASSERT_THAT(status.message(), HasSubstr("t: "));
  }
}

TEST_F(TableTest, AFlippedBitIsAnErrorOrChangesNothing) {
  Write(ManyEntries(300));
  const std::string bytes = Bytes();
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = bytes;
    // Half of the flips hit the footer, the only part without a checksum.
    const size_t at = i % 2 == 0 ? random() % damaged.size() : damaged.size() - 1 - random() % 48;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    SetBytes(damaged);
    Entries entries;
    const Status status = Read(&entries);
    if (status.ok()) {
      ASSERT_EQ(entries, ManyEntries(300)) << "seed " << kSeed << ", try " << i;
    } else {
      ASSERT_EQ(status.code(), Code::kDataLoss) << status.ToString();
    }
  }
}

}  // namespace
}  // namespace headrace
