// Datasets that apply a graph function: MapDataset, ParallelMapDataset(V2), MapAndBatchDataset, FilterDataset,
// ParallelFilterDataset, ScanDataset, TakeWhileDataset. The names with Experimental are those of TensorFlow before 1.15.
#include "ops/data/data_ops.h"
#include "ops/data/function_kernel.h"

namespace headrace {

namespace {

Status CheckParallelCalls(int64_t calls) {
  if (calls == kChosenHere || calls > 0) return OkStatus();
  return InvalidArgument("num_parallel_calls must be greater than zero, got ", calls);
}

class MapCpu final : public DatasetFunctionKernel {
 public:
  explicit MapCpu(KernelConstruction& c)
      : DatasetFunctionKernel(c, "f"), preserve_cardinality_(c.attr<bool>("preserve_cardinality")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    MapOptions options{.preserve_cardinality = preserve_cardinality_};
    const int calls = AfterCaptured();
    if (calls < c.num_inputs() && c.input(calls).dtype() == DType::kInt32) {  // ParallelMapDataset
      HR_ASSIGN_OR_RETURN(options.num_parallel_calls, ScalarInput<int32_t>(c, calls, "num_parallel_calls"));
    } else if (calls < c.num_inputs()) {
      HR_ASSIGN_OR_RETURN(options.num_parallel_calls, ScalarInput<int64_t>(c, calls, "num_parallel_calls"));
    }
    HR_RETURN_IF_ERROR(CheckParallelCalls(options.num_parallel_calls));
    return SetDatasetOutput(c, MakeMapDataset(std::move(input), std::move(function), Captured(c), spec(), options));
  }

 private:
  const bool preserve_cardinality_;
};

/// Map then Batch: the fused form is TensorFlow's, the elements are the same.
class MapAndBatchCpu final : public DatasetFunctionKernel {
 public:
  explicit MapAndBatchCpu(KernelConstruction& c) : DatasetFunctionKernel(c, "f") {}
  Status Compute(KernelContext& c) override {
    const int after = AfterCaptured();
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    HR_ASSIGN_OR_RETURN(const int64_t batch_size, ScalarInput<int64_t>(c, after, "batch_size"));
    HR_ASSIGN_OR_RETURN(const int64_t num_parallel_calls, ScalarInput<int64_t>(c, after + 1, "num_parallel_calls"));
    HR_RETURN_IF_ERROR(CheckParallelCalls(num_parallel_calls));
    HR_ASSIGN_OR_RETURN(const bool drop_remainder, ScalarInput<bool>(c, after + 2, "drop_remainder"));
    ElementSpec row{spec().types, {}};
    for (const PartialShape& shape : spec().shapes) row.shapes.push_back(WithoutBatch(shape));
    DatasetPtr mapped = MakeMapDataset(std::move(input), std::move(function), Captured(c), std::move(row),
                                       {.num_parallel_calls = num_parallel_calls});
    return SetDatasetOutput(c, MakeBatchDataset(std::move(mapped), batch_size, drop_remainder));
  }

 private:
  static PartialShape WithoutBatch(const PartialShape& shape) {
    if (shape.rank() < 1) return PartialShape();
    return PartialShape(std::vector<int64_t>(shape.dims().begin() + 1, shape.dims().end()));
  }
};

using MakePredicateDataset = DatasetPtr (*)(DatasetPtr, std::shared_ptr<const CompiledFunction>, std::vector<Tensor>);

/// Filter and TakeWhile. Filtering in parallel gives the same elements in the same order.
template <MakePredicateDataset kMake> class PredicateCpu final : public DatasetFunctionKernel {
 public:
  explicit PredicateCpu(KernelConstruction& c) : DatasetFunctionKernel(c, "predicate") {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> predicate, Compile());
    return SetDatasetOutput(c, kMake(std::move(input), std::move(predicate), Captured(c)));
  }
};

class ScanCpu final : public DatasetFunctionKernel {
 public:
  explicit ScanCpu(KernelConstruction& c)
      : DatasetFunctionKernel(c, "f"),
        num_states_(static_cast<int>(c.attr<std::vector<DType>>("Tstate").size())),
        preserve_cardinality_(c.attr<bool>("preserve_cardinality")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    return SetDatasetOutput(c, MakeScanDataset(std::move(input), std::move(function), InputsFrom(c, 1, num_states_),
                                               Captured(c, 1 + num_states_), spec(), preserve_cardinality_));
  }

