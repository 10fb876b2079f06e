// Datasets that hold elements or seeds from run to run, and the resources in which they may share them: CacheDataset(V2),
// ShuffleDataset(V2, V3), ShuffleAndRepeatDataset(V2); Anonymous-, Dummy- and Delete- MemoryCache and SeedGenerator.
// Where the handle names no resource (a dummy), the dataset has one of its own.
#include "ops/data/anonymous_resource.h"
#include "ops/data/data_ops.h"
#include "ops/data/dataset_kernel.h"

namespace headrace {

Status DeleteAnonymousCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
  return c.resources().Delete(handle->container, handle->name);
}

OpDefinition DataResourceOp(std::string_view signature, KernelFactory kernel) {
  return OpDefinition(signature)
      .Shape(ScalarShape)
      .NoGradient("a resource of datasets")
      .Kernels(AnyType(std::move(kernel)));
}

namespace {

/// The resource behind input i, or null when the handle names none.
template <typename T> Result<std::shared_ptr<T>> FindResource(const KernelContext& c, int i) {
  Result<std::shared_ptr<T>> found = c.LookupResource<T>(i);
  if (found.status().code() == Code::kNotFound) return std::shared_ptr<T>();
  return found;
}

/// kCacheInput: where the shared cache is, or -1 for an op without it.
template <int kCacheInput> Status CacheCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
  HR_ASSIGN_OR_RETURN(const std::string filename, ScalarInput<std::string>(c, 1, "filename"));
  if (!filename.empty()) return SetDatasetOutput(c, MakeFileCacheDataset(std::move(input), filename));
  std::shared_ptr<MemoryCache> cache;
  if constexpr (kCacheInput >= 0) {
    HR_ASSIGN_OR_RETURN(cache, FindResource<MemoryCache>(c, kCacheInput));
  }
  return SetDatasetOutput(c, MakeMemoryCacheDataset(std::move(input), std::move(cache)));
}

/// Where a shuffling op's inputs are; -1: it has none.
struct ShuffleInputs {
  int seed = -1;  // and seed2 behind it
  int count = -1;
  int generator = -1;
};

constexpr ShuffleInputs kShuffle{2, -1, -1};
constexpr ShuffleInputs kShuffleV2{-1, -1, 2};
constexpr ShuffleInputs kShuffleV3{2, -1, 4};
constexpr ShuffleInputs kShuffleAndRepeat{2, 4, -1};
constexpr ShuffleInputs kShuffleAndRepeatV2{2, 4, 5};

template <const ShuffleInputs& kInputs> class ShuffleCpu final : public Kernel {
 public:
  explicit ShuffleCpu(KernelConstruction& c) : reshuffle_(c.attr<bool>("reshuffle_each_iteration", true)) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(DatasetPtr input, DatasetFromTensor(c.input(0)));
    ShuffleOptions options;
    HR_ASSIGN_OR_RETURN(options.buffer_size, ScalarInput<int64_t>(c, 1, "buffer_size"));
    int64_t seed = 0, seed2 = 0;
    if constexpr (kInputs.seed >= 0) {
      HR_ASSIGN_OR_RETURN(seed, ScalarInput<int64_t>(c, kInputs.seed, "seed"));
      HR_ASSIGN_OR_RETURN(seed2, ScalarInput<int64_t>(c, kInputs.seed + 1, "seed2"));
    }
    if constexpr (kInputs.count >= 0) {
      HR_ASSIGN_OR_RETURN(options.count, ScalarInput<int64_t>(c, kInputs.count, "count"));
    }
    if constexpr (kInputs.generator >= 0) {
      HR_ASSIGN_OR_RETURN(options.seeds, FindResource<SeedGenerator>(c, kInputs.generator));
    }
    if (options.seeds == nullptr) {
      options.seeds = std::make_shared<SeedGenerator>(Seeds::FromOp(seed, seed2), reshuffle_);
    }
    return SetDatasetOutput(c, MakeShuffleDataset(std::move(input), std::move(options)));
  }

 private:
  const bool reshuffle_;
};

class AnonymousMemoryCacheCpu final : public AnonymousResourceKernel {
 public:
  explicit AnonymousMemoryCacheCpu(KernelConstruction& c) : AnonymousResourceKernel(c) {}
  Status Compute(KernelContext& c) override { return Give(c, "MemoryCache", std::make_shared<MemoryCache>()); }
};

