#include "data/iterator.h"

#include "data/stages.h"
#include "sync/caller_pool.h"
#include "sync/notification.h"

namespace headrace {

Status CheckElements(const std::vector<DType>& expected, const std::vector<DType>& actual) {
  if (expected.size() != actual.size()) {
    return InvalidArgument("Number of components does not match: expected ", expected.size(), " types but got ",
                           actual.size(), ".");
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != actual[i]) {
      return InvalidArgument("Data type mismatch at component ", i, ": expected ", DTypeName(expected[i]), " but got ",
                             DTypeName(actual[i]), ".");
    }
  }
  return OkStatus();
}

Status CheckElements(const std::vector<PartialShape>& expected, const std::vector<PartialShape>& actual) {
  if (expected.size() != actual.size()) {
    return InvalidArgument("Number of components does not match: expected ", expected.size(), " shapes but got ",
                           actual.size(), ".");
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!actual[i].IsCompatibleWith(expected[i])) {
      return InvalidArgument("Incompatible shapes at component ", i, ": expected ", expected[i], " but got ", actual[i],
                             ".");
    }
  }
  return OkStatus();
}

namespace {

/// For as long as it lives, a cancellation sets `*interrupted`.
class Interruptible {
 public:
  Interruptible(std::atomic<bool>* interrupted, CancellationToken* cancellation)
      : interrupted_(interrupted), cancellation_(cancellation) {
    if (cancellation_ != nullptr) id_ = cancellation_->OnCancel([interrupted] { interrupted->store(true); });
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  ~Interruptible() {
    if (id_ != 0) cancellation_->Deregister(id_);
    interrupted_->store(false);
  }
  bool too_late() const { return cancellation_ != nullptr && id_ == 0; }

 private:
  std::atomic<bool>* const interrupted_;
  CancellationToken* const cancellation_;
  uint64_t id_ = 0;
};

}  // namespace

/// The stages' ends wait for the functions that they call. Were these cancelled on this thread and a kernel on its stack, the executor
/// would go on with them only when that kernel, which waits here, is back.
Iterator::Run::~Run() {
  if (stage == nullptr) return;
  Notification cancelled;
  CallerPool().Schedule([&] {
    context.cancellation.Cancel(Cancelled("The iterator was closed"));
    cancelled.Notify();
  });
  cancelled.Wait();
}

Status Iterator::Start(std::shared_ptr<const Dataset> dataset, std::shared_ptr<Runtime> runtime,
                       std::shared_ptr<FunctionRunner> functions) {
  HR_RETURN_IF_ERROR(CheckElements(types_, dataset->output_types()));
  HR_RETURN_IF_ERROR(CheckElements(shapes_, dataset->output_shapes()));
  auto run = std::make_shared<Run>();
  run->dataset = std::move(dataset);
  run->context.memory = runtime->memory;
  run->context.runtime = std::move(runtime);
  run->context.functions = std::move(functions);
  HR_ASSIGN_OR_RETURN(run->stage, run->dataset->MakeStage(&run->context));
  std::lock_guard lock(mutex_);
  run_.swap(run);
  return OkStatus();
}

std::shared_ptr<Iterator::Run> Iterator::CurrentRun() const {
  std::lock_guard lock(mutex_);
  return run_;
}

namespace {

Status NotInitialized() {
  return FailedPrecondition(
      "GetNext() failed because the iterator has not been initialized. Ensure that you have run the "
      "initializer operation for this iterator before getting the next element.");
}

}  // namespace

Status Iterator::Next(Element* element, bool* end, CancellationToken* cancellation) {
  const std::shared_ptr<Run> run = CurrentRun();
  if (run == nullptr) return NotInitialized();
  std::lock_guard lock(run->mutex);
  return NextOf(*run, element, end, cancellation);
}

/// REQUIRES: the run's lock is held.
Status Iterator::NextOf(Run& run, Element* element, bool* end, CancellationToken* cancellation) const {
  const Interruptible call(&run.context.interrupted, cancellation);
  if (call.too_late()) return cancellation->status();
  const InterruptionWatch interruption(run.context);
  const Status status = run.stage->Next(element, end);
  if (interruption.Ended(status) && cancellation != nullptr && cancellation->IsCancelled())
    return cancellation->status();
  HR_RETURN_IF_ERROR(status);
  if (*end) return OkStatus();
  for (size_t i = 0; i < element->size(); ++i) {
    if (!shapes_[i].IsCompatibleWith((*element)[i].shape())) {
      return InvalidArgument("Component ", i, " of the element has shape ", (*element)[i].shape(), ", declared is ",
                             shapes_[i]);
    }
  }
  return OkStatus();
}

Result<Element> Iterator::GetNext(CancellationToken* cancellation) {
  Element element;
  bool end = false;
  HR_RETURN_IF_ERROR(Next(&element, &end, cancellation));
  if (end) return OutOfRange("End of sequence");
  return element;
}

bool Iterator::TryNext(Element* element, bool* end, Status* status, CancellationToken* cancellation) {
  const std::shared_ptr<Run> run = CurrentRun();
  if (run == nullptr) {
    *status = NotInitialized();
    return true;
  }
  std::unique_lock lock(run->mutex, std::try_to_lock);
  if (!lock.owns_lock() || !run->stage->HasNext()) return false;
  *status = NextOf(*run, element, end, cancellation);
  return true;
}

}  // namespace headrace
