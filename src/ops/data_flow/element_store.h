// ElementStore: the elements of a queue, in the order in which they leave: as they came, at random, or by priority.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

using QueueElement = std::vector<Tensor>;

/// Not thread-safe.
class ElementStore {
 public:
  virtual ~ElementStore() = default;
  virtual void Put(QueueElement element) = 0;
  /// REQUIRES: size() > 0.
  virtual QueueElement Take() = 0;
  /// Undoes the last Take that is not undone.
  virtual void PutBack(QueueElement element) = 0;
  virtual int64_t size() const = 0;
};

std::unique_ptr<ElementStore> MakeFifoStore();
/// Draws TensorFlow's numbers at equal seeds; seeds from the system where both are 0.
std::unique_ptr<ElementStore> MakeRandomStore(int64_t seed, int64_t seed2);
/// By the first component, an i64 scalar, smallest first; equal ones as they came.
std::unique_ptr<ElementStore> MakePriorityStore();

}  // namespace headrace
