#include "ops/data_flow/accumulator.h"

#include <utility>

namespace headrace {

Status Accumulator::Apply(int64_t local_step, Gradient gradient, const Runtime& runtime) {
  CallList<TakeRequest> ended;
  {
    std::lock_guard lock(mutex_);
    if (local_step < global_step_) return OkStatus();
    HR_RETURN_IF_ERROR(sum_->Add(std::move(gradient), runtime));
    ++count_;
    Settle(&ended);
  }
  FinishCalls(std::move(ended));
  return OkStatus();
}

void Accumulator::Take(int64_t num_required, const Runtime& runtime, CancellationToken* cancellation, Done done) {
  CallList<TakeRequest> ended;
  {
    std::lock_guard lock(mutex_);
    takes_.Add(
        {.num_required = num_required, .accumulator = this, .runtime = &runtime, .taken = {}, .done = std::move(done)},
        cancellation);
    Settle(&ended);
    takes_.Listen([self = shared_from_this()](uint64_t id) { self->CancelTake(id); }, &ended);
  }
  FinishCalls(std::move(ended));
}

void Accumulator::CancelTake(uint64_t id) {
  CallList<TakeRequest> ended;
  {
    std::lock_guard lock(mutex_);
    if (takes_.EndCancelled(id, &ended)) Settle(&ended);
  }
  FinishCalls(std::move(ended));
}

void Accumulator::Settle(CallList<TakeRequest>* ended) {
  while (!takes_.empty() && count_ >= takes_.front().num_required) {
    takes_.front().taken = sum_->Take();
    count_ = 0;
    ++global_step_;
    takes_.EndFront(OkStatus(), ended);
  }
}

/// Averages outside the lock, where others go on.
void Accumulator::TakeRequest::Finish(const Status& status) {
  if (!status.ok()) return done(status, {});
  if (!accumulator->takes_mean_) return done(status, std::move(taken.gradient));
  Result<Gradient> mean = accumulator->sum_->Average(std::move(taken), *runtime);
  if (!mean.ok()) return done(mean.status(), {});
  done(status, *std::move(mean));
}

void Accumulator::SetGlobalStep(int64_t step) {
  std::lock_guard lock(mutex_);
  global_step_ = step;
}

int64_t Accumulator::num_accumulated() const {
  std::lock_guard lock(mutex_);
  return count_;
}

std::string Accumulator::DebugString() const {
  return StrCat(is_sparse_ ? "SparseConditionalAccumulator" : "ConditionalAccumulator", " of ", DTypeName(dtype_));
}

}  // namespace headrace
