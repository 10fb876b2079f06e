// AddN: the sum of N tensors of one shape, added up from the first to the last; of lists, element by element. Source: TensorFlow's op `AddN`.
#include "ops/math/add_n.h"
#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/list/tensor_list.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

Status AddNShape(ShapeContext& c) {
  PartialShape shape = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) {
    Result<PartialShape> merged = shape.MergeWith(c.input(i));
    if (!merged.ok())
      return InvalidArgument("AddN: shapes differ: input 0 is ", shape, ", input ", i, " is ", c.input(i));
    shape = *std::move(merged);
  }
  return c.SetOutput(0, std::move(shape));
}

Status AddNGradient(GradientContext& c) {
  const Endpoint dy = c.output_gradient(0);
  for (int i = 0; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.SetInputGradient(i, dy));
  return OkStatus();
}

class AddNKernel final : public Kernel {
 public:
  explicit AddNKernel(BinaryLoop add) : add_(add) {}

  Status Compute(KernelContext& context) override {
    const Tensor& first = context.input(0);
    const Shape shape = first.shape();
    for (int i = 1; i < context.num_inputs(); ++i) {
      if (context.input(i).shape() == shape) continue;
      return InvalidArgument("Inputs to operation ", context.node().name(),
                             " of type AddN must have the same size and shape.  Input 0: ", shape, " != input ", i,
                             ": ", context.input(i).shape());
    }
    if (context.num_inputs() == 1) return context.SetOutput(0, first);
    HR_ASSIGN_OR_RETURN(Tensor * sum, context.AllocateOrReuse(0, {0, 1}, shape));
    char* to = static_cast<char*>(sum->mutable_raw());
    const int64_t size = DTypeSize(sum->dtype());
    const auto add_up = [&](int64_t begin, int64_t end) {
      const auto part = [&](int i) { return static_cast<const char*>(context.input(i).raw()) + begin * size; };
      add_(part(0), part(1), to + begin * size, end - begin, 1, 1);
      for (int i = 2; i < context.num_inputs(); ++i)
        add_(to + begin * size, part(i), to + begin * size, end - begin, 1, 1);
    };
    ForRange(context, shape.num_elements(), 0.3 * context.num_inputs(), add_up);
    return OkStatus();
  }

 private:
  const BinaryLoop add_;
};

KernelDefinition AddNKernelFor(DType type, BinaryLoop add) {
  return {.types = {{"T", {type}}}, .factory = [add](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<AddNKernel>(add));
          }};
}

template <typename... Ts> std::vector<KernelDefinition> AddNKernels(Types<Ts...>) {
  return {AddNKernelFor(kDTypeOf<Ts>, std::is_same_v<Ts, float> ? GetFloatLoops().add : BinaryRun<AddFunctor, Ts>)...};
}

constexpr int kMaxListDepth = 16;  // of lists in lists

template <typename... Ts> BinaryLoop FindAddLoop(DType dtype, Types<Ts...>) {
  BinaryLoop found = nullptr;
  ((dtype == kDTypeOf<Ts> ? (found = BinaryRun<AddFunctor, Ts>, true) : false) || ...);
  return found;
}

BinaryLoop AddLoop(DType dtype) {
  if (dtype == DType::kFloat) return GetFloatLoops().add;
  if (const BinaryLoop loop = FindAddLoop(dtype, FloatTypes())) return loop;
  if (const BinaryLoop loop = FindAddLoop(dtype, SignedTypes())) return loop;
  if (const BinaryLoop loop = FindAddLoop(dtype, UnsignedTypes())) return loop;
  return FindAddLoop(dtype, ComplexTypes());
}

Result<Tensor> AddItems(const KernelContext& context, const Tensor& a, const Tensor& b, int depth);

Result<Tensor> AddLists(const KernelContext& context, const Tensor& a, const Tensor& b, int depth) {
  HR_ASSIGN_OR_RETURN(const TensorListPtr left, ListFromTensor(a));
  HR_ASSIGN_OR_RETURN(const TensorListPtr right, ListFromTensor(b));
  if (left->items.size() != right->items.size()) {
    return InvalidArgument("Trying to add two lists of tensors with different lengths. One is ", left->items.size(),
                           " and the other is ", right->items.size());
  }
  if (depth >= kMaxListDepth) return InvalidArgument("AddN: lists in lists over ", kMaxListDepth, " deep");
  HR_ASSIGN_OR_RETURN(PartialShape shape, left->element_shape.MergeWith(right->element_shape));
  auto sum = std::make_shared<TensorList>(left->element_dtype, std::move(shape));
  sum->items.reserve(left->items.size());
  for (size_t i = 0; i < left->items.size(); ++i) {
    HR_ASSIGN_OR_RETURN(Tensor item, AddItems(context, left->items[i], right->items[i], depth + 1));
    sum->items.push_back(std::move(item));
  }
  return ListToTensor(std::move(sum));
}

/// An item that was never set counts as zeros.
Result<Tensor> AddItems(const KernelContext& context, const Tensor& a, const Tensor& b, int depth) {
  if (!a.valid() || !b.valid()) return a.valid() ? a : b;
  if (a.dtype() == DType::kVariant && b.dtype() == DType::kVariant) return AddLists(context, a, b, depth);
  const BinaryLoop add = AddLoop(a.dtype());
  if (add == nullptr || a.dtype() != b.dtype() || a.shape() != b.shape()) {
    return InvalidArgument("AddN: elements of lists differ or cannot be added: ", a, " and ", b);
  }
  HR_ASSIGN_OR_RETURN(Tensor sum, Tensor::Allocate(a.dtype(), a.shape(), context.runtime().memory));
  add(a.raw(), b.raw(), sum.mutable_raw(), a.num_elements(), 1, 1);
  return sum;
}

Status AddNOfLists(KernelContext& context) {
  Tensor sum = context.input(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    HR_ASSIGN_OR_RETURN(sum, AddLists(context, sum, context.input(i), 0));
  }
  return context.SetOutput(0, std::move(sum));
}

}  // namespace

Result<Tensor> AddTwo(const KernelContext& context, const Tensor& a, const Tensor& b) {
  return AddItems(context, a, b, 0);
}

std::vector<OpDefinition> AddNOps() {
  std::vector<KernelDefinition> kernels = AddNKernels(FloatTypes());
  kernels = Join(std::move(kernels), AddNKernels(SignedTypes()));
  kernels = Join(std::move(kernels), AddNKernels(UnsignedTypes()));
  kernels = Join(std::move(kernels), AddNKernels(ComplexTypes()));
  kernels.push_back({.types = {{"T", {DType::kVariant}}}, .factory = FunctionKernel(AddNOfLists)});
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("AddN(inputs: N * T) -> (sum: T) | N: int >= 1 | T: type in {f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,"
                   "qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64,variant} | commutative | aggregate")
          .Shape(AddNShape)
          .Gradient(AddNGradient)
          .Kernels(std::move(kernels)));
  return ops;
}

}  // namespace headrace
