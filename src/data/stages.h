// The dataset stages: one factory for each, one file for each. A stage's contract (order, cost, memory) heads its file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "format/record_file.h"

namespace headrace {

/// For stages that keep what their input reports for later: tells the end of an interrupted search, which must not be kept, from
/// an element's error. To be made before the input is called.
class InterruptionWatch {
 public:
  explicit InterruptionWatch(const IteratorContext& context)
      : context_(context), before_(context.num_given_up.load()) {}
  bool Ended(const Status& status) const {
    return status.code() == Code::kCancelled && context_.num_given_up.load() != before_;
  }

 private:
  const IteratorContext& context_;
  const int64_t before_;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// What a dataset says of its elements.
struct HR_EXPORT ElementSpec {
  std::vector<DType> types;
  std::vector<PartialShape> shapes;
};

// Sources. Errors: kInvalidArgument for components that do not agree in their first dimension.
HR_EXPORT Result<DatasetPtr> MakeTensorSliceDataset(std::vector<Tensor> components);
HR_EXPORT DatasetPtr MakeTensorDataset(std::vector<Tensor> components);
HR_EXPORT Result<DatasetPtr> MakeRangeDataset(int64_t start, int64_t stop, int64_t step, DType type);
HR_EXPORT DatasetPtr MakeRecordDataset(std::vector<std::string> paths, Compression compression, int64_t buffer_bytes);
HR_EXPORT DatasetPtr MakeTextLineDataset(std::vector<std::string> paths, Compression compression, int64_t buffer_bytes);

// Transformations. Errors: kInvalidArgument for parameters out of range, naming them.
struct HR_EXPORT MapOptions {
  int64_t num_parallel_calls = 1;
  /// Whether the number of elements is the input's; then Cardinality tells it.
  bool preserve_cardinality = true;
};
HR_EXPORT DatasetPtr MakeMapDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> function,
                                    std::vector<Tensor> captured, ElementSpec spec, MapOptions options = {});
HR_EXPORT DatasetPtr MakeFilterDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> predicate,
                                       std::vector<Tensor> captured);
/// The function gives a dataset with `spec`'s elements. A cycle of one is FlatMap.
HR_EXPORT Result<DatasetPtr> MakeInterleaveDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> function,
                                                   std::vector<Tensor> captured, ElementSpec spec, int64_t cycle_length,
                                                   int64_t block_length);
/// Seeds as TensorFlow's ShuffleDataset: both zero means unpredictable.
HR_EXPORT Result<DatasetPtr> MakeShuffleDataset(DatasetPtr input, int64_t buffer_size, int64_t seed, int64_t seed2,
                                                bool reshuffle_each_iteration);
HR_EXPORT DatasetPtr MakeRepeatDataset(DatasetPtr input, int64_t count);  // count < 0: for ever
HR_EXPORT DatasetPtr MakeTakeDataset(DatasetPtr input, int64_t count);    // count < 0: all
HR_EXPORT DatasetPtr MakeSkipDataset(DatasetPtr input, int64_t count);    // count < 0: all
HR_EXPORT Result<DatasetPtr> MakeShardDataset(DatasetPtr input, int64_t num_shards, int64_t index);
HR_EXPORT Result<DatasetPtr> MakeBatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder);
HR_EXPORT Result<DatasetPtr> MakePrefetchDataset(DatasetPtr input, int64_t buffer_size);  // -1: chosen here
HR_EXPORT DatasetPtr MakeZipDataset(std::vector<DatasetPtr> inputs);
HR_EXPORT Result<DatasetPtr> MakeConcatenateDataset(DatasetPtr first, DatasetPtr second);

// --- for the stages' own files

/// A dataset that keeps its types and shapes.
class HR_EXPORT SpecDataset : public Dataset {
 public:
  explicit SpecDataset(ElementSpec spec) : spec_(std::move(spec)) {}
  const std::vector<DType>& output_types() const override { return spec_.types; }
  const std::vector<PartialShape>& output_shapes() const override { return spec_.shapes; }

 private:
  const ElementSpec spec_;
};

inline ElementSpec SpecOf(const Dataset& dataset) { return {dataset.output_types(), dataset.output_shapes()}; }

}  // namespace headrace
