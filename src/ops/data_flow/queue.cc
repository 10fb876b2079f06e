#include "ops/data_flow/queue.h"

#include <algorithm>
#include <utility>

#include "ops/io/type_text.h"

namespace headrace {

namespace {

std::unique_ptr<ElementStore> MakeStore(const QueueSpec& spec) {
  if (spec.kind == QueueKind::kRandomShuffle) return MakeRandomStore(spec.seed, spec.seed2);
  return spec.kind == QueueKind::kPriority ? MakePriorityStore() : MakeFifoStore();
}

std::string ShapesText(const std::vector<PartialShape>& shapes) { return StrCat("[", StrJoin(shapes, ", "), "]"); }

}  // namespace

std::string_view QueueKindName(QueueKind kind) {
  switch (kind) {
    case QueueKind::kFifo:
      return "FIFOQueue";
    case QueueKind::kPaddingFifo:
      return "PaddingFIFOQueue";
    case QueueKind::kRandomShuffle:
      return "RandomShuffleQueue";
    case QueueKind::kPriority:
      return "PriorityQueue";
  }
  return "";
}

Queue::Queue(QueueSpec spec) : spec_(std::move(spec)), store_(MakeStore(spec_)) {}

int64_t Queue::size() const {
  std::lock_guard lock(mutex_);
  return store_->size();
}

bool Queue::is_closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

std::string Queue::DebugString() const {
  return StrCat(QueueKindName(spec_.kind), " of ", size(), " elements [", TypesText(spec_.types), "]");
}

void Queue::Enqueue(std::vector<QueueElement> elements, CancellationToken* cancellation, Done done) {
  StartEnqueue({.elements = std::move(elements), .done = std::move(done)}, cancellation);
}

void Queue::StartEnqueue(EnqueueRequest request, CancellationToken* cancellation) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    enqueues_.Add(std::move(request), cancellation);
    Settle(&ended);
    enqueues_.Listen([self = shared_from_this()](uint64_t id) { self->CancelEnqueue(id); }, &ended.enqueues);
  }
  Finish(std::move(ended));
}

void Queue::Dequeue(int64_t count, bool allow_fewer, CancellationToken* cancellation, Done done) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    dequeues_.Add({.wanted = count, .allow_fewer = allow_fewer, .taken = {}, .done = std::move(done)}, cancellation);
    Settle(&ended);
    dequeues_.Listen([self = shared_from_this()](uint64_t id) { self->CancelDequeue(id); }, &ended.dequeues);
    for (WaitingCall<DequeueRequest>& call : ended.dequeues) {
      if (!call.status.ok()) PutBack(call.request);
    }
  }
  Finish(std::move(ended));
}

void Queue::Close(bool cancel_pending_enqueues, CancellationToken* cancellation, Done done) {
  if (!cancel_pending_enqueues)
    return StartEnqueue({.elements = {}, .closes = true, .done = std::move(done)}, cancellation);
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    enqueues_.EndAll(Cancelled("Enqueue operation was cancelled"), &ended.enqueues);
    for (WaitingCall<EnqueueRequest>& call : ended.enqueues) {
      if (call.request.closes) call.status = OkStatus();
    }
    Settle(&ended);
  }
  Finish(std::move(ended));
  done(OkStatus(), {});
}

void Queue::CancelEnqueue(uint64_t id) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    if (enqueues_.EndCancelled(id, &ended.enqueues)) Settle(&ended);
  }
  Finish(std::move(ended));
}

void Queue::CancelDequeue(uint64_t id) {
  Ended ended;
  {
    std::lock_guard lock(mutex_);
    if (dequeues_.EndCancelled(id, &ended.dequeues)) {
      PutBack(ended.dequeues.back().request);
      Settle(&ended);
    }
  }
  Finish(std::move(ended));
}

/// Serves both lines as far as that goes: each may make room, or elements, for the other.
void Queue::Settle(Ended* ended) {
  for (bool progress = true; progress;) {
    progress = false;
    const int64_t before = store_->size();
    Status status;
    while (!enqueues_.empty() && AdvanceEnqueue(enqueues_.front(), &status)) {
      enqueues_.EndFront(std::exchange(status, OkStatus()), &ended->enqueues);
      progress = true;
    }
    progress = progress || store_->size() != before;
    const int64_t between = store_->size();
    while (!dequeues_.empty() && AdvanceDequeue(dequeues_.front(), &status)) {
      dequeues_.EndFront(std::exchange(status, OkStatus()), &ended->dequeues);
      progress = true;
    }
    progress = progress || store_->size() != between;
  }
}

