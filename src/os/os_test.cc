// Tests of both file systems against the same expectations, and of the log.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <functional>

#include "os/clock.h"
#include "os/file_system.h"
#include "os/log.h"

namespace headrace {
namespace {

class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  FileSystemTest() {
    if (GetParam()) {
      char directory[] = "/tmp/headrace_os_test_XXXXXX";
      EXPECT_NE(mkdtemp(directory), nullptr);
      root_ = directory;
      files_ = &RealFileSystem();
    } else {
      memory_ = MakeInMemoryFileSystem();
      files_ = memory_.get();
      root_ = "/memory";
    }
  }
  ~FileSystemTest() override {
    Result<std::vector<std::string>> names = files_->List(root_);
    if (names.ok()) {
      for (const std::string& name : *names) (void)files_->Delete(JoinPath(root_, name)).ok();
    }
    if (GetParam()) ::remove(root_.c_str());
  }
  std::string Path(std::string_view name) const { return JoinPath(root_, name); }
  void Write(const std::string& path, std::string_view content) {
    ASSERT_TRUE(WriteFileAtomically(*files_, path, content).ok());
  }

  std::unique_ptr<FileSystem> memory_;
  FileSystem* files_;
  std::string root_;
};
INSTANTIATE_TEST_SUITE_P(RealAndInMemory, FileSystemTest, testing::Bool());

TEST_P(FileSystemTest, ReadsBackWhatItWrote) {
  std::string large(1'000'000, 'x');
  large[500'000] = 'y';
  Write(Path("file"), large);
  Result<std::string> content = ReadWholeFile(*files_, Path("file"));
  ASSERT_TRUE(content.ok()) << content.status().ToString();
  EXPECT_EQ(*content, large);
  EXPECT_EQ(*files_->SizeOf(Path("file")), 1'000'000);
  EXPECT_FALSE(files_->Exists(Path("file.tmp")));
}

TEST_P(FileSystemTest, ReadsAnywhereAndSaysWhereTheFileEnds) {
  Write(Path("file"), "0123456789");
  auto file = files_->OpenRandomAccess(Path("file"));
  ASSERT_TRUE(file.ok());
  char buffer[4];
  ASSERT_TRUE((*file)->ReadAt(3, 4, buffer).ok());
  EXPECT_EQ(std::string_view(buffer, 4), "3456");
  const Status status = (*file)->ReadAt(8, 4, buffer);
  EXPECT_EQ(status.code(), Code::kOutOfRange);
  EXPECT_NE(status.message().find("ends at byte 10"), std::string::npos) << status.ToString();
}

TEST_P(FileSystemTest, NamesAMissingFile) {
  const Status status = files_->OpenSequential(Path("missing")).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find(Path("missing")), std::string::npos) << status.ToString();
}

TEST_P(FileSystemTest, AppendsBehindWhatAFileHoldsAndMakesOneThatIsNotThere) {
  for (const std::string_view text : {"one", "two"}) {
    auto file = files_->OpenAppend(Path("file"));
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE((*file)->Append(text).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  EXPECT_EQ(*ReadWholeFile(*files_, Path("file")), "onetwo");
}

TEST_P(FileSystemTest, RenamesOverAnotherFile) {
  Write(Path("from"), "new");
  Write(Path("to"), "old");
  ASSERT_TRUE(files_->Rename(Path("from"), Path("to")).ok());
  EXPECT_EQ(*ReadWholeFile(*files_, Path("to")), "new");
  EXPECT_FALSE(files_->Exists(Path("from")));
  EXPECT_EQ(files_->Rename(Path("missing"), Path("to")).code(), Code::kNotFound);
}

TEST_P(FileSystemTest, MatchesPatternsInOrder) {
  for (const char* name : {"b-1", "a-2", "a-1", "c"}) Write(Path(name), name);
  Result<std::vector<std::string>> paths = files_->Match(Path("a-*"));
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(*paths, (std::vector<std::string>{Path("a-1"), Path("a-2")}));
  EXPECT_TRUE(files_->Match(Path("nothing*"))->empty());
}

TEST_P(FileSystemTest, SequentialReadsSkip) {
  Write(Path("file"), "0123456789");
  auto file = files_->OpenSequential(Path("file"));
  ASSERT_TRUE(file.ok());
  char buffer[16];
  EXPECT_EQ(*(*file)->Read(2, buffer), 2);
  ASSERT_TRUE((*file)->Skip(5).ok());
  EXPECT_EQ(*(*file)->Read(16, buffer), 3);
  EXPECT_EQ(std::string_view(buffer, 3), "789");
}

TEST(PathTest, JoinsWithOneSlash) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(JoinPath("a", "/b"), "/b");
}

TEST(LogTest, WritesToTheSinkThatIsSet) {
  std::string seen;
  LogSink before =
      SetLogSink([&](LogLevel, std::string_view room, std::string_view message) { seen = StrCat(room, "|", message); });
  LogInfo("test", "value=", 3);
  SetLogSink(before);
  EXPECT_EQ(seen, "test|value=3");
}

TEST(EntropyTest, GivesDifferentBits) { EXPECT_NE(RandomBits(), RandomBits()); }

}  // namespace
}  // namespace headrace
