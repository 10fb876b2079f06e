// What the dataset ops share: reading their parameters, and putting the dataset into their output.
#pragma once

#include <string_view>

#include "data/stages.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// Reads input i as a scalar of type T. Errors: kInvalidArgument, naming the parameter.
template <typename T> Result<T> ScalarInput(const KernelContext& c, int i, std::string_view name) {
  const Tensor& tensor = c.input(i);
  if (tensor.dtype() != kDTypeOf<T> || tensor.num_elements() != 1 || tensor.rank() != 0) {
    return InvalidArgument(c.node().op(), ": ", name, " must be a scalar, got ", tensor);
  }
  return tensor.scalar<T>();
}

/// Reads input i as a scalar or vector of strings.
Result<std::vector<std::string>> StringsInput(const KernelContext& c, int i, std::string_view name);

inline std::vector<Tensor> InputsFrom(const KernelContext& c, int first, int count) {
  std::vector<Tensor> inputs;
  for (int i = first; i < first + count; ++i) inputs.push_back(c.input(i));
  return inputs;
}

/// The datasets in the inputs from `first` on. Errors: kInvalidArgument where one is none.
Result<std::vector<DatasetPtr>> DatasetInputs(const KernelContext& c, int first);

inline Status SetDatasetOutput(KernelContext& c, Result<DatasetPtr> dataset) {
  if (!dataset.ok()) return dataset.status();
  return c.SetOutput(0, DatasetToTensor(*std::move(dataset)));
}

/// Puts an element's components into the outputs. Errors: kInvalidArgument unless they have these types.
Status SetElementOutputs(KernelContext& c, Element element, const std::vector<DType>& types);

/// One of several functions of an op, each of which has captured tensors among the op's inputs.
class FunctionPart {
 public:
  /// `captured_attr` is the list of the captured tensors' types.
  FunctionPart(KernelConstruction& c, std::string_view function_attr, std::string_view captured_attr)
      : function_(c.attr<FunctionRef>(function_attr)),
        num_captured_(static_cast<int>(c.attr<std::vector<DType>>(captured_attr).size())) {}

  /// With the captured tensors, which are the inputs from `*at` on; moves that behind them.
  Result<CapturingFunction> Compile(const KernelContext& c, FunctionRunner& functions, int* at) const {
    CapturingFunction compiled;
    HR_ASSIGN_OR_RETURN(compiled.function, functions.Compile(function_));
    compiled.captured = InputsFrom(c, *at, num_captured_);
    *at += num_captured_;
    return compiled;
  }

 private:
  const FunctionRef function_;
  const int num_captured_;
};

/// The shape function of ops whose outputs are an element's components: those of `output_shapes`.
Status ElementShapes(ShapeContext& c);

/// The runtime outlives every step; iterators hold it by a pointer that shares nothing.
inline std::shared_ptr<Runtime> Unowned(Runtime& runtime) {
  return std::shared_ptr<Runtime>(std::shared_ptr<void>(), &runtime);
}

constexpr std::string_view kDatasetSpec = " | output_types: list(type) >= 1 | output_shapes: list(shape) >= 1";
constexpr std::string_view kDatasetMetadata = " | metadata: string = ''";

/// An op that makes a dataset with a function kernel; it has no gradient.
OpDefinition DatasetOp(std::string_view signature, KernelFactory kernel);

}  // namespace headrace