/// Returns true when the call has ended.
bool Queue::AdvanceEnqueue(EnqueueRequest& request, Status* status) {
  if (request.closes) {
    if (closed_) *status = Cancelled("Queue '", spec_.name, "' is already closed.");
    closed_ = true;
    return true;
  }
  if (closed_) {
    *status = Cancelled(QueueKindName(spec_.kind), " '", spec_.name, "' is closed.");
    return true;
  }
  while (request.next < request.elements.size() && store_->size() < spec_.capacity) {
    store_->Put(std::move(request.elements[request.next++]));
  }
  return request.next == request.elements.size();
}

/// Returns true when the call has ended.
bool Queue::AdvanceDequeue(DequeueRequest& request, Status* status) {
  int64_t available = store_->size();
  int64_t missing = request.wanted - static_cast<int64_t>(request.taken.size());
  if (closed_ && available < missing) {
    if (!request.allow_fewer || (request.taken.empty() && available == 0)) {
      *status = OutOfRange(QueueKindName(spec_.kind), " '", spec_.name,
                           "' is closed and has insufficient elements (requested ", missing, ", current size ",
                           available, ")");
      PutBack(request);
      return true;
    }
    missing = available;
  } else if (!closed_) {
    available -= spec_.min_after_dequeue;
  }
  for (; available > 0 && missing > 0; --available, --missing) request.taken.push_back(store_->Take());
  return missing == 0;
}

void Queue::PutBack(DequeueRequest& request) {
  for (; !request.taken.empty(); request.taken.pop_back()) store_->PutBack(std::move(request.taken.back()));
}

void Queue::Finish(Ended ended) {
  FinishCalls(std::move(ended.enqueues));
  FinishCalls(std::move(ended.dequeues));
}

Status Queue::CheckSame(const QueueSpec& wanted) const {
  const auto shared = [this](const auto&... text) {
    return InvalidArgument("Shared queue '", spec_.name, "' has ", text...);
  };
  if (spec_.kind != wanted.kind) {
    return InvalidArgument("Expected ", QueueKindName(spec_.kind), ", found ", QueueKindName(wanted.kind));
  }
  if (spec_.capacity != wanted.capacity) {
    return shared("capacity ", spec_.capacity, " but requested capacity was ", wanted.capacity);
  }
  if (spec_.types != wanted.types) {
    return shared("component types ", TypesText(spec_.types), " but requested component types were ",
                  TypesText(wanted.types));
  }
  if (spec_.shapes != wanted.shapes) {
    return shared("component shapes ", ShapesText(spec_.shapes), " but requested component shapes were ",
                  ShapesText(wanted.shapes));
  }
  if (spec_.min_after_dequeue != wanted.min_after_dequeue) {
    return shared("min_after_dequeue ", spec_.min_after_dequeue, " but requested min_after_dequeue was ",
                  wanted.min_after_dequeue, ".");
  }
  const bool same_seeds =
      (wanted.seed == 0 && wanted.seed2 == 0) || (spec_.seed == wanted.seed && spec_.seed2 == wanted.seed2);
  if (!same_seeds) {
    return shared("random seeds (", spec_.seed, ", ", spec_.seed2, ") but requested seeds are (", wanted.seed, ", ",
                  wanted.seed2, ").");
  }
  return OkStatus();
}

Status Queue::CheckElement(const std::vector<Tensor>& element, bool many) const {
  for (size_t i = 0; i < element.size(); ++i) {
    const Shape& shape = element[i].shape();
    if (many && shape.rank() == 0) {
      return InvalidArgument("Shape mismatch in tuple component ", i, ". Expected a row for each element, got []");
    }
    if (!spec_.shapes.empty()) {
      PartialShape expected = spec_.shapes[i];
      if (many) {
        std::vector<int64_t> dims = {element[0].dim(0)};
        dims.insert(dims.end(), expected.dims().begin(), expected.dims().end());
        expected = PartialShape(std::move(dims));
      }
      if (!expected.IsCompatibleWith(shape)) {
        return InvalidArgument("Shape mismatch in tuple component ", i, ". Expected ", expected, ", got ", shape);
      }
    } else if (many && shape.dim(0) != element[0].dim(0)) {
      return InvalidArgument("All input tensors must have the same size in the 0th dimension. Component ", i, " has ",
                             shape.dim(0), ", and should have ", element[0].dim(0));
    }
  }
  return OkStatus();
}

}  // namespace headrace
