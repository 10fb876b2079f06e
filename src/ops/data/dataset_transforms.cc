// Datasets from datasets, without functions: Repeat, Take, Skip, Shard, Batch, PaddedBatch, Unbatch, Window, Prefetch, Zip,
// Concatenate, Sampling, IgnoreErrors, AssertCardinality, and those that change nothing that an element shows (Options, Model,
// Optimize, ...). DatasetCardinality: the number of elements, -1 for infinite, -2 for unknown. The names with Experimental are
// those of TensorFlow before 1.15.
#include <algorithm>

#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

Result<DatasetPtr> Input(const KernelContext& c, int i = 0) { return DatasetFromTensor(c.input(i)); }

template <DatasetPtr (*kMake)(DatasetPtr, int64_t)> Status CountCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t count, ScalarInput<int64_t>(c, 1, "count"));
  return SetDatasetOutput(c, kMake(std::move(input), count));
}

Status ShardCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t num_shards, ScalarInput<int64_t>(c, 1, "num_shards"));
  HR_ASSIGN_OR_RETURN(const int64_t index, ScalarInput<int64_t>(c, 2, "index"));
  return SetDatasetOutput(c, MakeShardDataset(std::move(input), num_shards, index));
}

/// kDropInput: where drop_remainder is, or -1 for an op without it.
template <int kDropInput> Status BatchCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t batch_size, ScalarInput<int64_t>(c, 1, "batch_size"));
  bool drop_remainder = false;
  if constexpr (kDropInput >= 0) {
    HR_ASSIGN_OR_RETURN(drop_remainder, ScalarInput<bool>(c, kDropInput, "drop_remainder"));
  }
  return SetDatasetOutput(c, MakeBatchDataset(std::move(input), batch_size, drop_remainder));
}

/// The inputs are input_dataset, batch_size, N padded shapes, as many values, and in V2 drop_remainder.
Status PaddedBatchCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t batch_size, ScalarInput<int64_t>(c, 1, "batch_size"));
  const int components = (c.num_inputs() - 2) / 2;
  std::vector<PartialShape> shapes;
  for (int i = 2; i < 2 + components; ++i) {
    const Tensor& shape = c.input(i);
    if (shape.rank() != 1)
      return InvalidArgument("All padded shapes must be vectors; padded shape ", i - 2, " is ", shape);
    const std::span<const int64_t> dims = shape.data<int64_t>();
    if (std::ranges::any_of(dims, [](int64_t dim) { return dim < PartialShape::kUnknownDim; })) {
      return InvalidArgument("A padded shape's extents must be at least -1: padded shape ", i - 2, " is ",
                             shape.Summary());
    }
    shapes.emplace_back(std::vector<int64_t>(dims.begin(), dims.end()));
  }
  bool drop_remainder = false;
  if (c.num_inputs() % 2 == 1) {
    HR_ASSIGN_OR_RETURN(drop_remainder, ScalarInput<bool>(c, c.num_inputs() - 1, "drop_remainder"));
  }
  return SetDatasetOutput(c, MakePaddedBatchDataset(std::move(input), batch_size, std::move(shapes),
                                                    InputsFrom(c, 2 + components, components), drop_remainder));
}

template <auto kMake> Status PlainCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  return SetDatasetOutput(c, kMake(std::move(input)));
}

Status WindowCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  WindowOptions options;
  HR_ASSIGN_OR_RETURN(options.size, ScalarInput<int64_t>(c, 1, "size"));
  HR_ASSIGN_OR_RETURN(options.shift, ScalarInput<int64_t>(c, 2, "shift"));
  HR_ASSIGN_OR_RETURN(options.stride, ScalarInput<int64_t>(c, 3, "stride"));
  HR_ASSIGN_OR_RETURN(options.drop_remainder, ScalarInput<bool>(c, 4, "drop_remainder"));
  return SetDatasetOutput(c, MakeWindowDataset(std::move(input), options));
}

