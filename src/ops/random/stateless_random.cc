// Random ops without state: the same seed, or key and counter, gives the same numbers, TensorFlow's bit for bit.
// StatelessRandomUniform, Normal, TruncatedNormal, UniformInt, UniformFullInt: by `seed`, two integers. Their V2 twins: by the
// key and counter that StatelessRandomGetKeyCounter(Alg) makes of such a seed, and the algorithm: 1 (Philox) or 3 (any).
// Errors: kInvalidArgument for a shape, seed, key or counter of the wrong shape, or minval >= maxval; kUnimplemented for another
// algorithm.
#include "ops/random/random_ops.h"
#include "ops/random/random_stream.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

constexpr int32_t kPhilox = 1, kAnyAlgorithm = 3;

// A seed is scrambled by one block of a fixed stream, so that all of its bits count.
struct KeyCounter {
  uint64_t key;
  uint64_t counter;  // the upper half; the lower one is 0
};

Result<KeyCounter> FromSeed(const Tensor& seed) {
  if (seed.shape() != Shape({2})) return InvalidArgument("seed must have shape [2], not ", seed.shape());
  std::array<uint64_t, 2> words{};
  HR_RETURN_IF_ERROR((ForDType<int32_t, int64_t, uint32_t, uint64_t>(seed.dtype(), "seed", [&]<typename T>() {
    for (size_t i = 0; i < 2; ++i) words[i] = static_cast<uint64_t>(seed.data<T>()[i]);
    return OkStatus();
  })));
  Philox mixer(0x02461e293ec8f720, words[1]);
  mixer.Skip(words[0]);
  const Philox::Block mix = mixer.Next();
  return KeyCounter{uint64_t{mix[1]} << 32 | mix[0], uint64_t{mix[3]} << 32 | mix[2]};
}

// Where input `first` is a seed.
Result<Philox> BlocksFromSeed(const KernelContext& c, int first) {
  HR_ASSIGN_OR_RETURN(const KeyCounter from, FromSeed(c.input(first)));
  return Philox(from.key, from.counter);
}

// Where the inputs from `first` on are key, counter and algorithm.
Result<Philox> BlocksFromKey(const KernelContext& c, int first) {
  const Tensor& key = c.input(first);
  const Tensor& counter = c.input(first + 1);
  const Tensor& algorithm = c.input(first + 2);
  if (!algorithm.shape().IsScalar()) return InvalidArgument("alg must be a scalar, not ", algorithm.shape());
  if (algorithm.scalar<int32_t>() != kPhilox && algorithm.scalar<int32_t>() != kAnyAlgorithm) {
    return Unimplemented(c.node().op(), ": algorithm ", algorithm.scalar<int32_t>(),
                         " is not supported, Philox (1) is");
  }
  if (key.shape() != Shape({1})) return InvalidArgument("key must have shape [1], not ", key.shape());
  if (counter.rank() != 1 || counter.dim(0) < 2) {
    return InvalidArgument("counter must be a vector of at least 2 elements, not ", counter.shape());
  }
  Philox blocks(key.data<uint64_t>()[0], counter.data<uint64_t>()[1]);
  blocks.Skip(counter.data<uint64_t>()[0]);
  return blocks;
}

template <typename Distribution, bool kIsV2> Status StatelessRandom(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const Shape shape, ShapeInput(c));
  HR_ASSIGN_OR_RETURN(const Philox blocks, kIsV2 ? BlocksFromKey(c, 1) : BlocksFromSeed(c, 1));
  return FillOutput(c, Distribution(), blocks, shape);
}

template <typename T, bool kIsV2> Status StatelessRandomInt(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const Shape shape, ShapeInput(c));
  HR_ASSIGN_OR_RETURN(const Philox blocks, kIsV2 ? BlocksFromKey(c, 1) : BlocksFromSeed(c, 1));
  const Tensor& low = c.input(kIsV2 ? 4 : 2);
  const Tensor& high = c.input(kIsV2 ? 5 : 3);
  if (!low.shape().IsScalar()) return InvalidArgument("minval must be 0-D, got shape ", low.shape());
  if (!high.shape().IsScalar()) return InvalidArgument("maxval must be 0-D, got shape ", high.shape());
  const UniformInt<T> distribution{low.scalar<T>(), high.scalar<T>()};
  if (distribution.low >= distribution.high) {
    return InvalidArgument("Need minval < maxval, got ", distribution.low, " >= ", distribution.high);
  }
  return FillOutput(c, distribution, blocks, shape);
}

Status StatelessShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  return RandomShape(c);
}

Status KeyCounterShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({1})));
  if (c.num_outputs() == 3) HR_RETURN_IF_ERROR(c.SetOutput(2, PartialShape::Scalar()));
  return c.SetOutput(1, PartialShape({2}));
}

