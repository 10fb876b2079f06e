// Event files, which TensorBoard reads: "events.out.tfevents.SECONDS.HOST", a record file of events.
//
//   event = wall_time   field 1, double: seconds since 1970
//           step        field 2, varint; absent for 0
//           what        one of the fields 3 to 9, bytes: file version, graph, summary, log message, session log, tagged
//                       run metadata, meta graph
//
// The first event of a file holds the file version "brain.Event:2".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "os/clock.h"
#include "os/file_system.h"
#include "sync/thread_pool.h"
#include "sync/timers.h"

namespace headrace {

/// What an event holds: the numbers of its fields.
enum class EventKind {
  kFileVersion = 3,
  kGraphDef = 4,
  kSummary = 5,
  kSessionLog = 7,
  kTaggedRunMetadata = 8,
  kMetaGraphDef = 9
};

enum class SessionStatus { kStart = 1, kStop = 2, kCheckpoint = 3 };

struct HR_EXPORT Event {
  EventKind kind;
  std::string value;  // a text, or a message in wire form
  int64_t step = 0;
  double wall_time = 0;
};

HR_EXPORT std::string EncodeEvent(const Event& event);
/// The values of two kinds of events.
HR_EXPORT std::string EncodeSessionLog(SessionStatus status, std::string_view checkpoint_path,
                                       std::string_view message);
HR_EXPORT std::string EncodeTaggedRunMetadata(std::string_view tag, std::string_view run_metadata);

/// The machine's services that a writer uses.
struct HR_EXPORT EventRuntime {
  FileSystem* files = &RealFileSystem();
  Clock* clock = &RealClock();
  ThreadPool* blocking = &BlockingPool();
  Timers* timers = &SharedTimers();
};

struct HR_EXPORT EventWriterOptions {
  std::string suffix = {};     // of the file's name
  double flush_seconds = 120;  // what was added is in the file at most so much later
};

/// Appends events to a new file of its own. Thread-safe. Adding does not wait for the disk: files are written on the blocking
/// pool. Dropping the writer closes it.
class HR_EXPORT EventWriter {
 public:
  /// Makes the directory where it is missing. Errors: the file system's.
  static Result<std::unique_ptr<EventWriter>> Create(const std::string& directory, EventWriterOptions options = {},
                                                     const EventRuntime& runtime = {});
  ~EventWriter();

  /// Adds an event with the time of now. Errors: an earlier one of the file's; kFailedPrecondition after Close.
  Status Add(EventKind kind, std::string value, int64_t step = 0);
  /// Waits until all that was added is in the file, and durable.
  Status Flush();
  Status Close();
  const std::string& path() const;

 private:
  struct State;
  explicit EventWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const std::shared_ptr<State> state_;
};

}  // namespace headrace
