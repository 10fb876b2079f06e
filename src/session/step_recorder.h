// StepRecorder: writes down what one device does in one step, for RunMetadata.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "executor/step_observer.h"
#include "graph/graph.h"
#include "kernel/rendezvous.h"
#include "os/clock.h"

namespace headrace {

/// Thread-safe. The graph whose nodes it is told of outlives it.
class StepRecorder final : public StepObserver {
 public:
  StepRecorder(std::string device, Clock* clock)
      : device_(std::move(device)), clock_(clock), began_(clock->Now()), began_wall_us_(clock->WallMicros()) {}

  void OnNodeRun(const NodeRun& run) override;
  /// The same as `inner`, which outlives it; writes down what comes from other tasks, from the request to the arrival.
  std::unique_ptr<Rendezvous> Record(Rendezvous* inner);
  /// A RunMetadata in wire form whose step_stats have this device (step_recorder_proto.cc).
  std::string RunMetadata() const;

 private:
  class RecordingRendezvous;

  struct Output {
    int slot = 0;
    DType dtype = DType::kInvalid;
    Shape shape;
    int64_t requested_bytes = 0;
    int64_t allocated_bytes = 0;
    const void* data = nullptr;
    bool is_only_reference = false;
  };
  struct NodeRecord {
    const Node* node = nullptr;
    TimePoint ready, begin, end;
    uint32_t thread = 0;
    std::vector<Output> outputs;
  };
  struct ReceiveRecord {
    std::string key;
    TimePoint begin, end;
    uint32_t thread = 0;
    int64_t bytes = 0;
  };

  static void AddOutput(int slot, const Tensor& value, NodeRecord* record);
  void Received(const std::string& key, TimePoint begin, int64_t bytes);
  int64_t WallNanos(TimePoint time) const { return began_wall_us_ * 1000 + (time - began_).count(); }

  const std::string device_;
  Clock* const clock_;
  const TimePoint began_;
  const int64_t began_wall_us_;
  mutable std::mutex mutex_;
  std::vector<NodeRecord> nodes_;        // guarded by mutex_
  std::vector<ReceiveRecord> receives_;  // guarded by mutex_
};

/// The part of a RunMetadata in wire form that has the graph among its partition graphs. Errors: as GraphToProto.
Result<std::string> PartitionGraphMetadata(const Graph& graph);

}  // namespace headrace