/// With and without the input `reshuffle`.
class AnonymousSeedGeneratorCpu final : public AnonymousResourceKernel {
 public:
  explicit AnonymousSeedGeneratorCpu(KernelConstruction& c) : AnonymousResourceKernel(c) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const int64_t seed, ScalarInput<int64_t>(c, 0, "seed"));
    HR_ASSIGN_OR_RETURN(const int64_t seed2, ScalarInput<int64_t>(c, 1, "seed2"));
    bool reshuffle = true;
    if (c.num_inputs() > 2) {
      HR_ASSIGN_OR_RETURN(reshuffle, ScalarInput<bool>(c, 2, "reshuffle"));
    }
    return Give(c, "SeedGenerator", std::make_shared<SeedGenerator>(Seeds::FromOp(seed, seed2), reshuffle));
  }
};

void AddShuffles(std::vector<OpDefinition>& ops) {
  constexpr std::string_view kReshuffle = " | reshuffle_each_iteration: bool = true";
  const auto add = [&ops](std::string_view name, std::string_view inputs, std::string_view before,
                          std::string_view after, KernelFactory kernel) {
    ops.push_back(DatasetOp(StrCat(name, "(input_dataset: variant, buffer_size: i64", inputs, ") -> (handle: variant)",
                                   before, kDatasetSpec, after),
                            std::move(kernel)));
  };
  const std::string stateful = StrCat(kDatasetMetadata, " | stateful");
  constexpr std::string_view kSeeds = ", seed: i64, seed2: i64";
  constexpr std::string_view kCount = ", seed: i64, seed2: i64, count: i64";
  constexpr std::string_view kGenerator = ", seed_generator: resource";
  add("ShuffleDataset", kSeeds, kReshuffle, kDatasetMetadata, ClassKernel<ShuffleCpu<kShuffle>>());
  add("ShuffleDatasetV2", kGenerator, "", stateful, ClassKernel<ShuffleCpu<kShuffleV2>>());
  add("ShuffleDatasetV3", StrCat(kSeeds, kGenerator), kReshuffle, stateful, ClassKernel<ShuffleCpu<kShuffleV3>>());
  add("ShuffleAndRepeatDataset", kCount, "", StrCat(kReshuffle, kDatasetMetadata),
      ClassKernel<ShuffleCpu<kShuffleAndRepeat>>());
  add("ShuffleAndRepeatDatasetV2", StrCat(kCount, kGenerator), kReshuffle, stateful,
      ClassKernel<ShuffleCpu<kShuffleAndRepeatV2>>());
}

}  // namespace

std::vector<OpDefinition> DatasetMemoryOps() {
  std::vector<OpDefinition> ops;
  AddShuffles(ops);
  ops.push_back(DatasetOp(StrCat("CacheDataset(input_dataset: variant, filename: str) -> (handle: variant)",
                                 kDatasetSpec, kDatasetMetadata),
                          FunctionKernel(CacheCpu<-1>)));
  ops.push_back(
      DatasetOp(StrCat("CacheDatasetV2(input_dataset: variant, filename: str, cache: resource) -> (handle: variant)",
                       kDatasetSpec, kDatasetMetadata, " | stateful"),
                FunctionKernel(CacheCpu<2>)));

  const auto add = [&ops](std::string_view signature, KernelFactory kernel) {
    ops.push_back(DataResourceOp(StrCat(signature, " | stateful"), std::move(kernel)));
  };
  constexpr std::string_view kMade = " -> (handle: resource, deleter: variant)";
  add(StrCat("AnonymousMemoryCache()", kMade), ClassKernel<AnonymousMemoryCacheCpu>());
  add(StrCat("AnonymousRandomSeedGenerator(seed: i64, seed2: i64)", kMade), ClassKernel<AnonymousSeedGeneratorCpu>());
  add(StrCat("AnonymousSeedGenerator(seed: i64, seed2: i64, reshuffle: bool)", kMade),
      ClassKernel<AnonymousSeedGeneratorCpu>());
  for (std::string_view name : {"DummyMemoryCache", "DummySeedGenerator"}) {
    add(StrCat(name, "() -> (handle: resource)"), ClassKernel<DummyHandleKernel>());
  }
  for (std::string_view name : {"DeleteMemoryCache", "DeleteRandomSeedGenerator", "DeleteSeedGenerator"}) {
    add(StrCat(name, "(handle: resource, deleter: variant) -> ()"), FunctionKernel(DeleteAnonymousCpu));
  }
  return ops;
}

}  // namespace headrace
