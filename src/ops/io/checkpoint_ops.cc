// SaveV2: writes named tensors, or parts of them, into a bundle. RestoreV2: reads them. MergeV2Checkpoints: makes one
// bundle of those that several tasks wrote. Text i of shape_and_slices is "" for a whole tensor, or as
// ParseShapeAndSlice reads it. SaveV2 holds its inputs by reference: variables that are updated meanwhile go on in a
// copy, and each is saved as it was. Errors: kInvalidArgument for inputs that do not fit each other, another dtype or
// shape than the bundle's; kNotFound, kDataLoss and others as checkpoint/bundle_reader.h and bundle_writer.h say.
#include <algorithm>
#include <numeric>

#include "checkpoint/bundle_reader.h"
#include "checkpoint/bundle_writer.h"
#include "graph/shape_context.h"
#include "ops/io/blocking_kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/io_ops.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

constexpr int kNumLeading = 3;  // prefix, tensor_names, shape_and_slices

struct SaveInputs {
  const std::string* prefix;
  std::span<const std::string> names;
  std::span<const std::string> slices;
};

Result<SaveInputs> ReadInputs(const KernelContext& c, int num_tensors) {
  SaveInputs inputs;
  HR_ASSIGN_OR_RETURN(inputs.prefix, StringScalar(c, 0, "prefix"));
  HR_ASSIGN_OR_RETURN(inputs.names, StringVector(c, 1, "tensor_names"));
  HR_ASSIGN_OR_RETURN(inputs.slices, StringVector(c, 2, "shape_and_slices"));
  if (std::ssize(inputs.names) != num_tensors || std::ssize(inputs.slices) != num_tensors) {
    return InvalidArgument(c.node().op(), ": ", num_tensors, " tensors have ", inputs.names.size(),
                           " tensor_names and ", inputs.slices.size(), " shape_and_slices");
  }
  return inputs;
}

Status SaveShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  return c.RequireRank(2, 1);
}

Status Save(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SaveInputs inputs, ReadInputs(c, c.num_inputs() - kNumLeading));
  std::vector<size_t> order(inputs.names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return std::string_view(inputs.names[i]); });
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<BundleWriter> writer,
                      BundleWriter::Create(*c.runtime().files, *inputs.prefix));
  for (const size_t i : order) {
    const Tensor value = c.TakeInput(static_cast<int>(i) + kNumLeading);  // let go as soon as it is written
    if (c.cancellation() != nullptr) HR_RETURN_IF_ERROR(c.cancellation()->status());
    if (inputs.slices[i].empty()) {
      HR_RETURN_IF_ERROR(writer->Add(inputs.names[i], value));
    } else {
      HR_ASSIGN_OR_RETURN(const ShapeAndSlice part, ParseShapeAndSlice(inputs.slices[i]));
      HR_RETURN_IF_ERROR(writer->AddSlice(inputs.names[i], part, value));
    }
  }
  return writer->Finish();
}

Status RestoreShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(SaveShape(c));
  const Tensor* slices = c.constant(2);
  if (slices == nullptr || slices->dtype() != DType::kString) return OkStatus();
  const std::span<const std::string> texts = slices->data<std::string>();
  for (int i = 0; i < c.num_outputs() && i < std::ssize(texts); ++i) {
    if (texts[static_cast<size_t>(i)].empty()) continue;
    HR_ASSIGN_OR_RETURN(const ShapeAndSlice part, ParseShapeAndSlice(texts[static_cast<size_t>(i)]));
    HR_RETURN_IF_ERROR(c.SetOutput(i, part.slice.shape()));
  }
  return OkStatus();
}

