#include "checkpoint/retention.h"

#include <gmock/gmock.h>

#include "checkpoint/bundle_reader.h"
#include "checkpoint/snapshot.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;

class FakeClock final : public Clock {
 public:
  TimePoint Now() override { return TimePoint(Duration(micros * 1000)); }
  int64_t WallMicros() override { return micros; }
  int64_t micros = 1'700'000'000'000'000;
};

constexpr int64_t kHour = 3'600'000'000;

class RetentionTest : public ::testing::Test {
 protected:
  CheckpointRetention Open(RetentionOptions options) {
    Result<CheckpointRetention> retention = CheckpointRetention::Open(*files_, clock_, "d", options);
    EXPECT_TRUE(retention.ok()) << retention.status().ToString();
    return *std::move(retention);
  }
  void Save(CheckpointRetention& retention, const std::string& prefix) {
    ASSERT_TRUE(WriteBundle(*files_, prefix, {{"w", Tensor::Scalar(1.0f)}}).ok());
    ASSERT_TRUE(WriteFileAtomically(*files_, prefix + ".meta", "graph").ok());
    ASSERT_TRUE(retention.Record(prefix).ok());
  }
  bool Exists(const std::string& prefix) { return BundleReader::Open(*files_, prefix).ok(); }

  const std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
  FakeClock clock_;
};

TEST_F(RetentionTest, KeepsTheNewestAndDeletesAllFilesOfTheOthers) {
  CheckpointRetention retention = Open({.max_to_keep = 2});
  for (const char* prefix : {"d/m-1", "d/m-2", "d/m-10", "d/m-11"}) Save(retention, prefix);
  EXPECT_THAT(*files_->List("d"), ElementsAre("checkpoint", "m-10.data-00000-of-00001", "m-10.index", "m-10.meta",
                                              "m-11.data-00000-of-00001", "m-11.index", "m-11.meta"));
  EXPECT_EQ(*LatestCheckpoint(*files_, "d"), "d/m-11");
}

TEST_F(RetentionTest, KeepsOneOfEverySoManyHours) {
  CheckpointRetention retention = Open({.max_to_keep = 1, .keep_every_n_hours = 2});
  for (int i = 0; i < 6; ++i) {
    clock_.micros += kHour;
    Save(retention, StrCat("d/m-", i));
  }
  // m-1 is two hours after the start, m-3 two hours after m-1, m-5 the newest.
  EXPECT_THAT((std::vector{Exists("d/m-0"), Exists("d/m-1"), Exists("d/m-2"), Exists("d/m-3"), Exists("d/m-4"),
                           Exists("d/m-5")}),
              ElementsAre(false, true, false, true, false, true));
}

TEST_F(RetentionTest, GoesOnFromTheStateFile) {
  {
    CheckpointRetention retention = Open({.max_to_keep = 2});
    Save(retention, "d/m-1");
    Save(retention, "d/m-2");
  }
  CheckpointRetention retention = Open({.max_to_keep = 2});
  Save(retention, "d/m-3");
  EXPECT_FALSE(Exists("d/m-1"));
  EXPECT_TRUE(Exists("d/m-2"));
  Save(retention, "d/m-3");  // again: still two
  EXPECT_THAT(retention.state().all, ElementsAre("d/m-2", "d/m-3"));
}

TEST_F(RetentionTest, PathsBelowTheDirectoryAreWrittenRelative) {
  CheckpointRetention retention = Open({});
  Save(retention, "d/m-1");
  ASSERT_TRUE(retention.Record("/elsewhere/m-2").ok());
  EXPECT_THAT(
      *ReadWholeFile(*files_, "d/checkpoint"),
      ::testing::StartsWith("model_checkpoint_path: \"/elsewhere/m-2\"\nall_model_checkpoint_paths: \"m-1\"\n"));
  EXPECT_THAT(ReadCheckpointState(*files_, "d")->all, ElementsAre("d/m-1", "/elsewhere/m-2"));
  EXPECT_EQ(LatestCheckpoint(*files_, "d").status().code(), Code::kNotFound);  // named, but not there
}

TEST_F(RetentionTest, ReadsTensorFlowsStateFile) {
  const Result<CheckpointState> state = ReadCheckpointState(RealFileSystem(), "tests/golden/checkpoint");
  ASSERT_TRUE(state.ok()) << state.status().ToString();
  EXPECT_EQ(state->newest, "tests/golden/checkpoint/model.ckpt-20");
  EXPECT_THAT(state->all,
              ElementsAre("tests/golden/checkpoint/model.ckpt-10", "tests/golden/checkpoint/model.ckpt-20"));
  EXPECT_EQ(*LatestCheckpoint(RealFileSystem(), "tests/golden/checkpoint"), state->newest);
}

TEST_F(RetentionTest, AStateFileOfAnotherNameLeavesTheUsualOneAlone) {
  ASSERT_TRUE(WriteCheckpointState(*files_, "d", {.newest = "d/m-1"}).ok());
  ASSERT_TRUE(WriteCheckpointState(*files_, "d", {.newest = "d/best-1"}, "best").ok());
  EXPECT_EQ(ReadCheckpointState(*files_, "d")->newest, "d/m-1");
  EXPECT_EQ(ReadCheckpointState(*files_, "d", "best")->newest, "d/best-1");
}

TEST_F(RetentionTest, ADamagedStateFileSaysWhere) {
  ASSERT_TRUE(WriteFileAtomically(*files_, "d/checkpoint", "model_checkpoint_path: \"m\"\nall_model }").ok());
  const Status status = ReadCheckpointState(*files_, "d").status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), ::testing::StartsWith("d/checkpoint: line 2, column "));
  EXPECT_EQ(CheckpointRetention::Open(*files_, clock_, "d").status().code(), Code::kDataLoss);
}

TEST_F(RetentionTest, AnUpdateAfterASnapshotDoesNotReachIt) {
  const auto variable = std::make_shared<Variable>(DType::kFloat, PartialShape{2});
  const NamedVariable named[] = {{"w", variable}};
  EXPECT_EQ(TakeSnapshot(named).status().code(), Code::kFailedPrecondition);
  variable->Assign(Tensor::Vector<float>({1, 2}));
  Result<std::vector<SavedTensor>> snapshot = TakeSnapshot(named);
  ASSERT_TRUE(snapshot.ok());
  {
    std::unique_lock lock(variable->mutex());
    (*variable->MutableValueLocked(nullptr))->mutable_data<float>()[0] = 9;
  }
  ASSERT_TRUE(WriteBundle(*files_, "d/m", *std::move(snapshot)).ok());
  EXPECT_THAT((*BundleReader::Open(*files_, "d/m"))->Read("w")->data<float>(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace headrace
