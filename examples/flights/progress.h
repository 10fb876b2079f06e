// What each worker has used, counted on the parameter server by the step that used it.
#pragma once

#include <headrace/headrace.h>

#include <string>
#include <vector>

#include "flights/model.h"

namespace flights {

/// The count of one worker.
struct Used {
  int64_t records = 0;
  int64_t sum_of_ids = 0;
  int64_t sum_of_squared_ids = 0;
  int64_t steps = 0;
};

class Progress {
 public:
  Progress(const hr::Scope& scope, int num_workers) {
    for (int i = 0; i < num_workers; ++i) {
      counts_.emplace_back(scope.WithName("progress/worker_" + std::to_string(i)), hr::Zeros({4}, hr::DType::kInt64),
                           hr::VariableSettings{.trainable = false});
    }
  }

  /// `update`, then the batch added to the worker's count, in one addition.
  hr::Operation CountAfter(const hr::Operation& update, int worker, const Batch& batch) const {
    const hr::Output ones = hr::OnesLike(batch.ids);
    const hr::Output used =
        hr::Stack({hr::ReduceSum(ones), hr::ReduceSum(batch.ids), hr::ReduceSum(hr::Square(batch.ids)),
                   hr::Constant(batch.ids.scope(), int64_t{1})});
    const hr::Scope after = batch.ids.scope().WithControlDependencies({update});
    return counts_[static_cast<size_t>(worker)].AssignAdd(hr::Identity(used.In(after)));
  }

  hr::Result<std::vector<Used>> Read(hr::Session& session) const {
    std::vector<hr::Output> values;
    for (const hr::Variable& count : counts_) values.push_back(count.Value());
    HR_ASSIGN_OR_RETURN(const std::vector<hr::Tensor> tensors, session.Run(values));
    std::vector<Used> all;
    for (const hr::Tensor& tensor : tensors) {
      const auto row = tensor.data<int64_t>();
      all.push_back({row[0], row[1], row[2], row[3]});
    }
    return all;
  }

  /// Whether the workers together used each of the records 0 to `records`-1 `epochs` times, as far as count and the first two
  /// moments of the ids tell.
  static bool IsExact(const std::vector<Used>& all, int64_t records, int64_t epochs) {
    Used total;
    for (const Used& used : all) {
      total.records += used.records;
      total.sum_of_ids += used.sum_of_ids;
      total.sum_of_squared_ids += used.sum_of_squared_ids;
    }
    const int64_t sum = records * (records - 1) / 2;
    const int64_t squares = records * (records - 1) / 2 * (2 * records - 1) / 3;
    return total.records == epochs * records && total.sum_of_ids == epochs * sum &&
           total.sum_of_squared_ids == epochs * squares;
  }

 private:
  std::vector<hr::Variable> counts_;
};

}  // namespace flights
