// Datasets whose function makes a dataset of each element: FlatMapDataset, InterleaveDataset, ParallelInterleaveDatasetV2, V3, V4,
// and the older ParallelInterleaveDataset, LegacyParallelInterleaveDatasetV2 of parallel_interleave. All yield in one order,
// also where a client would allow another. And DirectedInterleaveDataset, where a dataset chooses.
#include "ops/data/data_ops.h"
#include "ops/data/function_kernel.h"

namespace headrace {

namespace {

/// Where the parameters are, counted from the first input behind the captured ones; -1: the op has none.
struct InterleaveInputs {
  int cycle_length = -1;
  int block_length = -1;
  int buffer_output_elements = -1;
  int prefetch_input_elements = -1;
  int num_parallel_calls = -1;
  bool parallel = false;
  bool legacy = false;
};

constexpr InterleaveInputs kFlat;
constexpr InterleaveInputs kSequential{0, 1, -1, -1, -1, false};
constexpr InterleaveInputs kParallelCalls{0, 1, -1, -1, 2, true};
constexpr InterleaveInputs kParallelV4{0, 1, 2, 3, 4, true};
constexpr InterleaveInputs kLegacyV2{0, 1, 2, 3, -1, true, true};
constexpr InterleaveInputs kLegacy{0, 1, 3, 4, -1, true, true};  // `sloppy` is the third

template <const InterleaveInputs& kInputs> class InterleaveCpu final : public DatasetFunctionKernel {
 public:
  explicit InterleaveCpu(KernelConstruction& c) : DatasetFunctionKernel(c, "f") {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> function, Compile());
    InterleaveOptions options{.parallel = kInputs.parallel, .passes_blocks_on = kInputs.legacy};
    HR_RETURN_IF_ERROR(Read(c, kInputs.cycle_length, "cycle_length", &options.cycle_length));
    HR_RETURN_IF_ERROR(Read(c, kInputs.block_length, "block_length", &options.block_length));
    HR_RETURN_IF_ERROR(
        Read(c, kInputs.buffer_output_elements, "buffer_output_elements", &options.buffer_output_elements));
    HR_RETURN_IF_ERROR(
        Read(c, kInputs.prefetch_input_elements, "prefetch_input_elements", &options.prefetch_input_elements));
    HR_RETURN_IF_ERROR(Read(c, kInputs.num_parallel_calls, "num_parallel_calls", &options.num_parallel_calls));
    return SetDatasetOutput(c,
                            MakeInterleaveDataset(std::move(input), std::move(function), Captured(c), spec(), options));
  }

 private:
  Status Read(const KernelContext& c, int index, std::string_view name, int64_t* value) const {
    if (index < 0) return OkStatus();
    HR_ASSIGN_OR_RETURN(*value, ScalarInput<int64_t>(c, AfterCaptured() + index, name));
    return OkStatus();
  }
};

class DirectedInterleaveCpu final : public Kernel {
 public:
  explicit DirectedInterleaveCpu(KernelConstruction& c) : stop_on_empty_(c.attr<bool>("stop_on_empty_dataset")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr selector, DatasetFromTensor(c.input(0)));
    HR_ASSIGN_OR_RETURN(std::vector<DatasetPtr> inputs, DatasetInputs(c, 1));
    return SetDatasetOutput(c, MakeDirectedInterleaveDataset(std::move(selector), std::move(inputs), stop_on_empty_));
  }

 private:
  const bool stop_on_empty_;
};

}  // namespace

std::vector<OpDefinition> DatasetInterleaveOps() {
  std::vector<OpDefinition> ops;
  const auto add = [&ops](std::string_view name, std::string_view inputs, std::string_view before,
                          std::string_view after, KernelFactory kernel) {
    ops.push_back(DatasetOp(
        StrCat(name, "(input_dataset: variant, other_arguments: list(Targuments)", inputs,
               ") -> (handle: variant) | f: func", before, " | Targuments: list(type) >= 0", kDatasetSpec, after),
        std::move(kernel)));
  };
  constexpr std::string_view kCycle = ", cycle_length: i64, block_length: i64";
  constexpr std::string_view kBuffers = ", buffer_output_elements: i64, prefetch_input_elements: i64";
  constexpr std::string_view kCalls = ", num_parallel_calls: i64";
  constexpr std::string_view kDeterministic = " | deterministic: string = 'default'";
  add("FlatMapDataset", "", "", kDatasetMetadata, ClassKernel<InterleaveCpu<kFlat>>());
  add("InterleaveDataset", kCycle, "", kDatasetMetadata, ClassKernel<InterleaveCpu<kSequential>>());
  add("ParallelInterleaveDatasetV2", StrCat(kCycle, kCalls), "", " | sloppy: bool = false | metadata: string = ''",
      ClassKernel<InterleaveCpu<kParallelCalls>>());
  add("ParallelInterleaveDatasetV3", StrCat(kCycle, kCalls), kDeterministic, kDatasetMetadata,
      ClassKernel<InterleaveCpu<kParallelCalls>>());
  add("ParallelInterleaveDatasetV4", StrCat(kCycle, kBuffers, kCalls), kDeterministic, kDatasetMetadata,
      ClassKernel<InterleaveCpu<kParallelV4>>());
  add("LegacyParallelInterleaveDatasetV2", StrCat(kCycle, kBuffers), kDeterministic, kDatasetMetadata,
      ClassKernel<InterleaveCpu<kLegacyV2>>());
  add("ParallelInterleaveDataset", StrCat(kCycle, ", sloppy: bool", kBuffers), "", kDatasetMetadata,
      ClassKernel<InterleaveCpu<kLegacy>>());
  add("ExperimentalParallelInterleaveDataset", StrCat(kCycle, ", sloppy: bool", kBuffers), "", "",
      ClassKernel<InterleaveCpu<kLegacy>>());

  constexpr std::string_view kDirected =
      "DirectedInterleaveDataset(selector_input_dataset: variant, data_input_datasets: N * variant) -> "
      "(handle: variant)";
  ops.push_back(DatasetOp(StrCat(kDirected, kDatasetSpec, " | N: int >= 1 | stop_on_empty_dataset: bool = false"),
                          ClassKernel<DirectedInterleaveCpu>()));
  ops.push_back(DatasetOp(StrCat("Experimental", kDirected, kDatasetSpec, " | N: int >= 1"),
                          ClassKernel<DirectedInterleaveCpu>()));
  return ops;
}

}  // namespace headrace
