// Datasets that apply several functions: GroupByWindowDataset. The name with Experimental is that of TensorFlow 1.14 and before.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

/// A function attribute, and how many tensors the function captured.
struct FunctionAttr {
  FunctionRef function;
  int captured_count;

  FunctionAttr(KernelConstruction& c, std::string_view name)
      : function(c.attr<FunctionRef>(name)),
        captured_count(static_cast<int>(c.attr<std::vector<DType>>(StrCat("T", name, "_other_arguments")).size())) {}
};

/// The captured tensors of the three functions follow the input, in this order.
class GroupByWindowCpu final : public Kernel {
 public:
  explicit GroupByWindowCpu(KernelConstruction& c)
      : functions_(c.functions()),
        attrs_{{c, "key_func"}, {c, "reduce_func"}, {c, "window_size_func"}},
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    FunctionCall calls[3];
    int next = 1;
    for (size_t i = 0; i < std::size(attrs_); ++i) {
      HR_ASSIGN_OR_RETURN(calls[i].function, functions_->Compile(attrs_[i].function));
      calls[i].captured = InputsFrom(c, next, attrs_[i].captured_count);
      next += attrs_[i].captured_count;
    }
    return SetDatasetOutput(c, MakeGroupByWindowDataset(std::move(input), std::move(calls[0]), std::move(calls[1]),
                                                        std::move(calls[2]), spec_));
  }

 private:
  const std::shared_ptr<FunctionRunner> functions_;  // keeps the session's functions alive
  const FunctionAttr attrs_[3];
  const ElementSpec spec_;
};

}  // namespace

std::vector<OpDefinition> DatasetGroupingOps() {
  std::vector<OpDefinition> ops;
  const auto add = [&ops](std::string_view name, std::string_view after) {
    ops.push_back(DatasetOp(
        StrCat(name,
               "(input_dataset: variant, key_func_other_arguments: list(Tkey_func_other_arguments), "
               "reduce_func_other_arguments: list(Treduce_func_other_arguments), window_size_func_other_arguments: "
               "list(Twindow_size_func_other_arguments)) -> (handle: variant) | key_func: func | reduce_func: func | "
               "window_size_func: func | Tkey_func_other_arguments: list(type) >= 0 | Treduce_func_other_arguments: "
               "list(type) >= 0 | Twindow_size_func_other_arguments: list(type) >= 0",
               kDatasetSpec, after),
        ClassKernel<GroupByWindowCpu>()));
  };
  add("GroupByWindowDataset", kDatasetMetadata);
  add("ExperimentalGroupByWindowDataset", "");
  return ops;
}

}  // namespace headrace