Status SamplingCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const float rate, ScalarInput<float>(c, 1, "rate"));
  HR_ASSIGN_OR_RETURN(const int64_t seed, ScalarInput<int64_t>(c, 2, "seed"));
  HR_ASSIGN_OR_RETURN(const int64_t seed2, ScalarInput<int64_t>(c, 3, "seed2"));
  return SetDatasetOutput(c, MakeSamplingDataset(std::move(input), rate, seed, seed2));
}

Status PrefetchCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t buffer_size, ScalarInput<int64_t>(c, 1, "buffer_size"));
  return SetDatasetOutput(c, MakePrefetchDataset(std::move(input), buffer_size));
}

Status ZipCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::vector<DatasetPtr> inputs, DatasetInputs(c, 0));
  return SetDatasetOutput(c, MakeZipDataset(std::move(inputs)));
}

Status ConcatenateCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr first, Input(c, 0));
  HR_ASSIGN_OR_RETURN(DatasetPtr second, Input(c, 1));
  return SetDatasetOutput(c, MakeConcatenateDataset(std::move(first), std::move(second)));
}

Status PassOnCpu(KernelContext& c) { return SetDatasetOutput(c, Input(c)); }

Status CardinalityCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  return c.SetOutput(0, Tensor::Scalar<int64_t>(input->Cardinality()));
}

struct TransformRow {
  std::string_view name_and_inputs;
  std::string_view before;
  std::string_view after;
  KernelFunction kernel;
};

constexpr TransformRow kRows[] = {
    {"RepeatDataset(input_dataset: variant, count: i64)", "", kDatasetMetadata, CountCpu<MakeRepeatDataset>},
    {"TakeDataset(input_dataset: variant, count: i64)", "", kDatasetMetadata, CountCpu<MakeTakeDataset>},
    {"SkipDataset(input_dataset: variant, count: i64)", "", kDatasetMetadata, CountCpu<MakeSkipDataset>},
    {"ShardDataset(input_dataset: variant, num_shards: i64, index: i64)", " | require_non_empty: bool = false",
     kDatasetMetadata, ShardCpu},
    {"BatchDataset(input_dataset: variant, batch_size: i64)", "", kDatasetMetadata, BatchCpu<-1>},
    {"BatchDatasetV2(input_dataset: variant, batch_size: i64, drop_remainder: bool)", " | parallel_copy: bool = false",
     kDatasetMetadata, BatchCpu<2>},
    {"ParallelBatchDataset(input_dataset: variant, batch_size: i64, num_parallel_calls: i64, drop_remainder: bool)",
     " | parallel_copy: bool = false", " | deterministic: string = 'default' | metadata: string = ''", BatchCpu<3>},
    {"PrefetchDataset(input_dataset: variant, buffer_size: i64)", "",
     " | slack_period: int = 0 | legacy_autotune: bool = true | buffer_size_min: int = 0 | metadata: string = ''",
     PrefetchCpu},
    {"ZipDataset(input_datasets: N * variant)", "", " | N: int >= 1 | metadata: string = ''", ZipCpu},
    {"ConcatenateDataset(input_dataset: variant, another_dataset: variant)", "", kDatasetMetadata, ConcatenateCpu},
    {"UnbatchDataset(input_dataset: variant)", "", kDatasetMetadata, PlainCpu<MakeUnbatchDataset>},
    {"ExperimentalUnbatchDataset(input_dataset: variant)", "", "", PlainCpu<MakeUnbatchDataset>},
    {"UniqueDataset(input_dataset: variant)", "", kDatasetMetadata, PlainCpu<MakeUniqueDataset>},
    {"ExperimentalUniqueDataset(input_dataset: variant)", "", "", PlainCpu<MakeUniqueDataset>},
    {"WindowDataset(input_dataset: variant, size: i64, shift: i64, stride: i64, drop_remainder: bool)", "",
     kDatasetMetadata, WindowCpu},
    {"SamplingDataset(input_dataset: variant, rate: f32, seed: i64, seed2: i64)", "", "", SamplingCpu},
    {"IgnoreErrorsDataset(input_dataset: variant)", "", " | log_warning: bool = false",
     PlainCpu<MakeIgnoreErrorsDataset>},
    {"ExperimentalIgnoreErrorsDataset(input_dataset: variant)", "", " | log_warning: bool = false",
     PlainCpu<MakeIgnoreErrorsDataset>},
    {"AssertCardinalityDataset(input_dataset: variant, cardinality: i64)", "", "",
     CountCpu<MakeAssertCardinalityDataset>},
};

