// Tests of event.h. The bytes of single events are those that TensorFlow's messages serialize to.
#include "format/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/record_file.h"

namespace headrace {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

const std::string kSummary = "\x0a\x08\x0a\x01\x61\x15\x00\x00\x40\x40"s;

TEST(EventTest, BytesAreTensorFlows) {
  EXPECT_EQ(EncodeEvent({EventKind::kSummary, kSummary, 300, 1.5}),
            "\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xac\x02\x2a\x0a"s + kSummary);
  EXPECT_EQ(EncodeEvent({EventKind::kFileVersion, "brain.Event:2", 0, 1e9}),
            "\x09\x00\x00\x00\x00\x65\xcd\xcd\x41\x1a\x0d"s + "brain.Event:2");
  EXPECT_EQ(EncodeSessionLog(SessionStatus::kCheckpoint, "p", "m"), "\x08\x03\x12\x01p\x1a\x01m");
  EXPECT_EQ(EncodeTaggedRunMetadata("t", "r"), "\x0a\x01t\x12\x01r");
}

/// A clock that stands still.
class StoppedClock final : public Clock {
 public:
  TimePoint Now() override { return TimePoint(); }
  int64_t WallMicros() override { return 1'700'000'000'500'000; }
};

/// Keeps a callback until the test runs it.
class ManualTimers final : public Timers {
 public:
  uint64_t At(TimePoint when, std::function<void()> callback) override {
    due_ = when;
    callback_ = std::move(callback);
    return 1;
  }
  bool Cancel(uint64_t) override { return false; }

  TimePoint due() const { return due_; }
  bool armed() const { return callback_ != nullptr; }
  void Fire() { std::exchange(callback_, nullptr)(); }

 private:
  TimePoint due_;
  std::function<void()> callback_;
};

class EventWriterTest : public ::testing::Test {
 protected:
  std::vector<std::string> Records(const std::string& path) {
    std::vector<std::string> records;
    const auto reader = RecordReader::Open(*files_, path);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    std::string_view record;
    for (bool end = false; reader.ok() && (*reader)->Next(&record, &end).ok() && !end;) records.emplace_back(record);
    return records;
  }

  std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
  StoppedClock clock_;
  EventRuntime runtime_{.files = files_.get(), .clock = &clock_};
};

TEST_F(EventWriterTest, FilesAreNamedByTimeAndHostAndBeginWithTheirVersion) {
  const auto writer = EventWriter::Create("logs", {.suffix = ".eval"}, runtime_);
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  EXPECT_THAT((*writer)->path(), testing::MatchesRegex("logs/events\\.out\\.tfevents\\.1700000000\\..+\\.eval"));
  EXPECT_THAT(Records((*writer)->path()),
              ElementsAre(EncodeEvent({EventKind::kFileVersion, "brain.Event:2", 0, 1'700'000'000.5})));
  const auto second = EventWriter::Create("logs", {.suffix = ".eval"}, runtime_);
  ASSERT_TRUE(second.ok());
  EXPECT_NE((*second)->path(), (*writer)->path()) << "two writers of one second would overwrite each other";
}

TEST_F(EventWriterTest, EventsComeInOrderAndAreThereAfterFlush) {
  const auto writer = EventWriter::Create("logs", {}, runtime_);
  ASSERT_TRUE(writer.ok());
  for (int64_t step = 1; step <= 100; ++step) ASSERT_TRUE((*writer)->Add(EventKind::kSummary, kSummary, step).ok());
  ASSERT_TRUE((*writer)->Flush().ok());
  const std::vector<std::string> records = Records((*writer)->path());
  ASSERT_EQ(records.size(), 101u);
  for (int64_t step = 1; step <= 100; ++step) {
    EXPECT_EQ(records[static_cast<size_t>(step)], EncodeEvent({EventKind::kSummary, kSummary, step, 1'700'000'000.5}));
  }
  EXPECT_TRUE((*writer)->Close().ok());
  EXPECT_TRUE((*writer)->Close().ok());
  EXPECT_EQ((*writer)->Add(EventKind::kSummary, kSummary, 1).code(), Code::kFailedPrecondition);
}

TEST_F(EventWriterTest, ATimerBringsWhatWasAddedToTheFile) {
  const std::unique_ptr<ThreadPool> real = MakeThreadPool("events", 1);
  ManualTimers manual;
  runtime_.timers = &manual;
  runtime_.blocking = real.get();
  const auto writer = EventWriter::Create("logs", {.flush_seconds = 2}, runtime_);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(manual.armed());
  EXPECT_EQ(manual.due(), TimePoint(std::chrono::seconds(2)));
  manual.Fire();
  EXPECT_FALSE(manual.armed()) << "nothing new to bring";
  ASSERT_TRUE((*writer)->Add(EventKind::kSummary, kSummary, 1).ok());
  EXPECT_TRUE(manual.armed());
  ASSERT_TRUE((*writer)->Close().ok());
  manual.Fire();  // after the end: harmless
}

TEST_F(EventWriterTest, AFileThatCannotBeMadeIsAnError) { EXPECT_FALSE(EventWriter::Create("/proc/no/such", {}).ok()); }

}  // namespace
}  // namespace headrace
