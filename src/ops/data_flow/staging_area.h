// StagingArea: the resource behind Stage and Unstage: a buffer of elements, first in, first out, that is not closed and whose
// elements can be looked at where they are. Who finds no room or no element waits in line, without a thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernel/resource.h"
#include "ops/data_flow/element_store.h"
#include "ops/data_flow/waiting_line.h"

namespace headrace {

/// Thread-safe.
class StagingArea final : public Resource, public std::enable_shared_from_this<StagingArea> {
 public:
  /// Gets the element that was taken out or looked at; none of a call that puts in.
  using Done = std::function<void(const Status&, QueueElement)>;

  /// At most `capacity` elements of `memory_limit` bytes in all; 0 is no limit.
  StagingArea(int64_t capacity, int64_t memory_limit) : capacity_(capacity), memory_limit_(memory_limit) {}

  /// Puts the element in when there is room. Errors: kResourceExhausted when it is larger than the memory limit.
  void Put(QueueElement element, CancellationToken* cancellation, Done done);
  void Take(CancellationToken* cancellation, Done done);
  /// Gives the element behind `index` others, which stays, when there is one. Errors: kInvalidArgument for an index below 0.
  void Peek(int64_t index, CancellationToken* cancellation, Done done);
  void Clear();

  int64_t size() const;
  std::string DebugString() const override;

 private:
  struct Request {
    QueueElement element;  // to be put in, or what is given
    int64_t bytes = 0;     // of an element to be put in
    Done done;
    void Finish(const Status& status) { done(status, std::move(element)); }
  };
  using Line = WaitingLine<Request>;
  using Ended = CallList<Request>;

  void Start(Line& line, Request request, CancellationToken* cancellation);
  void Cancel(Line* line, uint64_t id);
  void Settle(Ended* ended);
  bool HasRoomFor(const Request& request) const;

  const int64_t capacity_;
  const int64_t memory_limit_;
  mutable std::mutex mutex_;
  std::deque<Request> elements_;  // guarded by mutex_, as are the rest
  int64_t bytes_ = 0;
  Line puts_, takes_;
  std::map<int64_t, Line> peeks_;  // by index
};

}  // namespace headrace
