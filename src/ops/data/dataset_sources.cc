// Datasets from memory and from files: TensorDataset, TensorSliceDataset, RangeDataset, TFRecordDataset(V2), TextLineDataset.
// All give one variant scalar; faults of their parameters are kInvalidArgument, faults of files come with the elements.
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

Result<std::vector<std::string>> StringsInput(const KernelContext& c, int i, std::string_view name) {
  const Tensor& tensor = c.input(i);
  if (tensor.dtype() != DType::kString || tensor.rank() > 1) {
    return InvalidArgument(c.node().op(), ": ", name, " must be a string scalar or vector, got ", tensor);
  }
  const auto values = tensor.data<std::string>();
  return std::vector<std::string>(values.begin(), values.end());
}

OpDefinition DatasetOp(std::string_view signature, KernelFactory kernel) {
  return OpDefinition(signature).Shape(ScalarShape).NoGradient("a dataset").Kernels(AnyType(std::move(kernel)));
}

namespace {

std::vector<Tensor> AllInputs(const KernelContext& c) {
  std::vector<Tensor> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.input(i));
  return inputs;
}

Status TensorDatasetCpu(KernelContext& c) { return SetDatasetOutput(c, MakeTensorDataset(AllInputs(c))); }

Status TensorSliceDatasetCpu(KernelContext& c) { return SetDatasetOutput(c, MakeTensorSliceDataset(AllInputs(c))); }

class RangeDatasetCpu final : public Kernel {
 public:
  explicit RangeDatasetCpu(KernelConstruction& c) : types_(c.attr<std::vector<DType>>("output_types")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const int64_t start, ScalarInput<int64_t>(c, 0, "start"));
    HR_ASSIGN_OR_RETURN(const int64_t stop, ScalarInput<int64_t>(c, 1, "stop"));
    HR_ASSIGN_OR_RETURN(const int64_t step, ScalarInput<int64_t>(c, 2, "step"));
    if (types_.size() != 1)
      return InvalidArgument("RangeDataset: output_types must name one type, got ", types_.size());
    return SetDatasetOutput(c, MakeRangeDataset(start, stop, step, types_[0]));
  }

 private:
  const std::vector<DType> types_;
};

using MakeFileDataset = DatasetPtr (*)(std::vector<std::string> paths, Compression compression, int64_t buffer_bytes);

template <MakeFileDataset kMake> Status FileDatasetCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::vector<std::string> paths, StringsInput(c, 0, "filenames"));
  HR_ASSIGN_OR_RETURN(const std::string compression_type, ScalarInput<std::string>(c, 1, "compression_type"));
  HR_ASSIGN_OR_RETURN(const Compression compression, ParseCompression(compression_type));
  HR_ASSIGN_OR_RETURN(int64_t buffer_bytes, ScalarInput<int64_t>(c, 2, "buffer_size"));
  if (buffer_bytes == -1) buffer_bytes = 0;  // TensorFlow's client leaves the choice to us with -1
  if (buffer_bytes < 0) {
    return InvalidArgument(c.node().op(), ": buffer_size must be >= 0 (0 == default), got ", buffer_bytes);
  }
  if (c.num_inputs() > 3) {
    for (int64_t offset : c.input(3).data<int64_t>()) {
      if (offset != 0) return Unimplemented(c.node().op(), ": byte_offsets other than 0, got ", offset);
    }
  }
  return SetDatasetOutput(c, kMake(std::move(paths), compression, buffer_bytes));
}

}  // namespace

std::vector<OpDefinition> DatasetSourceOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(DatasetOp(
      "TensorDataset(components: list(Toutput_types)) -> (handle: variant) | Toutput_types: list(type) >= 1 | "
      "output_shapes: list(shape) >= 1 | metadata: string = '' | stateful",
      FunctionKernel(TensorDatasetCpu)));
  ops.push_back(DatasetOp(
      "TensorSliceDataset(components: list(Toutput_types)) -> (handle: variant) | Toutput_types: list(type) >= 1 "
      "| output_shapes: list(shape) >= 1 | is_files: bool = false | metadata: string = '' | "
      "replicate_on_split: bool = false | stateful",
      FunctionKernel(TensorSliceDatasetCpu)));
  ops.push_back(
      DatasetOp("RangeDataset(start: i64, stop: i64, step: i64) -> (handle: variant) | output_types: list(type) >= 1 | "
                "output_shapes: list(shape) >= 1 | metadata: string = '' | replicate_on_split: bool = false | stateful",
                ClassKernel<RangeDatasetCpu>()));
  ops.push_back(
      DatasetOp("TFRecordDataset(filenames: str, compression_type: str, buffer_size: i64) -> (handle: variant) | "
                "metadata: string = '' | stateful",
                FunctionKernel(FileDatasetCpu<MakeRecordDataset>)));
  ops.push_back(
      DatasetOp("TFRecordDatasetV2(filenames: str, compression_type: str, buffer_size: i64, byte_offsets: i64) -> "
                "(handle: variant) | metadata: string = '' | stateful",
                FunctionKernel(FileDatasetCpu<MakeRecordDataset>)));
  ops.push_back(
      DatasetOp("TextLineDataset(filenames: str, compression_type: str, buffer_size: i64) -> (handle: variant) | "
                "metadata: string = '' | stateful",
                FunctionKernel(FileDatasetCpu<MakeTextLineDataset>)));
  return ops;
}

}  // namespace headrace