 private:
  const int num_states_;
  const bool preserve_cardinality_;
};

constexpr std::string_view kParallel =
    " | use_inter_op_parallelism: bool = true | deterministic: string = 'default' | preserve_cardinality: bool = false"
    " | use_unbounded_threadpool: bool = false | metadata: string = ''";
constexpr std::string_view kMapAndBatchInputs = ", batch_size: i64, num_parallel_calls: i64, drop_remainder: bool";

}  // namespace

std::vector<OpDefinition> DatasetFunctionOps() {
  std::vector<OpDefinition> ops;
  const auto add = [&ops](std::string_view name, std::string_view more_inputs, std::string_view function,
                          std::string_view after, KernelFactory kernel) {
    ops.push_back(
        DatasetOp(StrCat(name, "(input_dataset: variant, other_arguments: list(Targuments)", more_inputs,
                         ") -> (handle: variant) | ", function, " | Targuments: list(type) >= 0", kDatasetSpec, after),
                  std::move(kernel)));
  };
  constexpr std::string_view kSequential =
      " | use_inter_op_parallelism: bool = true | preserve_cardinality: bool = false | force_synchronous: bool = false";
  add("MapDataset", "", "f: func", StrCat(kSequential, kDatasetMetadata), ClassKernel<MapCpu>());
  add("ExperimentalMapDataset", "", "f: func", kSequential, ClassKernel<MapCpu>());
  add("ParallelMapDataset", ", num_parallel_calls: i32", "f: func",
      " | use_inter_op_parallelism: bool = true | sloppy: bool = false | preserve_cardinality: bool = false | "
      "metadata: string = ''",
      ClassKernel<MapCpu>());
  add("ParallelMapDatasetV2", ", num_parallel_calls: i64", "f: func", kParallel, ClassKernel<MapCpu>());
  add("MapAndBatchDataset", kMapAndBatchInputs, "f: func",
      " | preserve_cardinality: bool = false | metadata: string = ''", ClassKernel<MapAndBatchCpu>());
  add("ExperimentalMapAndBatchDataset", kMapAndBatchInputs, "f: func", " | preserve_cardinality: bool = false",
      ClassKernel<MapAndBatchCpu>());
  add("FilterDataset", "", "predicate: func", kDatasetMetadata, ClassKernel<PredicateCpu<MakeFilterDataset>>());
  add("ParallelFilterDataset", ", num_parallel_calls: i64", "predicate: func | deterministic: string = 'default'",
      kDatasetMetadata, ClassKernel<PredicateCpu<MakeFilterDataset>>());
  add("TakeWhileDataset", "", "predicate: func", kDatasetMetadata, ClassKernel<PredicateCpu<MakeTakeWhileDataset>>());
  add("ExperimentalTakeWhileDataset", "", "predicate: func", "", ClassKernel<PredicateCpu<MakeTakeWhileDataset>>());

  const auto add_scan = [&ops](std::string_view name, std::string_view after) {
    ops.push_back(
        DatasetOp(StrCat(name,
                         "(input_dataset: variant, initial_state: list(Tstate), other_arguments: list(Targuments)) -> "
                         "(handle: variant) | f: func | Tstate: list(type) >= 1 | Targuments: list(type) >= 0",
                         kDatasetSpec, " | preserve_cardinality: bool = false", after),
                  ClassKernel<ScanCpu>()));
  };
  add_scan("ScanDataset", " | use_default_device: bool = true | metadata: string = ''");
  add_scan("ExperimentalScanDataset", "");
  return ops;
}

}  // namespace headrace
