// Datasets: streams of elements, read, transformed and batched natively where the iterator stands. An element has one
// or more components, each a tensor. Nothing is read before an iterator runs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/element_function.h"
#include "api/output.h"

namespace headrace::api::data {

struct ShuffleOptions {
  std::optional<int64_t> seed = {};  // the order is TensorFlow's at equal seeds; see SetRandomSeed
  bool reshuffle_each_iteration = true;
};
struct BatchOptions {
  bool drop_remainder = false;  // drops the last batch where it is short, so that its extent is known
};
struct PaddedBatchOptions {
  std::vector<Tensor> padding_values = {};  // a scalar for each component; empty: zeros, false, empty strings
  bool drop_remainder = false;
};
struct MapOptions {
  int64_t num_parallel_calls = 1;  // results stay in order
};
struct InterleaveOptions {
  int64_t cycle_length = -1;  // datasets that are open at once; -1: chosen at run time
  int64_t block_length = 1;   // elements that each gives in its turn
  /// More than 1: the open datasets produce ahead, and the next ones are being opened; the order stays the same. Up to the
  /// cycle's length; -1: chosen at run time.
  int64_t num_parallel_calls = 1;
};
struct FileOptions {
  std::string compression = {};  // "", "ZLIB" or "GZIP"
  int64_t buffer_bytes = 256 * 1024;
};

/// A description of a stream. Immutable, cheap to copy. Mistakes are remembered by the graph.
class HR_EXPORT Dataset {
 public:
  /// For each component.
  const std::vector<DType>& output_types() const { return types_; }
  const std::vector<PartialShape>& output_shapes() const { return shapes_; }

  /// Elements in random order, by way of a buffer of `buffer_size` elements. Op ShuffleDataset.
  Dataset Shuffle(int64_t buffer_size, const ShuffleOptions& options = {}) const;
  /// The stream `count` times; -1: for ever. Op RepeatDataset.
  Dataset Repeat(int64_t count = -1) const;
  Dataset Take(int64_t count) const;  ///< at most the first `count` elements; op TakeDataset
  Dataset Skip(int64_t count) const;  ///< all but the first `count` elements; op SkipDataset
  /// The same with a computed count (i64 scalar), taken when the iterator starts: how a run goes on where another one
  /// stopped.
  Dataset Skip(const Output& count) const;
  /// Every num_shards-th element, from `index` on: what one of several workers reads. Op ShardDataset.
  Dataset Shard(int64_t num_shards, int64_t index) const;
  /// `size` elements of equal shapes as one, along a new first dimension. Op BatchDatasetV2.
  Dataset Batch(int64_t size, const BatchOptions& options = {}) const;
  /// `size` elements as one, each padded at the end of its dimensions to the component's shape in `padded_shapes`; an unknown
  /// extent there (-1) becomes the batch's largest. A larger element is a DATA_LOSS. Op PaddedBatchDatasetV2.
  Dataset PaddedBatch(int64_t size, const std::vector<PartialShape>& padded_shapes,
                      const PaddedBatchOptions& options = {}) const;
  /// The rows of each element, whose components share their first dimension. Op UnbatchDataset.
  Dataset Unbatch() const;
  /// This stream, then the other, of the same types. Op ConcatenateDataset.
  Dataset Concatenate(const Dataset& other) const;
  /// Keeps what the first whole pass yields, for the passes that follow: in memory, or where `file` names one in FILE.cache,
  /// from which later runs of the program read too. Op CacheDataset.
  Dataset Cache(const std::string& file = {}) const;
  /// Up to `buffer_size` elements are made ready before they are asked for; -1: chosen at run time. Op PrefetchDataset.
  Dataset Prefetch(int64_t buffer_size = -1) const;

  /// Each element turned into another. `function` takes the components as Outputs (or all of them as a vector), and
  /// returns an Output, an array or a vector of them. It is called once, now, with placeholders; the operations that it
  /// makes become a function of the graph. It may use outputs from around it, whose values are taken when the iterator
  /// starts. Op ParallelMapDatasetV2.
  template <typename F>
  Dataset Map(F function, const MapOptions& options = {},
              std::source_location where = std::source_location::current()) const {
    return MapElements(ToElementFunction(std::move(function)), options, where);
  }
  /// The elements for which `function` gives true (a bool scalar). Op FilterDataset.
  template <typename F> Dataset Filter(F function, std::source_location where = std::source_location::current()) const {
    return FilterElements(ToElementFunction(std::move(function)), where);
  }

  /// The elements of the datasets that `function` makes, one dataset after the other. `function` is called as Map's, and
  /// returns a Dataset: `names.FlatMap([](Output name) { return data::FromTextLines(name); })`. Op FlatMapDataset.
  template <typename F>
  Dataset FlatMap(F function, std::source_location where = std::source_location::current()) const {
    return InterleaveElements(MadeDatasets(std::move(function)), nullptr, where);
  }
  /// The same with several datasets open at once, which take turns. Ops InterleaveDataset, ParallelInterleaveDatasetV4.
  template <typename F>
  Dataset Interleave(F function, const InterleaveOptions& options = {},
                     std::source_location where = std::source_location::current()) const {
    return InterleaveElements(MadeDatasets(std::move(function)), &options, where);
  }

