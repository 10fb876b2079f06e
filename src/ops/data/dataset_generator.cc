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
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {
    for (int i = 0; i < 3; ++i) {
      function_[i] = c.attr<FunctionRef>(StrCat(kNames[i], "_func"));
      num_captured_[i] = static_cast<int>(c.attr<std::vector<DType>>(StrCat("T", kNames[i], "_func_args")).size());
    }
  }

  Status Compute(KernelContext& c) override {
    std::shared_ptr<const CompiledFunction> compiled[3];
    std::vector<Tensor> captured[3];
    for (int i = 0, input = 0; i < 3; input += num_captured_[i++]) {
      HR_ASSIGN_OR_RETURN(compiled[i], functions_->Compile(function_[i]));
      captured[i] = InputsFrom(c, input, num_captured_[i]);
    }
    HR_RETURN_IF_ERROR(CheckElements(spec_.types, compiled[1]->result_types()));
    return SetDatasetOutput(c, MakeGeneratorDataset({.begin = std::move(compiled[0]),
                                                     .begin_captured = std::move(captured[0]),
                                                     .next = std::move(compiled[1]),
                                                     .next_captured = std::move(captured[1]),
                                                     .finish = std::move(compiled[2]),
                                                     .finish_captured = std::move(captured[2])},
                                                    spec_));
  }

 private:
  static constexpr std::string_view kNames[3] = {"init", "next", "finalize"};

  const std::shared_ptr<FunctionRunner> functions_;
  const ElementSpec spec_;
  FunctionRef function_[3];
  int num_captured_[3] = {};
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
