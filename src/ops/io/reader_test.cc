// Readers call by call: who waits for a file name, what a bad file costs, and the records of each kind of file.
#include "ops/io/reader.h"

#include <gtest/gtest.h>

#include "ops/io/record_sources.h"
#include "sync/notification.h"

namespace headrace {
namespace {

struct Call {
  Notification done;
  Status status;
  std::vector<std::string> keys;
  std::vector<std::string> values;
};

class ReaderTest : public testing::Test {
 protected:
  ReaderTest() {
    runtime_.files = files_.get();
    QueueSpec spec;
    spec.name = "names";
    spec.types = {DType::kString};
    spec.capacity = 9;
    queue_ = std::make_shared<Queue>(std::move(spec));
  }

  void Write(const std::string& path, std::string_view content) {
    ASSERT_TRUE(WriteFileAtomically(*files_, path, content).ok());
  }
  void AddName(const std::string& path) {
    queue_->Enqueue({{Tensor::Scalar<std::string>(path)}}, nullptr, [](const Status&, const auto&) {});
  }
  void CloseNames() {
    queue_->Close(false, nullptr, [](const Status&, const auto&) {});
  }
  void Start(Call* call, int64_t max_records = 1, CancellationToken* token = nullptr) {
    reader_->Read(queue_, max_records, runtime_, token, [call](const Status& status, std::vector<KeyedRecord> records) {
      call->status = status;
      for (KeyedRecord& record : records) {
        call->keys.push_back(std::move(record.key));
        call->values.push_back(std::move(record.value));
      }
      call->done.Notify();
    });
  }
  /// The next record's key and value, or the error.
  std::string Next() {
    Call call;
    Start(&call);
    call.done.Wait();
    return call.status.ok() ? StrCat(call.keys[0], " ", call.values[0]) : call.status.ToString();
  }

  const std::unique_ptr<FileSystem> files_ = MakeInMemoryFileSystem();
  Runtime runtime_ = *Runtime::Default();
  std::shared_ptr<Queue> queue_;
  std::shared_ptr<Reader> reader_ = std::make_shared<Reader>(TextLineSource(0));
};

TEST_F(ReaderTest, ReadsOneFileAfterTheOtherToTheEndOfTheQueue) {
  Write("a", "one\ntwo\r\n\nfour");
  Write("b", "x\n");
  Write("empty", "");
  for (const char* name : {"a", "empty", "b"}) AddName(name);
  CloseNames();
  for (const char* expected : {"a:1 one", "a:2 two", "a:3 ", "a:4 four", "b:1 x"}) EXPECT_EQ(Next(), expected);
  EXPECT_EQ(reader_->num_work_units_completed(), 2);
  EXPECT_EQ(Next(),
            "OUT_OF_RANGE: FIFOQueue 'names' is closed and has insufficient elements (requested 1, current size 0)");
  EXPECT_EQ(reader_->num_records_produced(), 5);
  EXPECT_EQ(reader_->num_work_units_completed(), 3);
}

TEST_F(ReaderTest, ThoseWhoWaitForAFileNameAreServedInOrderAndHoldNobodyUp) {
  Write("a", "one\ntwo\n");
  Call first, second;
  Start(&first);
  Start(&second);
  EXPECT_EQ(reader_->num_records_produced(), 0);  // may be asked meanwhile
  AddName("a");
  first.done.Wait();
  second.done.Wait();
  EXPECT_EQ(first.values, std::vector<std::string>{"one"});
  EXPECT_EQ(second.values, std::vector<std::string>{"two"});
}

TEST_F(ReaderTest, CancellationEndsWhoWaitsForAFileNameAndWhoWaitsBehind) {
  CancellationToken token, other;
  Call first, second, third;
  Start(&first, 1, &token);
  Start(&second, 1, &other);
  Start(&third);
  other.Cancel(Cancelled("enough"));
  EXPECT_TRUE(second.done.HasBeenNotified());
  token.Cancel(DeadlineExceeded("too late"));
  EXPECT_TRUE(first.done.HasBeenNotified());
  EXPECT_EQ(first.status.code(), Code::kDeadlineExceeded);
  Write("a", "one\n");
  AddName("a");
  third.done.Wait();
  EXPECT_EQ(third.values, std::vector<std::string>{"one"});
}

TEST_F(ReaderTest, AMissingFileIsOneErrorAndTheNextFileIsRead) {
  Write("b", "x\n");
  AddName("missing");
  AddName("b");
  EXPECT_EQ(Next().substr(0, 10), "NOT_FOUND:");
  EXPECT_EQ(Next(), "b:1 x");
}

TEST_F(ReaderTest, ADamagedRecordComesAfterTheRecordsBeforeItAndBeforeThoseBehind) {
  auto writer = RecordWriter::Create(*files_, "r");
  for (const char* record : {"one", "two", "three"}) ASSERT_TRUE((*writer)->Write(record).ok());
  ASSERT_TRUE((*writer)->Close().ok());
  std::string bytes = *ReadWholeFile(*files_, "r");
  bytes[bytes.find("two")] = 'T';
  Write("r", bytes);
  reader_ = std::make_shared<Reader>(TfRecordSource(Compression::kNone));
  AddName("r");
  EXPECT_EQ(Next(), "r:0 one");
  EXPECT_EQ(Next().substr(0, 10), "DATA_LOSS:");
  EXPECT_EQ(Next(), "r:38 three");
}

TEST_F(ReaderTest, AsManyRecordsAsAreWantedAlsoMoreThanAreReadAtOnce) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += StrCat(i, "\n");
  Write("a", lines);
  AddName("a");
  Call some, rest;
  Start(&some, 700);
  some.done.Wait();
  Start(&rest, 700);
  rest.done.Wait();
  EXPECT_EQ(some.values.size(), 700u);
  EXPECT_EQ(rest.values.size(), 300u);
  EXPECT_EQ(rest.values.back(), "999");
}

TEST_F(ReaderTest, AResetLeavesTheFile) {
  Write("a", "one\ntwo\n");
  Write("b", "x\n");
  AddName("a");
  AddName("b");
  EXPECT_EQ(Next(), "a:1 one");
  Notification done;
  reader_->Reset(nullptr, [&done](const Status&, const auto&) { done.Notify(); });
  done.Wait();
  EXPECT_EQ(reader_->num_records_produced(), 0);
  EXPECT_EQ(Next(), "b:1 x");
}

TEST_F(ReaderTest, RecordsOfOneLengthLieBetweenHeaderAndFooter) {
  Write("f", "HHaabbccddF");
  const auto read_all = [this](const FixedLength& layout) {
    reader_ = std::make_shared<Reader>(FixedLengthSource(layout, Compression::kNone));
    AddName("f");
    Call call;
    Start(&call, 99);
    call.done.Wait();
    return StrJoin(call.values, ",");
  };
  EXPECT_EQ(read_all({2, 2, 1, 0}), "aa,bb,cc,dd");
  EXPECT_EQ(read_all({2, 3, 1, 0}), "aab,bcc");
  EXPECT_EQ(read_all({0, 3, 0, 0}), "HHa,abb,ccd");
  EXPECT_EQ(read_all({2, 4, 1, 2}), "aabb,bbcc,ccdd");
  EXPECT_EQ(read_all({0, 2, 0, 3}), "HH,ab,cc,dF");
}

}  // namespace
}  // namespace headrace
