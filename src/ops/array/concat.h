// Concatenate: the copying that ConcatV2 and Pack share.
#pragma once

#include <vector>

#include "kernel/kernel.h"

namespace headrace {

/// One part of a concatenation: `inner` elements for each outer index.
struct ConcatPart {
  const void* data;
  int64_t inner;
};

/// Writes for each of `outer` indices the parts' elements one after another.
void Concatenate(const KernelContext& context, DType dtype, int64_t outer, const std::vector<ConcatPart>& parts,
                 void* to);

}  // namespace headrace
