// What Batch and PaddedBatch share: collecting the elements of a batch; how they are joined is a function.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "data/stages.h"

namespace headrace {

/// Makes the tensor of one component from the elements of a batch, whose objects (strings, variants) it may move away.
using JoinRows = std::function<Result<Tensor>(std::span<Element> rows, size_t component,
                                              const std::shared_ptr<MemoryAccount>& account)>;

/// Elements of `spec`, each made of batch_size of the input's; fewer in the last one, unless it is dropped.
DatasetPtr MakeJoiningDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder, ElementSpec spec,
                              JoinRows join);

/// A batch's shape: the rows' behind the number of rows, as far as it is known. An unknown rank stays unknown.
PartialShape BatchedShape(const PartialShape& row, int64_t batch_size, bool drop_remainder);

/// Errors: kInvalidArgument unless batch_size > 0.
Status CheckBatchSize(int64_t batch_size);

/// Copies strings, variants or handles, moving them where `from` owns them.
template <typename T> void MoveOrCopy(Tensor& from, T* out) {
  if (from.OwnsBuffer()) {
    std::ranges::move(from.mutable_data<T>(), out);
  } else {
    std::ranges::copy(from.data<T>(), out);
  }
}

}  // namespace headrace
