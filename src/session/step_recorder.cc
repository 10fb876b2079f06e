#include "session/step_recorder.h"

#include <atomic>
#include <string_view>

#include "session/step_table.h"

namespace headrace {

namespace {

/// A number of its own for each thread, in the order in which they are first seen.
uint32_t ThisThread() {
  static std::atomic<uint32_t> next{0};
  thread_local const uint32_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

void StepRecorder::AddOutput(int slot, const Tensor& value, NodeRecord* record) {
  if (!value.valid()) return;
  record->outputs.push_back({.slot = slot,
                             .dtype = value.dtype(),
                             .shape = value.shape(),
                             .requested_bytes = value.size_bytes(),
                             .allocated_bytes = value.buffer() ? value.buffer()->size_bytes() : 0,
                             .data = value.raw(),
                             .is_only_reference = value.OwnsBuffer()});
}

void StepRecorder::OnNodeRun(const NodeRun& run) {
  NodeRecord record{.node = &run.node, .ready = run.ready, .begin = run.begin, .end = run.end, .thread = ThisThread()};
  for (size_t i = 0; i < run.outputs.size(); ++i) {
    const InputValue& output = run.outputs[i];
    if (output.variable != nullptr) {
      AddOutput(static_cast<int>(i), output.variable->Read(), &record);
    } else {
      AddOutput(static_cast<int>(i), output.tensor, &record);
    }
  }
  std::lock_guard lock(mutex_);
  nodes_.push_back(std::move(record));
}

class StepRecorder::RecordingRendezvous final : public Rendezvous {
 public:
  RecordingRendezvous(Rendezvous* inner, StepRecorder* recorder)
      : inner_(inner), recorder_(recorder), task_(TaskOf(recorder->device_)) {}

  Status Send(const std::string& key, Tensor value, bool is_dead) override {
    return inner_->Send(key, std::move(value), is_dead);
  }
  void RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) override {
    if (TaskOf(key) == task_) return inner_->RecvAsync(key, cancellation, std::move(done));
    inner_->RecvAsync(key, cancellation,
                      [recorder = recorder_, key, begin = recorder_->clock_->Now(), done = std::move(done)](
                          const Status& status, Tensor value, bool is_dead) {
                        if (status.ok()) recorder->Received(key, begin, value.valid() ? value.size_bytes() : 0);
                        done(status, std::move(value), is_dead);
                      });
  }
  void StartAbort(const Status& status) override { inner_->StartAbort(status); }

 private:
  Rendezvous* const inner_;
  StepRecorder* const recorder_;
  const std::string task_;
};

void StepRecorder::Received(const std::string& key, TimePoint begin, int64_t bytes) {
  ReceiveRecord record{.key = key, .begin = begin, .end = clock_->Now(), .thread = ThisThread(), .bytes = bytes};
  std::lock_guard lock(mutex_);
  receives_.push_back(std::move(record));
}

std::unique_ptr<Rendezvous> StepRecorder::Record(Rendezvous* inner) {
  return std::make_unique<RecordingRendezvous>(inner, this);
}

}  // namespace headrace
