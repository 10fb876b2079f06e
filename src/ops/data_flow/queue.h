// Queue: the resource behind queue ops: elements (tuples of tensors) that steps put in and take out, in the order of its kind.
// Who finds no room or no element waits in line, without a thread. Closing lets nothing more in; what is there can be taken out.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/resource.h"
#include "ops/data_flow/element_store.h"
#include "ops/data_flow/waiting_line.h"

namespace headrace {

enum class QueueKind { kFifo, kPaddingFifo, kRandomShuffle, kPriority };

/// "FIFOQueue": the name of the kind, and of its first op.
std::string_view QueueKindName(QueueKind kind);

struct QueueSpec {
  QueueKind kind = QueueKind::kFifo;
  std::string name;
  std::vector<DType> types;
  std::vector<PartialShape> shapes;  // none: any; all fully known, except of a padding queue
  int64_t capacity = 0;
  int64_t min_after_dequeue = 0;  // of a random shuffle queue, as are the seeds
  int64_t seed = 0;
  int64_t seed2 = 0;
};

/// Thread-safe.
class Queue final : public Resource, public std::enable_shared_from_this<Queue> {
 public:
  static constexpr std::string_view kTypeName = "Queue";
  static constexpr int64_t kUnbounded = INT32_MAX;

  /// Gets the elements that were taken out; none of a call that puts in or closes.
  using Done = std::function<void(const Status&, std::vector<QueueElement>)>;

  explicit Queue(QueueSpec spec);
  const QueueSpec& spec() const { return spec_; }

  /// Puts the elements in, one after the other as there is room. What was put in before a cancellation stays.
  /// Errors: kCancelled once closed.
  void Enqueue(std::vector<QueueElement> elements, CancellationToken* cancellation, Done done);
  /// Takes `count` elements out; with `allow_fewer` what is left when the queue is closed, if anything. Elements that a call
  /// collected before it failed go back to where they were. Errors: kOutOfRange once closed with too few elements.
  void Dequeue(int64_t count, bool allow_fewer, CancellationToken* cancellation, Done done);
  /// Closes when the calls that wait to put in are done, or at once and with kCancelled for them. Errors: kCancelled when
  /// it was closed already.
  void Close(bool cancel_pending_enqueues, CancellationToken* cancellation, Done done);

  int64_t size() const;
  bool is_closed() const;
  std::string DebugString() const override;

  /// Errors: kInvalidArgument unless the queue is what `wanted` describes.
  Status CheckSame(const QueueSpec& wanted) const;
  /// Errors: kInvalidArgument unless the tensors are one element, or with `many` a row each for as many elements.
  Status CheckElement(const std::vector<Tensor>& element, bool many) const;

 private:
  struct EnqueueRequest {
    std::vector<QueueElement> elements;
    size_t next = 0;
    bool closes = false;
    Done done;
    void Finish(const Status& status) const { done(status, {}); }
  };
  struct DequeueRequest {
    int64_t wanted = 0;
    bool allow_fewer = false;
    std::vector<QueueElement> taken;
    Done done;
    void Finish(const Status& status) { done(status, status.ok() ? std::move(taken) : std::vector<QueueElement>()); }
  };
  struct Ended {
    CallList<EnqueueRequest> enqueues;
    CallList<DequeueRequest> dequeues;
  };

  void StartEnqueue(EnqueueRequest request, CancellationToken* cancellation);
  void CancelEnqueue(uint64_t id);
  void CancelDequeue(uint64_t id);
  void Settle(Ended* ended);
  bool AdvanceEnqueue(EnqueueRequest& request, Status* status);
  bool AdvanceDequeue(DequeueRequest& request, Status* status);
  void PutBack(DequeueRequest& request);
  static void Finish(Ended ended);

  const QueueSpec spec_;
  mutable std::mutex mutex_;
  std::unique_ptr<ElementStore> store_;   // guarded by mutex_, as are the rest
  WaitingLine<EnqueueRequest> enqueues_;  // and calls that close
  WaitingLine<DequeueRequest> dequeues_;
  bool closed_ = false;
};

}  // namespace headrace
