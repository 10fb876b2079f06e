// Datasets from memory and from files: TensorDataset, TensorSliceDataset, SparseTensorSliceDataset, RangeDataset, RandomDataset,
// TFRecordDataset(V2), TextLineDataset, FixedLengthRecordDataset(V2).
// All give one variant scalar; faults of their parameters are kInvalidArgument, faults of files come with the elements.
#include <algorithm>

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

Result<std::vector<DatasetPtr>> DatasetInputs(const KernelContext& c, int first) {
  std::vector<DatasetPtr> datasets;
  for (int i = first; i < c.num_inputs(); ++i) {
    HR_ASSIGN_OR_RETURN(DatasetPtr dataset, DatasetFromTensor(c.input(i)));
    datasets.push_back(std::move(dataset));
  }
  return datasets;
}

OpDefinition DatasetOp(std::string_view signature, KernelFactory kernel) {
  return OpDefinition(signature).Shape(ScalarShape).NoGradient("a dataset").Kernels(AnyType(std::move(kernel)));
}

namespace {

std::vector<Tensor> AllInputs(const KernelContext& c) { return InputsFrom(c, 0, c.num_inputs()); }

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

Result<Compression> CompressionInput(const KernelContext& c, int i) {
  HR_ASSIGN_OR_RETURN(const std::string compression_type, ScalarInput<std::string>(c, i, "compression_type"));
  return ParseCompression(compression_type);
}

Result<int64_t> BufferSizeInput(const KernelContext& c, int i) {
  HR_ASSIGN_OR_RETURN(const int64_t buffer_bytes, ScalarInput<int64_t>(c, i, "buffer_size"));
  if (buffer_bytes >= kChosenHere) return std::max<int64_t>(buffer_bytes, 0);
  return InvalidArgument(c.node().op(), ": buffer_size must be >= 0 (0 == default), got ", buffer_bytes);
}

template <MakeFileDataset kMake> Status FileDatasetCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::vector<std::string> paths, StringsInput(c, 0, "filenames"));
  HR_ASSIGN_OR_RETURN(const Compression compression, CompressionInput(c, 1));
  HR_ASSIGN_OR_RETURN(const int64_t buffer_bytes, BufferSizeInput(c, 2));
  if (c.num_inputs() > 3) {
    for (int64_t offset : c.input(3).data<int64_t>()) {
      if (offset != 0) return Unimplemented(c.node().op(), ": byte_offsets other than 0, got ", offset);
    }
  }
  return SetDatasetOutput(c, kMake(std::move(paths), compression, buffer_bytes));
}

Status FixedLengthRecordCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::vector<std::string> paths, StringsInput(c, 0, "filenames"));
  FixedLengthLayout layout;
  HR_ASSIGN_OR_RETURN(layout.header_bytes, ScalarInput<int64_t>(c, 1, "header_bytes"));
  HR_ASSIGN_OR_RETURN(layout.record_bytes, ScalarInput<int64_t>(c, 2, "record_bytes"));
  HR_ASSIGN_OR_RETURN(layout.footer_bytes, ScalarInput<int64_t>(c, 3, "footer_bytes"));
  HR_ASSIGN_OR_RETURN(const int64_t buffer_bytes, BufferSizeInput(c, 4));
  Compression compression = Compression::kNone;
  if (c.num_inputs() > 5) {
    HR_ASSIGN_OR_RETURN(compression, CompressionInput(c, 5));
  }
  return SetDatasetOutput(c, MakeFixedLengthRecordDataset(std::move(paths), layout, compression, buffer_bytes));
}

Status SparseTensorSliceCpu(KernelContext& c) {
  return SetDatasetOutput(c, MakeSparseTensorSliceDataset(c.input(0), c.input(1), c.input(2)));
}

Status RandomCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const int64_t seed, ScalarInput<int64_t>(c, 0, "seed"));
  HR_ASSIGN_OR_RETURN(const int64_t seed2, ScalarInput<int64_t>(c, 1, "seed2"));
  return SetDatasetOutput(c, MakeRandomDataset(seed, seed2));
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
  constexpr std::string_view kFixedLength =
      "filenames: str, header_bytes: i64, record_bytes: i64, footer_bytes: i64, buffer_size: i64";
  ops.push_back(DatasetOp(
      StrCat("FixedLengthRecordDataset(", kFixedLength, ") -> (handle: variant)", kDatasetMetadata, " | stateful"),
      FunctionKernel(FixedLengthRecordCpu)));
  ops.push_back(DatasetOp(StrCat("FixedLengthRecordDatasetV2(", kFixedLength,
                                 ", compression_type: str) -> (handle: variant)", kDatasetMetadata, " | stateful"),
                          FunctionKernel(FixedLengthRecordCpu)));
  ops.push_back(
      DatasetOp("SparseTensorSliceDataset(indices: i64, values: Tvalues, dense_shape: i64) -> (handle: variant) | "
                "Tvalues: type | stateful",
                FunctionKernel(SparseTensorSliceCpu)));
  constexpr std::string_view kRandom = "RandomDataset(seed: i64, seed2: i64) -> (handle: variant)";
  ops.push_back(DatasetOp(StrCat(kRandom, kDatasetSpec, kDatasetMetadata, " | stateful"), FunctionKernel(RandomCpu)));
  ops.push_back(DatasetOp(StrCat("Experimental", kRandom, kDatasetSpec, " | stateful"), FunctionKernel(RandomCpu)));
  return ops;
}

}  // namespace headrace
