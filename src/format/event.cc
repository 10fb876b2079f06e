#include "format/event.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <vector>

#include "format/little_endian.h"
#include "format/record_file.h"
#include "os/host.h"
#include "sync/notification.h"

namespace headrace {

namespace {

constexpr std::string_view kFileVersion = "brain.Event:2";
constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2;  // wire types

void AppendTag(std::string& out, int field, uint64_t wire_type) {
  AppendVarint(out, static_cast<uint64_t>(field) << 3 | wire_type);
}
void AppendBytes(std::string& out, int field, std::string_view bytes) {
  AppendTag(out, field, kBytes);
  AppendVarint(out, bytes.size());
  out += bytes;
}
void AppendNumber(std::string& out, int field, uint64_t number) {
  AppendTag(out, field, kVarint);
  AppendVarint(out, number);
}

// A name that no file has: TensorFlow's, or that with a number for writers that began in one second.
std::string FileName(FileSystem& files, const std::string& directory, int64_t seconds, const std::string& suffix) {
  std::string digits = StrCat(seconds);
  digits.insert(0, 10 - std::min<size_t>(10, digits.size()), '0');
  const std::string name = JoinPath(directory, StrCat("events.out.tfevents.", digits, ".", HostName()));
  std::string path = name + suffix;
  for (int i = 1; files.Exists(path); ++i) path = StrCat(name, ".", i, suffix);
  return path;
}

}  // namespace

std::string EncodeEvent(const Event& event) {
  std::string out;
  out.reserve(event.value.size() + 32);
  AppendTag(out, 1, kFixed64);
  AppendFixed64(out, std::bit_cast<uint64_t>(event.wall_time));
  if (event.step != 0) AppendNumber(out, 2, static_cast<uint64_t>(event.step));
  AppendBytes(out, static_cast<int>(event.kind), event.value);
  return out;
}

std::string EncodeSessionLog(SessionStatus status, std::string_view checkpoint_path, std::string_view message) {
  std::string out;
  AppendNumber(out, 1, static_cast<uint64_t>(status));
  if (!checkpoint_path.empty()) AppendBytes(out, 2, checkpoint_path);
  if (!message.empty()) AppendBytes(out, 3, message);
  return out;
}

std::string EncodeTaggedRunMetadata(std::string_view tag, std::string_view run_metadata) {
  std::string out;
  if (!tag.empty()) AppendBytes(out, 1, tag);
  if (!run_metadata.empty()) AppendBytes(out, 2, run_metadata);
  return out;
}

// Shared with the task that writes and with the timer, which may outlive the writer.
struct EventWriter::State : std::enable_shared_from_this<State> {
  State(std::string file_path, EventWriterOptions what, const EventRuntime& services)
      : path(std::move(file_path)), options(std::move(what)), runtime(services) {}

  // REQUIRES: mutex held. At most one task writes at a time.
  void ScheduleLocked() {
    if (writing) return;
    writing = true;
    runtime.blocking->Schedule([self = shared_from_this()] { self->WriteAll(); });
  }
  void WriteAll();
  void ArmTimerLocked();

  const std::string path;
  const EventWriterOptions options;
  const EventRuntime runtime;
  std::unique_ptr<RecordWriter> file;  // of the task that writes

  std::mutex mutex;  // guards the rest
  std::vector<std::string> pending;
  std::vector<std::shared_ptr<Notification>> waiting;  // for a flush
  bool sync = false;
  bool writing = false;
  bool timer_armed = false;
  bool closed = false;
  Status status;  // the first error
};

void EventWriter::State::WriteAll() {
  for (;;) {
    std::vector<std::string> records;
    std::vector<std::shared_ptr<Notification>> waiters;
    bool wants_sync = false;
    Status result;
    {
      const std::lock_guard lock(mutex);
      if (pending.empty() && !sync) {
        writing = false;
        return;
      }
      records.swap(pending);
      waiters.swap(waiting);
      std::swap(wants_sync, sync);
      result = status;
    }
    for (auto record = records.begin(); record != records.end() && result.ok(); ++record) result = file->Write(*record);
    if (wants_sync && result.ok()) result = file->Sync();
    {
      const std::lock_guard lock(mutex);
      if (status.ok()) status = result;
    }
    for (const auto& waiter : waiters) waiter->Notify();
  }
}

void EventWriter::State::ArmTimerLocked() {
  if (timer_armed) return;
  timer_armed = true;
  const auto delay = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.flush_seconds));
  runtime.timers->At(runtime.clock->Now() + delay, [weak = weak_from_this()] {
    const std::shared_ptr<State> self = weak.lock();
    if (self == nullptr) return;
    const std::lock_guard lock(self->mutex);
    self->timer_armed = false;
    if (self->closed) return;
    self->sync = true;
    self->ScheduleLocked();
  });
}

Result<std::unique_ptr<EventWriter>> EventWriter::Create(const std::string& directory, EventWriterOptions options,
                                                         const EventRuntime& runtime) {
  HR_RETURN_IF_ERROR(runtime.files->MakeDirectories(directory));
  const std::string path = FileName(*runtime.files, directory, runtime.clock->WallMicros() / 1'000'000, options.suffix);
  auto state = std::make_shared<State>(path, std::move(options), runtime);
  HR_ASSIGN_OR_RETURN(state->file, RecordWriter::Create(*runtime.files, path));
  std::unique_ptr<EventWriter> writer(new EventWriter(std::move(state)));
  HR_RETURN_IF_ERROR(writer->Add(EventKind::kFileVersion, std::string(kFileVersion)));
  HR_RETURN_IF_ERROR(writer->Flush());
  return writer;
}

EventWriter::~EventWriter() { (void)Close().ok(); }

const std::string& EventWriter::path() const { return state_->path; }

Status EventWriter::Add(EventKind kind, std::string value, int64_t step) {
  const double now = static_cast<double>(state_->runtime.clock->WallMicros()) / 1e6;
  std::string record = EncodeEvent({kind, std::move(value), step, now});
  const std::lock_guard lock(state_->mutex);
  if (state_->closed) return FailedPrecondition(state_->path, ": the event file is closed");
  HR_RETURN_IF_ERROR(state_->status);
  state_->pending.push_back(std::move(record));
  state_->ScheduleLocked();
  state_->ArmTimerLocked();
  return OkStatus();
}

Status EventWriter::Flush() {
  const auto done = std::make_shared<Notification>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return state_->status;
    state_->sync = true;
    state_->waiting.push_back(done);
    state_->ScheduleLocked();
  }
  done->Wait();
  const std::lock_guard lock(state_->mutex);
  return state_->status;
}

Status EventWriter::Close() {
  const auto done = std::make_shared<Notification>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return state_->status;
    state_->closed = true;
    state_->sync = true;
    state_->waiting.push_back(done);
    state_->ScheduleLocked();
  }
  done->Wait();
  const std::lock_guard lock(state_->mutex);
  const Status closed = state_->file->Close();
  if (state_->status.ok()) state_->status = closed;
  return state_->status;
}

}  // namespace headrace
