// Accumulator: gathers the gradients of several workers and gives out their mean or sum once there are enough. It knows the global
// step: a gradient that was computed before it is dropped, and each one that is taken moves it on.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "kernel/resource.h"
#include "ops/data_flow/gradient_sum.h"
#include "ops/data_flow/waiting_line.h"

namespace headrace {

/// Thread-safe.
class Accumulator final : public Resource, public std::enable_shared_from_this<Accumulator> {
 public:
  static constexpr std::string_view kTypeName = "ConditionalAccumulator";
  using Done = std::function<void(const Status&, Gradient)>;

  Accumulator(DType dtype, bool takes_mean, std::unique_ptr<GradientSum> sum)
      : dtype_(dtype), takes_mean_(takes_mean), is_sparse_(sum->is_sparse()), sum_(std::move(sum)) {}
  DType dtype() const { return dtype_; }
  bool is_sparse() const { return is_sparse_; }

  /// Adds the gradient, or drops it when `local_step` is before the global step. Errors: of GradientSum::Add.
  Status Apply(int64_t local_step, Gradient gradient, const Runtime& runtime);
  /// Gives out what there is once it is of at least `num_required` gradients; calls are served in order.
  void Take(int64_t num_required, const Runtime& runtime, CancellationToken* cancellation, Done done);
  void SetGlobalStep(int64_t step);
  int64_t num_accumulated() const;
  std::string DebugString() const override;

 private:
  struct TakeRequest {
    int64_t num_required = 0;
    const Accumulator* accumulator = nullptr;
    const Runtime* runtime = nullptr;
    TakenSum taken;
    Done done;
    void Finish(const Status& status);
  };
  void Settle(CallList<TakeRequest>* ended);
  void CancelTake(uint64_t id);

  const DType dtype_;
  const bool takes_mean_;
  const bool is_sparse_;
  mutable std::mutex mutex_;
  const std::unique_ptr<GradientSum> sum_;  // guarded by mutex_, as are the rest
  WaitingLine<TakeRequest> takes_;
  int64_t count_ = 0;
  int64_t global_step_ = 0;
};

}  // namespace headrace
