// What the ops on iterators share.
#pragma once

#include <memory>
#include <utility>

#include "data/iterator.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

/// Calls work(c, iterator) with the iterator behind input i, and `done` with its status: here when it only touches memory, else on
/// the blocking pool.
template <typename Work> void ComputeWithIterator(KernelContext& c, int i, AsyncKernel::Done done, Work work) {
  Result<std::shared_ptr<Iterator>> found = c.LookupResource<Iterator>(i);
  if (!found.ok()) return done(found.status());
  if (!(*found)->MayBlock()) return done(work(c, **found));
  c.runtime().blocking->Schedule(
      [&c, iterator = *std::move(found), done = std::move(done), work = std::move(work)] { done(work(c, *iterator)); });
}

inline OpDefinition IteratorOp(std::string_view signature, ShapeFunction shape, KernelFactory kernel) {
  return OpDefinition(signature).Shape(std::move(shape)).NoGradient("an iterator").Kernels(AnyType(std::move(kernel)));
}

}  // namespace headrace
