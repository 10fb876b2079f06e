// Tests of checkpoint_state.h.
#include "train/checkpoint_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct CheckpointStateTest : testing::Test {
  void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(files->MakeDirectories("/dir").ok());
    ASSERT_TRUE(WriteFileAtomically(*files, path, content).ok());
  }
  void WriteCheckpoint(const std::string& prefix) {
    Write(prefix + ".index", "i");
    Write(prefix + ".data-00000-of-00001", "d");
  }
  std::unique_ptr<FileSystem> files = MakeInMemoryFileSystem();
};

TEST_F(CheckpointStateTest, WhatIsWrittenIsReadAndInsidePathsAreRelative) {
  Write("/dir/x", "");
  const CheckpointState state = {.latest = "/dir/m-2", .all = {"/else/m-1", "/dir/m-2"}};
  ASSERT_TRUE(WriteCheckpointState(*files, "/dir", state).ok());
  const Result<std::string> text = ReadWholeFile(*files, "/dir/checkpoint");
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "model_checkpoint_path: \"m-2\"\n"
                   "all_model_checkpoint_paths: \"/else/m-1\"\n"
                   "all_model_checkpoint_paths: \"m-2\"\n");
  const Result<CheckpointState> read = ReadCheckpointState(*files, "/dir");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->latest, "/dir/m-2");
  EXPECT_THAT(read->all, ElementsAre("/else/m-1", "/dir/m-2"));
}

TEST_F(CheckpointStateTest, ReadsWhatTensorFlowWrites) {
  Write("/dir/checkpoint", "model_checkpoint_path: \"a\\\"b\\303\\244-1\"\nall_model_checkpoint_paths: \"/abs\"\n"
                           "all_model_checkpoint_timestamps: 1764.5\nlast_preserved_timestamp: 1764.1\n");
  const Result<CheckpointState> read = ReadCheckpointState(*files, "/dir");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->latest, "/dir/a\"b\xc3\xa4-1");
  EXPECT_THAT(read->all, ElementsAre("/abs"));
}

TEST_F(CheckpointStateTest, ADamagedFileIsDataLossAndAMissingOneIsNotFound) {
  EXPECT_EQ(ReadCheckpointState(*files, "/dir").status().code(), Code::kNotFound);
  for (const char* text : {"", "model_checkpoint_path: \"abc", "model_checkpoint_path: abc\n", "all_model_checkpoint_paths: \"x\"\n"}) {
    Write("/dir/checkpoint", text);
    EXPECT_EQ(ReadCheckpointState(*files, "/dir").status().code(), Code::kDataLoss) << text;
  }
}

TEST_F(CheckpointStateTest, LatestIsEmptyWithoutACheckpoint) {
  EXPECT_EQ(*LatestCheckpoint(*files, "/dir"), "");
  Write("/dir/checkpoint", "model_checkpoint_path: \"m-1\"\n");
  EXPECT_EQ(*LatestCheckpoint(*files, "/dir"), "") << "the file names one that is gone";
  WriteCheckpoint("/dir/m-1");
  EXPECT_EQ(*LatestCheckpoint(*files, "/dir"), "/dir/m-1");
}

TEST_F(CheckpointStateTest, TheOldestCheckpointsGo) {
  CheckpointRetention retention(2);
  for (const char* prefix : {"/dir/m-1", "/dir/m-2", "/dir/m-3"}) {
    WriteCheckpoint(prefix);
    ASSERT_TRUE(retention.Add(*files, prefix).ok());
  }
  EXPECT_THAT(retention.kept(), ElementsAre("/dir/m-2", "/dir/m-3"));
  EXPECT_FALSE(files->Exists("/dir/m-1.index"));
  EXPECT_FALSE(files->Exists("/dir/m-1.data-00000-of-00001"));
  EXPECT_TRUE(files->Exists("/dir/m-2.index"));
  EXPECT_EQ(*LatestCheckpoint(*files, "/dir"), "/dir/m-3");
}

TEST_F(CheckpointStateTest, AResumedProgramTakesOverWhatIsThere) {
  for (const char* prefix : {"/dir/m-1", "/dir/m-2"}) WriteCheckpoint(prefix);
  ASSERT_TRUE(WriteCheckpointState(*files, "/dir", {.latest = "/dir/m-2", .all = {"/dir/m-1", "/dir/m-2"}}).ok());
  CheckpointRetention retention(2);
  ASSERT_TRUE(retention.Recover(*files, "/dir").ok());
  WriteCheckpoint("/dir/m-3");
  ASSERT_TRUE(retention.Add(*files, "/dir/m-3").ok());
  EXPECT_THAT(retention.kept(), ElementsAre("/dir/m-2", "/dir/m-3"));
  EXPECT_FALSE(files->Exists("/dir/m-1.index"));
}

}  // namespace
}  // namespace headrace::train
