// GeneratorDataset: elements made by three graph functions, one that begins, one that gives the next element and one that is told
// the end (data/generator.cc). Each has captured tensors of its own.
#include "data/iterator.h"
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

namespace {

class GeneratorDatasetCpu final : public Kernel {
 public:
  explicit GeneratorDatasetCpu(KernelConstruction& c)
      : functions_(c.functions()),
        begin_(c, "init_func", "Tinit_func_args"),
        next_(c, "next_func", "Tnext_func_args"),
        finish_(c, "finalize_func", "Tfinalize_func_args"),
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}

  Status Compute(KernelContext& c) override {
    GeneratorFunctions functions;
    int at = 0;
    HR_ASSIGN_OR_RETURN(functions.begin, begin_.Compile(c, *functions_, &at));
    HR_ASSIGN_OR_RETURN(functions.next, next_.Compile(c, *functions_, &at));
    HR_ASSIGN_OR_RETURN(functions.finish, finish_.Compile(c, *functions_, &at));
    HR_RETURN_IF_ERROR(CheckElements(spec_.types, functions.next.function->result_types()));
    return SetDatasetOutput(c, MakeGeneratorDataset(std::move(functions), spec_));
  }

 private:
  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionPart begin_, next_, finish_;
  const ElementSpec spec_;
};

}  // namespace

std::vector<OpDefinition> DatasetGeneratorOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(DatasetOp(
      StrCat(
          "GeneratorDataset(init_func_other_args: list(Tinit_func_args), next_func_other_args: list(Tnext_func_args), "
          "finalize_func_other_args: list(Tfinalize_func_args)) -> (handle: variant) | init_func: func | next_func: "
          "func | finalize_func: func | Tinit_func_args: list(type) >= 0 | Tnext_func_args: list(type) >= 0 | "
          "Tfinalize_func_args: list(type) >= 0",
          kDatasetSpec, kDatasetMetadata, " | stateful"),
      ClassKernel<GeneratorDatasetCpu>()));
  return ops;
}

}  // namespace headrace
