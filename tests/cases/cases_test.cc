// Makes a test of each block in tests/cases/*/*.case.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "case_checks.h"
#include "ops/register.h"

namespace headrace::cases {
namespace {

namespace fs = std::filesystem;

class CaseTest : public testing::Test {
 public:
  CaseTest(std::string file, CaseBlock block) : file_(std::move(file)), block_(std::move(block)) {}
  void TestBody() override {
    const Status status = CheckCase(block_);
    EXPECT_TRUE(status.ok()) << file_ << ":" << block_.line << ": " << block_.op << ": " << block_.title << "\n"
                             << status.ToString();
  }

 private:
  const std::string file_;
  const CaseBlock block_;
};

/// A file that could not be read.
class BrokenFileTest : public testing::Test {
 public:
  explicit BrokenFileTest(std::string message) : message_(std::move(message)) {}
  void TestBody() override { FAIL() << message_; }

 private:
  const std::string message_;
};

void AddFile(const fs::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const std::string family = path.parent_path().filename().string();
  const std::string file = path.string();
  Result<std::vector<CaseBlock>> blocks = ParseCaseFile(text.str());
  if (!blocks.ok() || blocks->empty()) {
    const std::string message = StrCat(file, ": ", blocks.ok() ? "has no block" : blocks.status().message());
    testing::RegisterTest(family.c_str(), path.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
                          [message]() -> testing::Test* { return new BrokenFileTest(message); });
    return;
  }
  for (const CaseBlock& block : *blocks) {
    const std::string name = StrCat(path.stem().string(), "_", block.op, "_line_", block.line);
    testing::RegisterTest(family.c_str(), name.c_str(), nullptr, block.title.c_str(), file.c_str(), block.line,
                          [file, block]() -> testing::Test* { return new CaseTest(file, block); });
  }
}

}  // namespace
}  // namespace headrace::cases

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator("tests/cases")) {
    if (entry.path().extension() == ".case") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  headrace::RegisterAllOps();
  for (const fs::path& file : files) headrace::cases::AddFile(file);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
