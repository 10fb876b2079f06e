// Datasets that apply a graph function: MapDataset, ParallelMapDatasetV2, MapAndBatchDataset, FilterDataset,
// FlatMapDataset, InterleaveDataset. The function is compiled when the dataset is made; captured tensors follow the element's components as its arguments.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

/// Keeps the session's functions alive for as long as the compiled function is in use.
class FunctionKernelBase : public Kernel {
 protected:
  FunctionKernelBase(KernelConstruction& c, std::string_view function_attr)
      : functions_(c.functions()),
        function_(c.attr<FunctionRef>(function_attr)),
        captured_count_(static_cast<int>(c.attr<std::vector<DType>>("Targuments").size())),
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}

  Result<std::shared_ptr<const CompiledFunction>> Compile() const { return functions_->Compile(function_); }
  std::vector<Tensor> Captured(const KernelContext& c) const {
    std::vector<Tensor> captured;
    for (int i = 0; i < captured_count_; ++i) captured.push_back(c.input(1 + i));
    return captured;
  }
  int captured_count() const { return captured_count_; }
  const ElementSpec& spec() const { return spec_; }

 private:
  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionRef function_;
  const int captured_count_;
  const ElementSpec spec_;
};

class MapCpu final : public FunctionKernelBase {
 public:
  explicit MapCpu(KernelConstruction& c)
      : FunctionKernelBase(c, "f"),
        parallel_(c.node().op() == "ParallelMapDatasetV2"),
        preserve_cardinality_(c.attr<bool>("preserve_cardinality")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    MapOptions options{.preserve_cardinality = preserve_cardinality_};
    if (parallel_) {
      HR_ASSIGN_OR_RETURN(options.num_parallel_calls,
                          ScalarInput<int64_t>(c, 1 + captured_count(), "num_parallel_calls"));
      if (options.num_parallel_calls != -1 && options.num_parallel_calls < 1) {
        return InvalidArgument("num_parallel_calls must be greater than zero, got ", options.num_parallel_calls);
      }
    }
    return SetDatasetOutput(c, MakeMapDataset(std::move(input), std::move(function), Captured(c), spec(), options));
  }

 private:
  const bool parallel_;
  const bool preserve_cardinality_;
};

/// Map then Batch: the fused form is TensorFlow's, the elements are the same.
class MapAndBatchCpu final : public FunctionKernelBase {
 public:
  explicit MapAndBatchCpu(KernelConstruction& c) : FunctionKernelBase(c, "f") {}
  Status Compute(KernelContext& c) override {
    const int after = 1 + captured_count();
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    HR_ASSIGN_OR_RETURN(const int64_t batch_size, ScalarInput<int64_t>(c, after, "batch_size"));
    HR_ASSIGN_OR_RETURN(const int64_t num_parallel_calls, ScalarInput<int64_t>(c, after + 1, "num_parallel_calls"));
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

class FilterCpu final : public FunctionKernelBase {
 public:
  explicit FilterCpu(KernelConstruction& c) : FunctionKernelBase(c, "predicate") {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> predicate, Compile());
    return SetDatasetOutput(c, MakeFilterDataset(std::move(input), std::move(predicate), Captured(c)));
  }
};

class InterleaveCpu final : public FunctionKernelBase {
 public:
  explicit InterleaveCpu(KernelConstruction& c)
      : FunctionKernelBase(c, "f"), flat_(c.node().op() == "FlatMapDataset") {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    int64_t cycle_length = 1;
    int64_t block_length = 1;
    if (!flat_) {
      HR_ASSIGN_OR_RETURN(cycle_length, ScalarInput<int64_t>(c, 1 + captured_count(), "cycle_length"));
      HR_ASSIGN_OR_RETURN(block_length, ScalarInput<int64_t>(c, 2 + captured_count(), "block_length"));
    }
    return SetDatasetOutput(c, MakeInterleaveDataset(std::move(input), std::move(function), Captured(c), spec(),
                                                     cycle_length, block_length));
  }

 private:
  const bool flat_;
};

}  // namespace

std::vector<OpDefinition> DatasetFunctionOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(DatasetOp(
      "MapDataset(input_dataset: variant, other_arguments: list(Targuments)) -> (handle: variant) | f: func | "
      "Targuments: list(type) >= 0 | output_types: list(type) >= 1 | output_shapes: list(shape) >= 1 | "
      "use_inter_op_parallelism: bool = true | preserve_cardinality: bool = false | "
      "force_synchronous: bool = false | metadata: string = ''",
      ClassKernel<MapCpu>()));
  ops.push_back(DatasetOp(
      "ParallelMapDatasetV2(input_dataset: variant, other_arguments: list(Targuments), num_parallel_calls: i64) "
      "-> (handle: variant) | f: func | Targuments: list(type) >= 0 | output_types: list(type) >= 1 | "
      "output_shapes: list(shape) >= 1 | use_inter_op_parallelism: bool = true | "
      "deterministic: string = 'default' | preserve_cardinality: bool = false | "
      "use_unbounded_threadpool: bool = false | metadata: string = ''",
      ClassKernel<MapCpu>()));
  ops.push_back(
      DatasetOp("MapAndBatchDataset(input_dataset: variant, other_arguments: list(Targuments), batch_size: i64, "
                "num_parallel_calls: i64, drop_remainder: bool) -> (handle: variant) | f: func | "
                "Targuments: list(type) >= 0 | output_types: list(type) >= 1 | output_shapes: list(shape) >= 1 | "
                "preserve_cardinality: bool = false | metadata: string = ''",
                ClassKernel<MapAndBatchCpu>()));
  ops.push_back(
      DatasetOp("FilterDataset(input_dataset: variant, other_arguments: list(Targuments)) -> (handle: variant) | "
                "predicate: func | Targuments: list(type) >= 0 | output_types: list(type) >= 1 | "
                "output_shapes: list(shape) >= 1 | metadata: string = ''",
                ClassKernel<FilterCpu>()));
  constexpr std::string_view kMaker =
      " | f: func | Targuments: list(type) >= 0 | output_types: list(type) >= 1 | "
      "output_shapes: list(shape) >= 1 | metadata: string = ''";
  ops.push_back(DatasetOp(
      StrCat("FlatMapDataset(input_dataset: variant, other_arguments: list(Targuments)) -> (handle: variant)", kMaker),
      ClassKernel<InterleaveCpu>()));
  ops.push_back(DatasetOp(
      StrCat("InterleaveDataset(input_dataset: variant, other_arguments: list(Targuments), cycle_length: i64, "
             "block_length: i64) -> (handle: variant)",
             kMaker),
      ClassKernel<InterleaveCpu>()));
  return ops;
}

}  // namespace headrace
