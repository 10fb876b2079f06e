// GroupByWindowDataset, which has three functions; the name with Experimental is that of TensorFlow before 1.15.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

/// One of the op's functions, and how many tensors it captured.
struct FunctionPart {
  FunctionPart(KernelConstruction& c, std::string_view name)
      : function(c.attr<FunctionRef>(name)),
        captured_count(static_cast<int>(c.attr<std::vector<DType>>(StrCat("T", name, "_other_arguments")).size())) {}

  const FunctionRef function;
  const int captured_count;
};

class GroupByWindowCpu final : public Kernel {
 public:
  explicit GroupByWindowCpu(KernelConstruction& c)
      : functions_(c.functions()),
        key_(c, "key_func"),
        reduce_(c, "reduce_func"),
        window_size_(c, "window_size_func"),
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    GroupByWindowFunctions functions;
    int at = 1;
    HR_ASSIGN_OR_RETURN(functions.key, Compile(c, key_, &at));
    HR_ASSIGN_OR_RETURN(functions.reduce, Compile(c, reduce_, &at));
    HR_ASSIGN_OR_RETURN(functions.window_size, Compile(c, window_size_, &at));
    return SetDatasetOutput(c, MakeGroupByWindowDataset(std::move(input), std::move(functions), spec_));
  }

 private:
  /// With the captured tensors, which are the inputs from `*at` on; moves that behind them.
  Result<CapturingFunction> Compile(const KernelContext& c, const FunctionPart& part, int* at) const {
    CapturingFunction compiled;
    HR_ASSIGN_OR_RETURN(compiled.function, functions_->Compile(part.function));
    compiled.captured = InputsFrom(c, *at, part.captured_count);
    *at += part.captured_count;
    return compiled;
  }

  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionPart key_, reduce_, window_size_;
  const ElementSpec spec_;
};

constexpr std::string_view kGroupByWindow =
    "GroupByWindowDataset(input_dataset: variant, key_func_other_arguments: list(Tkey_func_other_arguments), "
    "reduce_func_other_arguments: list(Treduce_func_other_arguments), "
    "window_size_func_other_arguments: list(Twindow_size_func_other_arguments)) -> (handle: variant)"
    " | key_func: func | reduce_func: func | window_size_func: func | Tkey_func_other_arguments: list(type) >= 0"
    " | Treduce_func_other_arguments: list(type) >= 0 | Twindow_size_func_other_arguments: list(type) >= 0";

}  // namespace

std::vector<OpDefinition> DatasetGroupingOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(DatasetOp(StrCat(kGroupByWindow, kDatasetSpec, kDatasetMetadata), ClassKernel<GroupByWindowCpu>()));
  ops.push_back(DatasetOp(StrCat("Experimental", kGroupByWindow, kDatasetSpec), ClassKernel<GroupByWindowCpu>()));
  return ops;
}

}  // namespace headrace