constexpr TransformRow kChangingNothing[] = {
    {"OptionsDataset(input_dataset: variant)", " | serialized_options: string", kDatasetMetadata, PassOnCpu},
    {"ModelDataset(input_dataset: variant)", " | algorithm: int = 0 | cpu_budget: int = 0 | ram_budget: int = 0", "",
     PassOnCpu},
    {"FinalizeDataset(input_dataset: variant)", " | has_captured_ref: bool = false", "", PassOnCpu},
    {"OptimizeDataset(input_dataset: variant, optimizations: str)", "", " | optimization_configs: list(string) = []",
     PassOnCpu},
    {"OptimizeDatasetV2(input_dataset: variant, optimizations_enabled: str, optimizations_disabled: str, "
     "optimizations_default: str)",
     "", " | optimization_configs: list(string) = []", PassOnCpu},
    {"RewriteDataset(input_dataset: variant, rewrite_name: str)", "", "", PassOnCpu},
    {"AssertNextDataset(input_dataset: variant, transformations: str)", "", "", PassOnCpu},
    {"ExperimentalAssertNextDataset(input_dataset: variant, transformations: str)", "", "", PassOnCpu},
    {"AssertPrevDataset(input_dataset: variant, transformations: str)", "", "", PassOnCpu},
    {"NonSerializableDataset(input_dataset: variant)", "", "", PassOnCpu},
    {"ExperimentalNonSerializableDataset(input_dataset: variant)", "", "", PassOnCpu},
    {"MaxIntraOpParallelismDataset(input_dataset: variant, max_intra_op_parallelism: i64)", "", "", PassOnCpu},
    {"ExperimentalMaxIntraOpParallelismDataset(input_dataset: variant, max_intra_op_parallelism: i64)", "", "",
     PassOnCpu},
    {"PrivateThreadPoolDataset(input_dataset: variant, num_threads: i64)", "", "", PassOnCpu},
    {"ExperimentalPrivateThreadPoolDataset(input_dataset: variant, num_threads: i64)", "", "", PassOnCpu},
};

constexpr std::string_view kPaddedInputs =
    "input_dataset: variant, batch_size: i64, padded_shapes: N * i64, padding_values: list(Toutput_types)";
constexpr std::string_view kPaddedAttrs =
    " | Toutput_types: list(type) >= 1 | output_shapes: list(shape) >= 1 | N: int >= 1 | metadata: string = ''";

}  // namespace

std::vector<OpDefinition> DatasetTransformOps() {
  std::vector<OpDefinition> ops;
  const auto add = [&ops](const TransformRow& row) {
    ops.push_back(DatasetOp(StrCat(row.name_and_inputs, " -> (handle: variant)", row.before, kDatasetSpec, row.after),
                            FunctionKernel(row.kernel)));
  };
  for (const TransformRow& row : kRows) add(row);
  for (const TransformRow& row : kChangingNothing) add(row);
  ops.push_back(DatasetOp(StrCat("PaddedBatchDataset(", kPaddedInputs, ") -> (handle: variant)", kPaddedAttrs),
                          FunctionKernel(PaddedBatchCpu)));
  ops.push_back(
      DatasetOp(StrCat("PaddedBatchDatasetV2(", kPaddedInputs,
                       ", drop_remainder: bool) -> (handle: variant) | parallel_copy: bool = false", kPaddedAttrs),
                FunctionKernel(PaddedBatchCpu)));
  for (const auto& [name, attrs] :
       {std::pair<std::string_view, std::string_view>{"DatasetCardinality", " | cardinality_options: string = ''"},
        {"ExperimentalDatasetCardinality", ""}}) {
    ops.push_back(OpDefinition(StrCat(name, "(input_dataset: variant) -> (cardinality: i64)", attrs))
                      .Shape(ScalarShape)
                      .NoGradient("not differentiable")
                      .Kernels(AnyType(FunctionKernel(CardinalityCpu))));
  }
  return ops;
}

}  // namespace headrace
