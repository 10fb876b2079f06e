// The dataset stages: one factory for each, one file for each. A stage's contract (order, cost, memory) heads its file.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "data/cache.h"
#include "data/dataset.h"
#include "data/seed_generator.h"
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

/// What a file of records of equal size consists of.
struct HR_EXPORT FixedLengthLayout {
  int64_t header_bytes = 0;
  int64_t record_bytes = 0;
  int64_t footer_bytes = 0;
};
HR_EXPORT Result<DatasetPtr> MakeFixedLengthRecordDataset(std::vector<std::string> paths,
                                                          const FixedLengthLayout& layout, Compression compression,
                                                          int64_t buffer_bytes);
/// The parts are those of a sparse tensor whose indices are in order.
HR_EXPORT Result<DatasetPtr> MakeSparseTensorSliceDataset(const Tensor& indices, const Tensor& values,
                                                          const Tensor& dense_shape);
HR_EXPORT DatasetPtr MakeRandomDataset(int64_t seed, int64_t seed2);  // both zero: unpredictable

/// For a parameter whose value the stage may choose: TensorFlow's AUTOTUNE.
inline constexpr int64_t kChosenHere = -1;

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
struct HR_EXPORT InterleaveOptions {
  int64_t cycle_length = 1;  // a cycle of one is FlatMap
  int64_t block_length = 1;
  /// Whether the open datasets, and those to be opened next, produce ahead. The order is the same.
  bool parallel = false;
  /// The older parallel_interleave's order, see interleave.cc.
  bool passes_blocks_on = false;
  int64_t num_parallel_calls = kChosenHere;
  int64_t buffer_output_elements = kChosenHere;   // ahead in each open dataset
  int64_t prefetch_input_elements = kChosenHere;  // datasets opened ahead
};
/// The function gives a dataset with `spec`'s elements.
HR_EXPORT Result<DatasetPtr> MakeInterleaveDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> function,
                                                   std::vector<Tensor> captured, ElementSpec spec,
                                                   const InterleaveOptions& options);
/// The function takes the state and an element, and gives the next state and what is yielded.
HR_EXPORT DatasetPtr MakeScanDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> function,
                                     std::vector<Tensor> initial_state, std::vector<Tensor> captured, ElementSpec spec,
                                     bool preserve_cardinality);
HR_EXPORT DatasetPtr MakeTakeWhileDataset(DatasetPtr input, std::shared_ptr<const CompiledFunction> predicate,
                                          std::vector<Tensor> captured);
/// A function and the tensors that it captured.
struct HR_EXPORT CapturingFunction {
  std::shared_ptr<const CompiledFunction> function;
  std::vector<Tensor> captured;
};
struct HR_EXPORT GeneratorFunctions {
  CapturingFunction begin;   // gives the state of a run
  CapturingFunction next;    // of the state; gives an element, or kOutOfRange at the end
  CapturingFunction finish;  // of the state; called once, without anybody waiting for it
};
HR_EXPORT DatasetPtr MakeGeneratorDataset(GeneratorFunctions functions, ElementSpec spec);
struct HR_EXPORT GroupByWindowFunctions {
  CapturingFunction key;          // of an element; gives an i64 scalar
  CapturingFunction reduce;       // of a key and a dataset of its elements; gives a dataset
  CapturingFunction window_size;  // of a key; gives an i64 scalar
};
HR_EXPORT DatasetPtr MakeGroupByWindowDataset(DatasetPtr input, GroupByWindowFunctions functions, ElementSpec spec);
/// Errors: kInvalidArgument for elements other than one tensor of i32, i64 or strings.
HR_EXPORT Result<DatasetPtr> MakeUniqueDataset(DatasetPtr input);
struct HR_EXPORT ShuffleOptions {
  int64_t buffer_size = 1;               // -2: the whole input
  int64_t count = 1;                     // < 0: for ever; another count than 1 makes it ShuffleAndRepeat
  std::shared_ptr<SeedGenerator> seeds;  // must not be null
};
HR_EXPORT Result<DatasetPtr> MakeShuffleDataset(DatasetPtr input, ShuffleOptions options);
HR_EXPORT DatasetPtr MakeRepeatDataset(DatasetPtr input, int64_t count);  // count < 0: for ever
HR_EXPORT DatasetPtr MakeTakeDataset(DatasetPtr input, int64_t count);    // count < 0: all
HR_EXPORT DatasetPtr MakeSkipDataset(DatasetPtr input, int64_t count);    // count < 0: all
HR_EXPORT Result<DatasetPtr> MakeShardDataset(DatasetPtr input, int64_t num_shards, int64_t index);
HR_EXPORT Result<DatasetPtr> MakeBatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder);
/// Padded shapes have a rank; an unknown extent is the batch's largest. Padding values are scalars of the components' types.
HR_EXPORT Result<DatasetPtr> MakePaddedBatchDataset(DatasetPtr input, int64_t batch_size,
                                                    std::vector<PartialShape> padded_shapes,
                                                    std::vector<Tensor> padding_values, bool drop_remainder);
HR_EXPORT Result<DatasetPtr> MakeUnbatchDataset(DatasetPtr input);
struct HR_EXPORT WindowOptions {
  int64_t size = 1;
  int64_t shift = 1;
  int64_t stride = 1;
  bool drop_remainder = false;
};
HR_EXPORT Result<DatasetPtr> MakeWindowDataset(DatasetPtr input, const WindowOptions& options);
HR_EXPORT DatasetPtr MakeMemoryCacheDataset(DatasetPtr input, std::shared_ptr<MemoryCache> cache);  // null: its own
/// Errors: kInvalidArgument for components other than numbers and strings.
HR_EXPORT Result<DatasetPtr> MakeFileCacheDataset(DatasetPtr input, const std::string& path);
HR_EXPORT Result<DatasetPtr> MakePrefetchDataset(DatasetPtr input, int64_t buffer_size);  // -1: chosen here
HR_EXPORT DatasetPtr MakeZipDataset(std::vector<DatasetPtr> inputs);
HR_EXPORT Result<DatasetPtr> MakeConcatenateDataset(DatasetPtr first, DatasetPtr second);
/// The selector's elements are i64 scalars: from which of the inputs the next element comes.
HR_EXPORT Result<DatasetPtr> MakeDirectedInterleaveDataset(DatasetPtr selector, std::vector<DatasetPtr> inputs,
                                                           bool stop_on_empty);
HR_EXPORT DatasetPtr MakeSamplingDataset(DatasetPtr input, float rate, int64_t seed, int64_t seed2);
HR_EXPORT DatasetPtr MakeIgnoreErrorsDataset(DatasetPtr input);
/// `cardinality` may also be kInfinite or kUnknown.
HR_EXPORT DatasetPtr MakeAssertCardinalityDataset(DatasetPtr input, int64_t cardinality);

// --- for the stages' own files

/// The number of elements of `count` epochs of `size` each; either may be infinite, the size unknown.
int64_t RepeatedCardinality(int64_t size, int64_t count);

/// Makes `spec` fit the other dataset's elements too. Errors: kInvalidArgument for other types.
Status WidenSpec(const Dataset& other, ElementSpec* spec);

/// The elements, in order.
DatasetPtr MakeElementsDataset(ElementSpec spec, std::vector<Element> elements);

/// A read buffer's size: what was asked for, up to a limit; 0 or less asks for the default.
inline int64_t FileBufferBytes(int64_t wanted) {
  constexpr int64_t kMost = int64_t{64} << 20;
  return wanted > 0 ? std::min(wanted, kMost) : RecordReader::kDefaultBufferBytes;
}

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