Status GetKeyCounter(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const KeyCounter made, FromSeed(c.input(0)));
  HR_RETURN_IF_ERROR(c.SetOutput(0, Tensor::Vector<uint64_t>({made.key})));
  if (c.num_outputs() == 3) HR_RETURN_IF_ERROR(c.SetOutput(2, Tensor::Scalar<int32_t>(kPhilox)));
  return c.SetOutput(1, Tensor::Vector<uint64_t>({0, made.counter}));
}

Status GetAlgorithm(KernelContext& c) { return c.SetOutput(0, Tensor::Scalar<int32_t>(kPhilox)); }

std::string V1Signature(std::string_view name, std::string_view more_inputs, std::string_view attrs) {
  return StrCat(name, "(shape: T, seed: Tseed", more_inputs, ") -> (output: dtype) | dtype: type", attrs);
}

std::string V2Signature(std::string_view name, std::string_view more_inputs, std::string_view types) {
  return StrCat(name, "V2(shape: Tshape, key: u64, counter: u64, alg: i32", more_inputs,
                ") -> (output: dtype) | dtype: type", types, " | Tshape: type = i32 in {i32,i64}");
}

OpDefinition Finish(const std::string& signature, std::vector<KernelDefinition> kernels) {
  return OpDefinition(signature).Shape(StatelessShape).NoGradient("random").Kernels(std::move(kernels));
}

template <template <typename> typename Distribution, typename... Ts>
void AddPair(std::string_view name, const std::string& v1_attrs, const std::string& v2_types,
             std::vector<OpDefinition>& ops) {
  ops.push_back(Finish(V1Signature(name, "", v1_attrs), KernelsFor<Ts...>("dtype", []<typename T>() {
                         return FunctionKernel(StatelessRandom<Distribution<T>, false>);
                       })));
  ops.push_back(Finish(V2Signature(name, "", v2_types), KernelsFor<Ts...>("dtype", []<typename T>() {
                         return FunctionKernel(StatelessRandom<Distribution<T>, true>);
                       })));
}

}  // namespace

std::vector<OpDefinition> StatelessRandomOps() {
  const std::string floats = StrCat(" = f32 in ", kFloatTypes), all_integers = " = u64 in {i32,i64,u32,u64}";
  const std::string shape_and_seed = " | T: type = i32 in {i32,i64} | Tseed: type = i64 in {i32,i64}";
  std::vector<OpDefinition> ops;
  AddPair<Uniform, float, double, Half, BFloat16>("StatelessRandomUniform", floats + shape_and_seed, floats, ops);
  AddPair<Normal, float, double, Half, BFloat16>("StatelessRandomNormal", floats + shape_and_seed, floats, ops);
  AddPair<TruncatedNormal, float, double, Half, BFloat16>("StatelessTruncatedNormal", floats + shape_and_seed, floats,
                                                          ops);
  AddPair<UniformFullInt, int32_t, int64_t, uint32_t, uint64_t>(
      "StatelessRandomUniformFullInt",
      all_integers + " | T: type = i32 in {i32,i64} | Tseed: type = i64 in {i32,i64,u32,u64}", all_integers, ops);
  constexpr char kBounds[] = ", minval: dtype, maxval: dtype";
  ops.push_back(Finish(V1Signature("StatelessRandomUniformInt", kBounds,
                                   " in {i32,i64} | T: type in {i32,i64} | Tseed: type = i64 in {i32,i64}"),
                       KernelsFor<int32_t, int64_t>(
                           "dtype", []<typename T>() { return FunctionKernel(StatelessRandomInt<T, false>); })));
  ops.push_back(Finish(V2Signature("StatelessRandomUniformInt", kBounds, " in {i32,i64,u32,u64}"),
                       KernelsFor<int32_t, int64_t, uint32_t, uint64_t>(
                           "dtype", []<typename T>() { return FunctionKernel(StatelessRandomInt<T, true>); })));
  for (std::string_view signature :
       {"StatelessRandomGetKeyCounter(seed: Tseed) -> (key: u64, counter: u64) | Tseed: type = i64 in {i32,i64}",
        "StatelessRandomGetKeyCounterAlg(seed: Tseed) -> (key: u64, counter: u64, alg: i32) | Tseed: type = i64 in "
        "{i32,i64}"}) {
    ops.push_back(OpDefinition(signature)
                      .Shape(KeyCounterShape)
                      .NoGradient("random")
                      .Kernels(AnyType(FunctionKernel(GetKeyCounter), true)));
  }
  ops.push_back(OpDefinition("StatelessRandomGetAlg() -> (alg: i32) | stateful")
                    .Shape(ScalarShape)
                    .NoGradient("random")
                    .Kernels(AnyType(FunctionKernel(GetAlgorithm), true)));
  return ops;
}

}  // namespace headrace
