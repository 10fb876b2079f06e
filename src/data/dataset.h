// Dataset and Stage: a description of a stream of elements, and one run through it.
//
// A stage never owns a thread: whoever calls Next drives it, and Prefetch borrows one from the blocking pool. Next may block on
// a file read, so it runs on the blocking pool, never on a compute thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernel/function_runner.h"
#include "kernel/resource.h"
#include "kernel/runtime.h"
#include "sync/cancellation.h"
#include "tensor/tensor.h"

namespace headrace {

/// One element: a tensor for each component.
using Element = std::vector<Tensor>;

/// What the stages of one iterator share. Outlives them.
struct HR_EXPORT IteratorContext {
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<FunctionRunner> functions;
  std::shared_ptr<MemoryAccount> memory;  // the pipeline's budget, may be null
  CancellationToken cancellation;         // ends the pipeline
  std::atomic<bool> interrupted{false};   // ends the call under way
  std::atomic<int64_t> num_given_up{0};   // searches that an interruption has ended

  /// Asked again and again by a stage that may search for long without yielding. An error ends the search; where the call
  /// alone was interrupted, a later one goes on from there.
  Status CheckInterruption(std::string_view stage) {
    if (cancellation.IsCancelled()) return cancellation.status();
    if (!interrupted.load(std::memory_order_relaxed)) return OkStatus();
    num_given_up.fetch_add(1);
    return Cancelled(stage, " was cancelled");
  }
};

/// One run through a dataset. One call at a time.
class HR_EXPORT Stage {
 public:
  virtual ~Stage() = default;
  /// Puts the next element into `*element`, or sets `*end`. After the end it stays at the end. After an error about one element
  /// (a bad record, a failed function) the next call goes on with the one after it.
  virtual Status Next(Element* element, bool* end) = 0;
  /// Passes over `count` elements exactly as if Next had been called and the results dropped, but as cheaply as the stage can.
  /// Returns how many were there.
  virtual Result<int64_t> Skip(int64_t count);
  /// False when Next only touches memory, so that it may run on a compute thread.
  virtual bool MayBlock() const = 0;
  /// Whether the next call of Next, as things stand, only touches memory.
  virtual bool HasNext() const { return !MayBlock(); }
};

/// Immutable, shared; travels through the graph inside a Variant.
class HR_EXPORT Dataset : public VariantObject {
 public:
  static constexpr int64_t kInfinite = -1;
  static constexpr int64_t kUnknown = -2;

  virtual const std::vector<DType>& output_types() const = 0;
  virtual const std::vector<PartialShape>& output_shapes() const = 0;
  /// Begins a run. The dataset outlives it.
  virtual Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const = 0;
  /// The number of elements, kInfinite or kUnknown; found without reading.
  virtual int64_t Cardinality() const { return kUnknown; }
  std::string TypeName() const override { return "tensorflow::DatasetVariantWrapper"; }
};

/// Reads the dataset in a variant tensor. Errors: kInvalidArgument when it holds none.
HR_EXPORT Result<std::shared_ptr<const Dataset>> DatasetFromTensor(const Tensor& tensor);
HR_EXPORT Tensor DatasetToTensor(std::shared_ptr<const Dataset> dataset);

}  // namespace headrace
