// Datasets from datasets, without functions: Shuffle, Repeat, Take, Skip, Shard, Batch, Prefetch, Zip, Concatenate,
// ShuffleAndRepeat, and Options, Model, Optimize, which change nothing that an element shows. DatasetCardinality: the number of
// elements, -1 for infinite, -2 for unknown.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

Result<DatasetPtr> Input(const KernelContext& c, int i = 0) { return DatasetFromTensor(c.input(i)); }

/// Shuffle, ShuffleV3 (whose seed generator resource only numbers the epochs, as we do ourselves), ShuffleAndRepeat.
class ShuffleCpu final : public Kernel {
 public:
  explicit ShuffleCpu(KernelConstruction& c)
      : reshuffle_(c.attr<bool>("reshuffle_each_iteration", true)),
        repeats_(c.node().op() == "ShuffleAndRepeatDataset") {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
    HR_ASSIGN_OR_RETURN(const int64_t buffer_size, ScalarInput<int64_t>(c, 1, "buffer_size"));
    HR_ASSIGN_OR_RETURN(const int64_t seed, ScalarInput<int64_t>(c, 2, "seed"));
    HR_ASSIGN_OR_RETURN(const int64_t seed2, ScalarInput<int64_t>(c, 3, "seed2"));
    HR_ASSIGN_OR_RETURN(DatasetPtr shuffled,
                        MakeShuffleDataset(std::move(input), buffer_size, seed, seed2, reshuffle_));
    if (!repeats_) return SetDatasetOutput(c, std::move(shuffled));
    HR_ASSIGN_OR_RETURN(const int64_t count, ScalarInput<int64_t>(c, 4, "count"));
    return SetDatasetOutput(c, MakeRepeatDataset(std::move(shuffled), count));
  }

 private:
  const bool reshuffle_;
  const bool repeats_;
};

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

Status PrefetchCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c));
  HR_ASSIGN_OR_RETURN(const int64_t buffer_size, ScalarInput<int64_t>(c, 1, "buffer_size"));
  return SetDatasetOutput(c, MakePrefetchDataset(std::move(input), buffer_size));
}

Status ZipCpu(KernelContext& c) {
  std::vector<DatasetPtr> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, Input(c, i));
    inputs.push_back(std::move(input));
  }
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

constexpr std::string_view kSpec = " | output_types: list(type) >= 1 | output_shapes: list(shape) >= 1";

/// NAME(inputs) -> (handle: variant) | before | output spec | after.
OpDefinition Transform(std::string_view name_and_inputs, std::string_view before, std::string_view after,
                       KernelFactory kernel) {
  return DatasetOp(StrCat(name_and_inputs, " -> (handle: variant)", before, kSpec, after), std::move(kernel));
}

struct TransformRow {
  std::string_view name_and_inputs;
  std::string_view before;
  std::string_view after;
  KernelFunction kernel;
};

constexpr std::string_view kMetadata = " | metadata: string = ''";

constexpr TransformRow kRows[] = {
    {"RepeatDataset(input_dataset: variant, count: i64)", "", kMetadata, CountCpu<MakeRepeatDataset>},
    {"TakeDataset(input_dataset: variant, count: i64)", "", kMetadata, CountCpu<MakeTakeDataset>},
    {"SkipDataset(input_dataset: variant, count: i64)", "", kMetadata, CountCpu<MakeSkipDataset>},
    {"ShardDataset(input_dataset: variant, num_shards: i64, index: i64)", " | require_non_empty: bool = false",
     kMetadata, ShardCpu},
    {"BatchDataset(input_dataset: variant, batch_size: i64)", "", kMetadata, BatchCpu<-1>},
    {"BatchDatasetV2(input_dataset: variant, batch_size: i64, drop_remainder: bool)", " | parallel_copy: bool = false",
     kMetadata, BatchCpu<2>},
    {"ParallelBatchDataset(input_dataset: variant, batch_size: i64, num_parallel_calls: i64, drop_remainder: bool)",
     " | parallel_copy: bool = false", " | deterministic: string = 'default' | metadata: string = ''", BatchCpu<3>},
    {"PrefetchDataset(input_dataset: variant, buffer_size: i64)", "",
     " | slack_period: int = 0 | legacy_autotune: bool = true | buffer_size_min: int = 0 | metadata: string = ''",
     PrefetchCpu},
    {"ZipDataset(input_datasets: N * variant)", "", " | N: int >= 1 | metadata: string = ''", ZipCpu},
    {"ConcatenateDataset(input_dataset: variant, another_dataset: variant)", "", kMetadata, ConcatenateCpu},
    {"OptionsDataset(input_dataset: variant)", " | serialized_options: string", kMetadata, PassOnCpu},
    {"ModelDataset(input_dataset: variant)", " | algorithm: int = 0 | cpu_budget: int = 0 | ram_budget: int = 0", "",
     PassOnCpu},
    {"OptimizeDatasetV2(input_dataset: variant, optimizations_enabled: str, optimizations_disabled: str, "
     "optimizations_default: str)",
     "", " | optimization_configs: list(string) = []", PassOnCpu},
};

}  // namespace

std::vector<OpDefinition> DatasetTransformOps() {
  std::vector<OpDefinition> ops;
  for (const TransformRow& row : kRows) {
    ops.push_back(Transform(row.name_and_inputs, row.before, row.after, FunctionKernel(row.kernel)));
  }
  constexpr std::string_view kReshuffle = " | reshuffle_each_iteration: bool = true";
  ops.push_back(Transform("ShuffleDataset(input_dataset: variant, buffer_size: i64, seed: i64, seed2: i64)", kReshuffle,
                          kMetadata, ClassKernel<ShuffleCpu>()));
  ops.push_back(
      Transform("ShuffleDatasetV3(input_dataset: variant, buffer_size: i64, seed: i64, seed2: i64, seed_generator: "
                "resource)",
                kReshuffle, " | metadata: string = '' | stateful", ClassKernel<ShuffleCpu>()));
  ops.push_back(
      Transform("ShuffleAndRepeatDataset(input_dataset: variant, buffer_size: i64, seed: i64, seed2: i64, count: i64)",
                "", " | reshuffle_each_iteration: bool = true | metadata: string = ''", ClassKernel<ShuffleCpu>()));
  ops.push_back(
      OpDefinition(
          "DatasetCardinality(input_dataset: variant) -> (cardinality: i64) | cardinality_options: string = ''")
          .Shape(ScalarShape)
          .NoGradient("not differentiable")
          .Kernels(AnyType(FunctionKernel(CardinalityCpu))));
  return ops;
}

}  // namespace headrace