Status RestoreOne(KernelContext& c, const BundleReader& reader, const std::string& name, const std::string& slice,
                  int output) {
  HR_ASSIGN_OR_RETURN(const BundleReader::Named stored, reader.Find(name));
  const DType expected = RemoveRef(c.node().output_types()[static_cast<size_t>(output)]);
  if (stored.dtype != expected) {
    return InvalidArgument("tensor_name = ", name, "; expected dtype ", TypeText(expected),
                           " does not equal original dtype ", TypeText(stored.dtype));
  }
  if (slice.empty()) {
    HR_ASSIGN_OR_RETURN(Tensor value, reader.Read(name, c.runtime().memory));
    return c.SetOutput(output, std::move(value));
  }
  HR_ASSIGN_OR_RETURN(const ShapeAndSlice part, ParseShapeAndSlice(slice));
  HR_ASSIGN_OR_RETURN(Tensor value, reader.ReadSlice(name, part, c.runtime().memory));
  return c.SetOutput(output, std::move(value));
}

Status Restore(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SaveInputs inputs, ReadInputs(c, c.num_outputs()));
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<BundleReader> reader,
                      BundleReader::Open(*c.runtime().files, *inputs.prefix));
  std::vector<Status> statuses(inputs.names.size());
  const auto restore = [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      statuses[i] = RestoreOne(c, *reader, inputs.names[i], inputs.slices[i], static_cast<int>(i));
    }
  };
  // Large tensors are worth another thread, and small ones do not matter.
  constexpr double kTensorNs = 1e6;
  if (c.step().run_inline) {
    restore(0, std::ssize(statuses));
  } else {
    c.runtime().blocking->ParallelFor(std::ssize(statuses), kTensorNs, restore);
  }
  for (const Status& status : statuses) HR_RETURN_IF_ERROR(status);
  return OkStatus();
}

class MergeKernel final : public BlockingKernel {
 public:
  explicit MergeKernel(KernelConstruction& construction)
      : delete_old_dirs_(construction.attr<bool>("delete_old_dirs", true)),
        allow_missing_files_(construction.attr<bool>("allow_missing_files", false)) {}

 protected:
  Status Run(KernelContext& c) const override {
    HR_ASSIGN_OR_RETURN(const std::span<const std::string> prefixes, StringVector(c, 0, "checkpoint_prefixes"));
    HR_ASSIGN_OR_RETURN(const std::string* destination, StringScalar(c, 1, "destination_prefix"));
    FileSystem& files = *c.runtime().files;
    HR_RETURN_IF_ERROR(MergeBundles(files, prefixes, *destination, allow_missing_files_));
    if (!delete_old_dirs_) return OkStatus();
    // Only directories that are empty now go; one that is not, or is gone already, is no error.
    const auto directory = [](const std::string& path) {
      return path.substr(0, std::max<size_t>(path.rfind('/') + 1, 1) - 1);
    };
    for (const std::string& prefix : prefixes) {
      const std::string old = directory(prefix);
      if (!old.empty() && old != directory(*destination)) (void)files.Delete(old).ok();
    }
    return OkStatus();
  }

 private:
  const bool delete_old_dirs_;
  const bool allow_missing_files_;
};

Status MergeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  return c.RequireScalar(1);
}

}  // namespace

std::vector<OpDefinition> CheckpointOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("SaveV2(prefix: str, tensor_names: str, shape_and_slices: str, tensors: list(dtypes)) -> () | "
                   "dtypes: list(type) >= 1 | stateful")
          .Shape(SaveShape)
          .NoGradient("writes files")
          .Kernels(AnyType(ClassKernel<BlockingFunctionKernel<Save>>())));
  ops.push_back(
      OpDefinition("RestoreV2(prefix: str, tensor_names: str, shape_and_slices: str) -> (tensors: list(dtypes)) | "
                   "dtypes: list(type) >= 1 | stateful")
          .Shape(RestoreShape)
          .NoGradient("reads files")
          .Kernels(AnyType(ClassKernel<BlockingFunctionKernel<Restore>>())));
  ops.push_back(OpDefinition("MergeV2Checkpoints(checkpoint_prefixes: str, destination_prefix: str) -> () | "
                             "delete_old_dirs: bool = true | allow_missing_files: bool = false | stateful")
                    .Shape(MergeShape)
                    .NoGradient("writes files")
                    .Kernels(AnyType(ClassKernel<MergeKernel>())));
  return ops;
}

}  // namespace headrace
