// GroupByWindowDataset, which has three functions; the name with Experimental is that of TensorFlow before 1.15.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

class GroupByWindowCpu final : public Kernel {
 public:
  explicit GroupByWindowCpu(KernelConstruction& c)
      : functions_(c.functions()),
        key_(c, "key_func", "Tkey_func_other_arguments"),
        reduce_(c, "reduce_func", "Treduce_func_other_arguments"),
        window_size_(c, "window_size_func", "Twindow_size_func_other_arguments"),
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    GroupByWindowFunctions functions;
    int at = 1;
    HR_ASSIGN_OR_RETURN(functions.key, key_.Compile(c, *functions_, &at));
    HR_ASSIGN_OR_RETURN(functions.reduce, reduce_.Compile(c, *functions_, &at));
    HR_ASSIGN_OR_RETURN(functions.window_size, window_size_.Compile(c, *functions_, &at));
    return SetDatasetOutput(c, MakeGroupByWindowDataset(std::move(input), std::move(functions), spec_));
  }

 private:
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
