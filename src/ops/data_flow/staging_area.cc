#include "ops/data_flow/staging_area.h"

#include <utility>

namespace headrace {

namespace {

int64_t BytesOf(const QueueElement& element) {
  int64_t bytes = 0;
  for (const Tensor& tensor : element) {
    bytes += tensor.size_bytes();
    if (tensor.dtype() != DType::kString) continue;
    for (const std::string& text : tensor.data<std::string>()) bytes += static_cast<int64_t>(text.size());
  }
  return bytes;
}

}  // namespace

void StagingArea::Put(QueueElement element, CancellationToken* cancellation, Done done) {
  const int64_t bytes = BytesOf(element);
  if (memory_limit_ > 0 && bytes > memory_limit_) {
    return done(ResourceExhausted("Attempted to insert tensors with combined size of '", bytes,
                                  "' bytes into Staging Area with a memory limit of '", memory_limit_, "'."),
                {});
  }
  Start(puts_, {.element = std::move(element), .bytes = bytes, .done = std::move(done)}, cancellation);
}

void StagingArea::Take(CancellationToken* cancellation, Done done) {
  Start(takes_, {.element = {}, .done = std::move(done)}, cancellation);
}

void StagingArea::Peek(int64_t index, CancellationToken* cancellation, Done done) {
  if (index < 0) return done(InvalidArgument("StagePeek: index must not be negative, got ", index), {});
  Line* line = nullptr;
  {
    std::lock_guard lock(mutex_);
    line = &peeks_[index];  // stays, so that a cancellation may come late
  }
  Start(*line, {.element = {}, .done = std::move(done)}, cancellation);
}

void StagingArea::Clear() {
  Ended ended;
  std::deque<Request> cleared;  // ends outside the lock
  {
    std::lock_guard lock(mutex_);
    elements_.swap(cleared);
    bytes_ = 0;
    Settle(&ended);
  }
  FinishCalls(std::move(ended));
}

int64_t StagingArea::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(elements_.size());
}

std::string StagingArea::DebugString() const { return StrCat("Staging area of ", size(), " elements"); }

void StagingArea::Start(Line& line, Request request, CancellationToken* cancellation) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    line.Add(std::move(request), cancellation);
    Settle(&ended);
    line.Listen([self = shared_from_this(), at = &line](uint64_t id) { self->Cancel(at, id); }, &ended);
  }
  FinishCalls(std::move(ended));
}

void StagingArea::Cancel(Line* line, uint64_t id) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    if (line->EndCancelled(id, &ended)) Settle(&ended);
  }
  FinishCalls(std::move(ended));
}

bool StagingArea::HasRoomFor(const Request& request) const {
  return (capacity_ <= 0 || static_cast<int64_t>(elements_.size()) < capacity_) &&
         (memory_limit_ <= 0 || bytes_ + request.bytes <= memory_limit_);
}

/// Serves the lines as far as that goes: each element that goes in or out may serve others.
void StagingArea::Settle(Ended* ended) {
  for (bool progress = true; progress;) {
    progress = false;
    while (!puts_.empty() && HasRoomFor(puts_.front())) {
      Request& front = puts_.front();
      bytes_ += front.bytes;
      elements_.push_back({.element = std::move(front.element), .bytes = front.bytes, .done = nullptr});
      puts_.EndFront(OkStatus(), ended);
    }
    for (auto& [index, line] : peeks_) {
      if (index >= static_cast<int64_t>(elements_.size())) break;
      while (!line.empty()) {
        line.front().element = elements_[static_cast<size_t>(index)].element;
        line.EndFront(OkStatus(), ended);
      }
    }
    while (!takes_.empty() && !elements_.empty()) {
      bytes_ -= elements_.front().bytes;
      takes_.front().element = std::move(elements_.front().element);
      elements_.pop_front();
      takes_.EndFront(OkStatus(), ended);
      progress = true;
    }
  }
}

}  // namespace headrace
