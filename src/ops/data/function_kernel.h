// FunctionKernel base: what the dataset ops with a function share. The function is compiled when the dataset is made; captured
// tensors follow the element's components as its arguments.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "ops/data/dataset_kernel.h"

namespace headrace {

/// Keeps the session's functions alive for as long as the compiled function is in use.
class DatasetFunctionKernel : public Kernel {
 protected:
  DatasetFunctionKernel(KernelConstruction& c, std::string_view function_attr)
      : functions_(c.functions()),
        function_(c.attr<FunctionRef>(function_attr)),
        captured_count_(static_cast<int>(c.attr<std::vector<DType>>("Targuments").size())),
        spec_{c.attr<std::vector<DType>>("output_types"), c.attr<std::vector<PartialShape>>("output_shapes")} {}

  Result<std::shared_ptr<const CompiledFunction>> Compile() const { return functions_->Compile(function_); }
  /// The captured tensors, which are the inputs from `first` on.
  std::vector<Tensor> Captured(const KernelContext& c, int first = 1) const {
    return InputsFrom(c, first, captured_count_);
  }
  /// The index of the input behind them.
  int AfterCaptured(int first = 1) const { return first + captured_count_; }
  const ElementSpec& spec() const { return spec_; }

 private:
  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionRef function_;
  const int captured_count_;
  const ElementSpec spec_;
};

}  // namespace headrace
