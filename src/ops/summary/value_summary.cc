// ScalarSummary, HistogramSummary, TensorSummary(V2): values as a serialized summary, TensorFlow's message Summary.
// MergeSummary: one summary of several.
// Errors: kInvalidArgument for tags that are no scalar or, of ScalarSummary, not shaped as the values; values that no
// histogram can count; what is no summary, and one tag in two of them.
#include <cmath>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/summary/summary_ops.h"
#include "ops/summary/summary_proto.h"

namespace headrace {

namespace {

Status SetSummary(KernelContext& c, const SummaryValues& values) {
  return c.SetOutput(0, Tensor::Scalar(values.Serialize()));
}

template <typename T> Status ScalarSummary(KernelContext& c) {
  const Tensor &tags = c.input(0), &values = c.input(1);
  const std::span<const std::string> names = tags.data<std::string>();
  if (tags.shape() != values.shape()) {
    const std::string single = names.size() == 1 ? StrCat(" (tag '", names[0], "')") : std::string();
    return InvalidArgument("tags and values are not the same shape: ", tags.shape(), " != ", values.shape(), single);
  }
  SummaryValues summary;
  for (size_t i = 0; i < names.size(); ++i) summary.AddScalar(names[i], static_cast<float>(values.data<T>()[i]));
  return SetSummary(c, summary);
}

template <typename T> Status HistogramSummary(KernelContext& c) {
  if (c.input(0).rank() != 0) return InvalidArgument("tags must be scalar");
  const std::string& tag = c.input(0).scalar<std::string>();
  Histogram histogram;
  for (const T element : c.input(1).data<T>()) {
    const auto value = static_cast<double>(element);
    if (std::isnan(value)) return InvalidArgument("Nan in summary histogram for: ", c.node().name());
    if (std::isinf(value)) return InvalidArgument("Infinity in summary histogram for: ", c.node().name());
    histogram.Add(value);
  }
  SummaryValues summary;
  summary.AddHistogram(tag, histogram);
  return SetSummary(c, summary);
}

Status TensorSummary(KernelContext& c) {
  SummaryValues summary;
  HR_RETURN_IF_ERROR(summary.AddNodeTensor(c.node().name(), c.input(0)));
  return SetSummary(c, summary);
}

Status TensorSummaryV2(KernelContext& c) {
  if (c.input(0).rank() != 0) return InvalidArgument("tag must be scalar");
  if (c.input(2).rank() != 0) return InvalidArgument("serialized_summary_metadata must be scalar");
  SummaryValues summary;
  HR_RETURN_IF_ERROR(summary.AddTensor(c.input(0).scalar<std::string>(), c.input(1), c.input(2).scalar<std::string>()));
  return SetSummary(c, summary);
}

Status MergeSummary(KernelContext& c) {
  SummaryValues summary;
  for (int i = 0; i < c.num_inputs(); ++i) {
    for (const std::string& one : c.input(i).data<std::string>()) HR_RETURN_IF_ERROR(summary.AddAll(one));
  }
  return SetSummary(c, summary);
}

OpDefinition Define(const char* signature, std::vector<KernelDefinition> kernels) {
  return OpDefinition(signature).Shape(ScalarShape).NoGradient("strings").Kernels(std::move(kernels));
}

template <typename MakeFactory> std::vector<KernelDefinition> RealKernels(MakeFactory make) {
  return KernelsFor<float, double, int32_t, uint8_t, int16_t, int8_t, int64_t, BFloat16, uint16_t, Half, uint32_t,
                    uint64_t>("T", make);
}

}  // namespace

std::vector<OpDefinition> ValueSummaryOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      Define("ScalarSummary(tags: str, values: T) -> (summary: str) | T: type in "
             "{f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64}",
             RealKernels([]<typename T>() { return FunctionKernel(ScalarSummary<T>); })));
  ops.push_back(
      Define("HistogramSummary(tag: str, values: T) -> (summary: str) | T: type = f32 in "
             "{f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64}",
             RealKernels([]<typename T>() { return FunctionKernel(HistogramSummary<T>); })));
  ops.push_back(
      Define("TensorSummary(tensor: T) -> (summary: str) | T: type | description: string = '' | labels: "
             "list(string) = [] | display_name: string = ''",
             AnyType(FunctionKernel(TensorSummary))));
  ops.push_back(
      Define("TensorSummaryV2(tag: str, tensor: T, serialized_summary_metadata: str) -> (summary: str) | T: type",
             AnyType(FunctionKernel(TensorSummaryV2))));
  ops.push_back(
      Define("MergeSummary(inputs: N * str) -> (summary: str) | N: int >= 1", AnyType(FunctionKernel(MergeSummary))));
  return ops;
}

}  // namespace headrace
