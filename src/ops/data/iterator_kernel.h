// What the ops on iterators share.
#pragma once

#include <memory>
#include <utility>

#include "data/iterator.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

/// Calls use(c, element, end) with what comes next of the iterator behind input i, and `done` with the status: here where that only
/// touches memory, else on the blocking pool.
template <typename Use> void ComputeWithNext(KernelContext& c, int i, AsyncKernel::Done done, Use use) {
  Result<std::shared_ptr<Iterator>> found = c.LookupResource<Iterator>(i);
  if (!found.ok()) return done(found.status());
  Element element;
  bool end = false;
  Status status;
  if ((*found)->TryNext(&element, &end, &status, c.cancellation()))
    return done(status.ok() ? use(c, std::move(element), end) : status);
  c.runtime().blocking->Schedule([&c, iterator = *std::move(found), done = std::move(done), use = std::move(use)] {
    Element later;
    bool at_end = false;
    const Status waited = iterator->Next(&later, &at_end, c.cancellation());
    done(waited.ok() ? use(c, std::move(later), at_end) : waited);
  });
}

inline OpDefinition IteratorOp(std::string_view signature, ShapeFunction shape, KernelFactory kernel) {
  return OpDefinition(signature).Shape(std::move(shape)).NoGradient("an iterator").Kernels(AnyType(std::move(kernel)));
}

}  // namespace headrace
