// Reader: the resource behind the reader ops of TensorFlow 1: takes file names from a queue and gives out the records of one file
// after the other, to all steps that ask. Only one call reads at a time, the others wait in line; nothing holds a thread but the reading
// itself, which is on the blocking pool, some records ahead.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/resource.h"
#include "kernel/runtime.h"
#include "ops/data_flow/queue.h"

namespace headrace {

struct KeyedRecord {
  std::string key;
  std::string value;
};

/// The records of one file. One thread at a time.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  virtual Status Next(KeyedRecord* record, bool* end) = 0;
};

using OpenRecordSource = std::function<Result<std::unique_ptr<RecordSource>>(FileSystem&, const std::string& path)>;

/// Thread-safe.
class Reader final : public Resource, public std::enable_shared_from_this<Reader> {
 public:
  static constexpr std::string_view kTypeName = "Reader";
  using Done = std::function<void(const Status&, std::vector<KeyedRecord>)>;

  explicit Reader(OpenRecordSource open);

  /// Gives the next records of one file: at least one, up to `max_records`. Goes on to the next file of the queue at the end of
  /// one. Errors: of the queue (kOutOfRange at its end) and of the file, which is then left.
  void Read(std::shared_ptr<Queue> queue, int64_t max_records, const Runtime& runtime, CancellationToken* cancellation,
            Done done);
  /// Leaves the file and begins to count anew. `done` gets no records.
  void Reset(CancellationToken* cancellation, Done done);

  int64_t num_records_produced() const { return num_produced_.load(); }
  int64_t num_work_units_completed() const { return num_completed_.load(); }
  std::string DebugString() const override { return StrCat("Reader after ", num_records_produced(), " records"); }

 private:
  struct Call {
    std::shared_ptr<Queue> queue;
    int64_t max_records;
    const Runtime* runtime;
    CancellationToken* cancellation;
    Done done;
  };
  void TakeTurn(CancellationToken* cancellation, std::function<void(const Status&)> then);
  void EndTurn();
  void Continue(const std::shared_ptr<Call>& call);
  void TakeFile(const std::shared_ptr<Call>& call);
  void ReadAhead(const std::shared_ptr<Call>& call);
  Status Fill(FileSystem& files);
  void Finish(const std::shared_ptr<Call>& call, const Status& status, std::vector<KeyedRecord> records);

  const OpenRecordSource open_;
  const std::shared_ptr<Queue> turn_;  // holds one element while nobody reads
  std::atomic<int64_t> num_produced_{0};
  std::atomic<int64_t> num_completed_{0};

  // Of the call whose turn it is.
  std::string path_;
  bool has_file_ = false;  // at a file that is not at its end
  std::unique_ptr<RecordSource> source_;
  std::deque<KeyedRecord> ready_;
  Status ready_status_;  // comes after what is ready
  bool at_end_ = false;  // so does the file's end
};

}  // namespace headrace
