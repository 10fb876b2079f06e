// TensorArray: tensors by index, each written once and read once as TensorFlow has it; of a gradient, what is written to an index adds up.
//
// It lives as long as its handle does: the handle's tensor owns it, and a TensorArray owns those of its gradients.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace headrace {

struct TensorArrayOptions {
  std::string name;
  DType dtype = DType::kInvalid;
  PartialShape element_shape;
  bool dynamic_size = false;
  bool clear_after_read = true;
  bool identical_element_shapes = false;
  bool is_gradient = false;  // writes add up
};

/// Thread-safe. Errors of all: kInvalidArgument, also once it is closed.
class TensorArray {
 public:
  TensorArray(TensorArrayOptions options, int64_t size)
      : options_(std::move(options)), elements_(static_cast<size_t>(size)) {}

  DType dtype() const { return options_.dtype; }
  Result<int64_t> Size() const;
  /// Errors: also for an index that was written or read before, where this is no gradient.
  Status Write(const KernelContext& context, int64_t index, Tensor value);
  /// Errors: also for an index that was never written, unless zeros of the element's shape are known to be meant, or was cleared by
  /// a read before.
  Result<Tensor> Read(const KernelContext& context, int64_t index);
  /// Several at once.
  Result<std::vector<Tensor>> ReadAll(const KernelContext& context, const std::vector<int64_t>& indices);
  /// What is known of all elements' shapes. Errors: kInvalidArgument where that is not what `wanted` says.
  Result<PartialShape> ElementShape(const PartialShape& wanted) const;
  bool is_dynamic() const;
  /// The handle of the gradient that is called `source`, made at the first call: as long as this one is now, with zeros in the
  /// shapes of its elements. This one keeps its size from then on.
  Result<Tensor> GradientHandle(const std::string& source, const ResourceHandle& handle);
  void Close();

 private:
  struct Element {
    Tensor value;  // invalid while zeros: of a gradient, or never written
    PartialShape shape;
    bool written = false;
    bool read = false;
    bool cleared = false;
  };
  Status CheckOpen() const;
  Status MakeRoomLocked(int64_t index);
  Status StoreLocked(const KernelContext& context, int64_t index, Tensor value);
  Result<Tensor> ReadLocked(const KernelContext& context, int64_t index);

  mutable std::mutex mutex_;
  TensorArrayOptions options_;                    // guarded by mutex_
  std::vector<Element> elements_;                 // guarded by mutex_
  std::map<std::string, Tensor> gradients_ = {};  // handles by source; guarded by mutex_
  bool is_closed_ = false;                        // guarded by mutex_
};

/// A handle that owns the array.
Tensor MakeTensorArrayHandle(ResourceHandle handle, std::shared_ptr<TensorArray> array);

/// The array behind the handle in input 0. Errors: kInvalidArgument for a handle of something else, or of another process.
Result<std::shared_ptr<TensorArray>> TensorArrayInput(const KernelContext& context);

}  // namespace headrace
