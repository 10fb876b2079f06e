// StringToHashBucketFast, StringToHashBucketStrong, StringToHashBucket: each string's hash modulo num_buckets. The hashes are
// FarmHash's Fingerprint64, SipHash-2-4 with the attribute `key`, and MurmurHash64A; none changes from release to release but the
// last, which TensorFlow does not promise.
#include <farmhash.h>

#include <bit>
#include <cstring>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

uint64_t Load(const char* from, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, from, size);
  return word;
}

uint64_t Fingerprint(std::string_view text) { return util::Fingerprint64(text.data(), text.size()); }

uint64_t Murmur(std::string_view text) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995, kSeed = 0xDECAFCAFFE;
  uint64_t hash = kSeed ^ (text.size() * kMultiplier);
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t word = Load(text.data(), 8) * kMultiplier;
    word = (word ^ word >> 47) * kMultiplier;
    hash = (hash ^ word) * kMultiplier;
  }
  if (!text.empty()) hash = (hash ^ Load(text.data(), text.size())) * kMultiplier;
  hash = (hash ^ hash >> 47) * kMultiplier;
  return hash ^ hash >> 47;
}

struct SipHash {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1, v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1, v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void Add(uint64_t word) {
    v3 ^= word;
    Round(), Round();
    v0 ^= word;
  }
  static uint64_t Of(std::string_view text, uint64_t k0, uint64_t k1) {
    SipHash s{.v0 = k0 ^ 0x736f6d6570736575,
              .v1 = k1 ^ 0x646f72616e646f6d,
              .v2 = k0 ^ 0x6c7967656e657261,
              .v3 = k1 ^ 0x7465646279746573};
    const uint64_t size = text.size();
    for (; text.size() >= 8; text.remove_prefix(8)) s.Add(Load(text.data(), 8));
    s.Add((text.empty() ? 0 : Load(text.data(), text.size())) | size << 56);
    s.v2 ^= 0xff;
    s.Round(), s.Round(), s.Round(), s.Round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  }
};

template <typename Hash> Status HashAll(KernelContext& c, uint64_t buckets, Hash hash) {
  const std::span<const std::string> in = c.input(0).data<std::string>();
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  const std::span<int64_t> out = output->mutable_data<int64_t>();
  constexpr double kStringNs = 20;
  c.ParallelFor(std::ssize(in), kStringNs, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      out[i] = static_cast<int64_t>(hash(in[i]) % buckets);
  });
  return OkStatus();
}

uint64_t BucketsOf(const KernelConstruction& c) { return static_cast<uint64_t>(c.attr<int64_t>("num_buckets", 1)); }

template <uint64_t (*kHash)(std::string_view)> class HashBucketKernel final : public Kernel {
 public:
  explicit HashBucketKernel(KernelConstruction& c) : num_buckets_(BucketsOf(c)) {}
  Status Compute(KernelContext& c) override { return HashAll(c, num_buckets_, kHash); }

 private:
  const uint64_t num_buckets_;
};

class StrongHashBucketKernel final : public Kernel {
 public:
  StrongHashBucketKernel(uint64_t num_buckets, uint64_t k0, uint64_t k1)
      : num_buckets_(num_buckets), k0_(k0), k1_(k1) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const auto key = c.attr<std::vector<int64_t>>("key");
    if (key.size() != 2) return InvalidArgument("Key must have 2 elements, it has ", key.size());
    return std::unique_ptr<Kernel>(std::make_unique<StrongHashBucketKernel>(BucketsOf(c), static_cast<uint64_t>(key[0]),
                                                                            static_cast<uint64_t>(key[1])));
  }
  Status Compute(KernelContext& c) override {
    return HashAll(c, num_buckets_, [this](std::string_view text) { return SipHash::Of(text, k0_, k1_); });
  }

 private:
  const uint64_t num_buckets_, k0_, k1_;
};

OpDefinition HashOp(std::string_view signature, KernelFactory factory) {
  return OpDefinition(signature).Shape(UnchangedShape).NoGradient("strings").Kernels(AnyType(std::move(factory)));
}

}  // namespace

std::vector<OpDefinition> StringHashOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(HashOp("StringToHashBucketFast(input: str) -> (output: i64) | num_buckets: int >= 1",
                       ClassKernel<HashBucketKernel<Fingerprint>>()));
  ops.push_back(HashOp("StringToHashBucketStrong(input: str) -> (output: i64) | num_buckets: int >= 1 | key: list(int)",
                       ClassKernel<StrongHashBucketKernel>()));
  ops.push_back(HashOp("StringToHashBucket(string_tensor: str) -> (output: i64) | num_buckets: int >= 1",
                       ClassKernel<HashBucketKernel<Murmur>>()));
  return ops;
}

}  // namespace headrace