  /// The dataset as a tensor of the graph (a variant scalar).
  const Output& variant() const { return variant_; }

 private:
  friend struct DatasetAccess;
  Dataset() = default;
  Dataset MapElements(const ElementFunction& function, const MapOptions& options, std::source_location where) const;
  Dataset FilterElements(const ElementFunction& function, std::source_location where) const;

  /// A function that gives a dataset's tensor, and where it leaves the dataset when it is traced.
  struct DatasetFunction {
    ElementFunction function;
    std::shared_ptr<std::vector<Dataset>> made;
  };
  template <typename F> static DatasetFunction MadeDatasets(F function) {
    auto made = std::make_shared<std::vector<Dataset>>();
    return {ToElementFunction([ function, made ](const auto&... outputs) mutable
                              -> Output requires std::is_invocable_r_v<Dataset, F&, decltype(outputs)...> {
              return made->emplace_back(function(outputs...)).variant();
            }),
            made};
  }
  Dataset InterleaveElements(const DatasetFunction& function, const InterleaveOptions* options,
                             std::source_location where) const;

  Output variant_;
  std::vector<DType> types_;
  std::vector<PartialShape> shapes_;
};

/// One element for each index of the components' first dimension, which they share. Op TensorSliceDataset.
HR_EXPORT Dataset FromTensorSlices(const CallScope& scope, const std::vector<Tensor>& components);
/// The same from tensors that the graph computes.
HR_EXPORT Dataset FromTensorSlices(const std::vector<Output>& components,
                                   std::source_location where = std::source_location::current());
/// 0, 1, ... below `stop`, i64 scalars. Op RangeDataset.
HR_EXPORT Dataset FromRange(const CallScope& scope, int64_t stop);
/// start, start + step, ... below `stop` (above it for a negative step), i64 scalars.
HR_EXPORT Dataset FromRange(const CallScope& scope, int64_t start, int64_t stop, int64_t step = 1);
/// The components of an element of each dataset, side by side; ends with the first that ends. Op ZipDataset.
HR_EXPORT Dataset Zip(const std::vector<Dataset>& datasets,
                      std::source_location where = std::source_location::current());
/// The records of TFRecord files, one file after the other, as string scalars. A damaged record is a DATA_LOSS with
/// file, record number, byte offset and checksum. Op TFRecordDataset.
HR_EXPORT Dataset FromTFRecords(const CallScope& scope, const std::vector<std::string>& paths,
                                const FileOptions& options = {});
/// The same from paths that the graph computes (a string scalar or vector).
HR_EXPORT Dataset FromTFRecords(const Output& paths, const FileOptions& options = {},
                                std::source_location where = std::source_location::current());
/// The lines of text files, without their ends, as string scalars. Op TextLineDataset.
HR_EXPORT Dataset FromTextLines(const CallScope& scope, const std::vector<std::string>& paths,
                                const FileOptions& options = {});
HR_EXPORT Dataset FromTextLines(const Output& paths, const FileOptions& options = {},
                                std::source_location where = std::source_location::current());

/// A position in a dataset's stream. Lives on its device until the session's state is reset.
class HR_EXPORT Iterator {
 public:
  /// The next element, the same for all uses in one step. At the end the step fails with OUT_OF_RANGE "End of
  /// sequence". Called more than once, each result is an element of its own.
  std::vector<Output> GetNext(std::source_location where = std::source_location::current()) const;
  /// The same for a known number of components: auto [x, y] = iterator.Next<2>().
  template <size_t N> std::array<Output, N> Next(std::source_location where = std::source_location::current()) const {
    const std::vector<Output> element = NextOf(N, where);
    std::array<Output, N> outputs;
    for (size_t i = 0; i < N && i < element.size(); ++i) outputs[i] = element[i];
    return outputs;
  }
  /// Starts at the beginning; before the first use, and again for another pass. Empty for a one-shot iterator.
  const Operation& initializer() const { return initializer_; }
  const std::vector<DType>& output_types() const { return types_; }
  const std::vector<PartialShape>& output_shapes() const { return shapes_; }
  /// The resource handle.
  const Output& handle() const { return handle_; }

 private:
  friend struct DatasetAccess;
  Iterator() = default;
  std::vector<Output> NextOf(size_t num_components, std::source_location where) const;

  Output handle_;
  Operation initializer_;
  std::vector<DType> types_;
  std::vector<PartialShape> shapes_;
};

/// An iterator that starts when its initializer runs. Ops IteratorV2 and MakeIterator.
HR_EXPORT Iterator MakeInitializableIterator(const Dataset& dataset,
                                             std::source_location where = std::source_location::current());
/// An iterator that starts by itself. Its dataset may not depend on variables or placeholders. Op OneShotIterator.
HR_EXPORT Iterator MakeOneShotIterator(const Dataset& dataset,
                                       std::source_location where = std::source_location::current());

}  // namespace headrace::api::data
