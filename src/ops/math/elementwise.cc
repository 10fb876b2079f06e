#include "ops/math/elementwise.h"

#include <algorithm>
#include <cstring>

#include "kernel/broadcast.h"

namespace headrace {
namespace {

const char* Advance(const void* base, int64_t bytes) { return static_cast<const char*>(base) + bytes; }
char* Advance(void* base, int64_t bytes) { return static_cast<char*>(base) + bytes; }

class UnaryElementwise final : public Kernel {
 public:
  UnaryElementwise(UnaryLoop loop, double cost_ns) : loop_(loop), cost_ns_(cost_ns) {}

  Status Compute(KernelContext& context) override {
    const Tensor& x = context.input(0);
    const void* from = x.raw();
    const int64_t count = x.num_elements(), x_size = DTypeSize(x.dtype());
    HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOrReuse(0, {0}, x.shape()));
    void* to = y->mutable_raw();
    const int64_t y_size = DTypeSize(y->dtype());
    ForRange(context, count, cost_ns_, [&](int64_t begin, int64_t end) {
      loop_(Advance(from, begin * x_size), Advance(to, begin * y_size), end - begin);
    });
    return OkStatus();
  }

 private:
  const UnaryLoop loop_;
  const double cost_ns_;
};

class BinaryElementwise final : public Kernel {
 public:
  BinaryElementwise(BinaryLoop loop, OperandCheck check, double cost_ns)
      : loop_(loop), check_(check), cost_ns_(cost_ns) {}

  Status Compute(KernelContext& context) override {
    // Without an x there is no result that a forbidden y could spoil.
    if (check_ != nullptr && context.input(0).num_elements() > 0) {
      HR_RETURN_IF_ERROR(check_(context.input(1).raw(), context.input(1).num_elements()));
    }
    return ComputeBinary(context, loop_, cost_ns_);
  }

 private:
  const BinaryLoop loop_;
  const OperandCheck check_;
  const double cost_ns_;
};

// Both operands are read in the output's order, or are one element (step 0).
Status ComputeAligned(KernelContext& context, BinaryLoop loop, double cost_ns, int64_t x_step, int64_t y_step) {
  const Tensor& shaped = context.input(x_step == 1 ? 0 : 1);
  const void* x = context.input(0).raw();
  const void* y = context.input(1).raw();
  const int64_t count = shaped.num_elements(), size = DTypeSize(shaped.dtype());
  Result<Tensor*> made = x_step == 1 && y_step == 1 ? context.AllocateOrReuse(0, {0, 1}, shaped.shape())
                                                    : context.AllocateOrReuse(0, {x_step == 1 ? 0 : 1}, shaped.shape());
  if (!made.ok()) return made.status();
  void* z = (*made)->mutable_raw();
  const int64_t z_size = DTypeSize((*made)->dtype());
  ForRange(context, count, cost_ns, [&](int64_t begin, int64_t end) {
    loop(Advance(x, begin * x_step * size), Advance(y, begin * y_step * size), Advance(z, begin * z_size), end - begin,
         x_step, y_step);
  });
  return OkStatus();
}

Status ComputeBroadcast(KernelContext& context, BinaryLoop loop, double cost_ns) {
  const Tensor& x = context.input(0);
  const Tensor& y = context.input(1);
  HR_ASSIGN_OR_RETURN(const Broadcast broadcast, Broadcast::Make({&x.shape(), &y.shape()}));
  const void* x_data = x.raw();
  const void* y_data = y.raw();
  const int64_t size = DTypeSize(x.dtype()), count = broadcast.output().num_elements();
  // Only an operand of the output's size may become the output, and it is then read in the output's order.
  HR_ASSIGN_OR_RETURN(Tensor * z, context.AllocateOrReuse(0, {0, 1}, broadcast.output()));
  void* z_data = z->mutable_raw();
  const int64_t z_size = DTypeSize(z->dtype());
  ForRange(context, count, cost_ns, [&](int64_t begin, int64_t end) {
    broadcast.ForRuns(begin, end, [&](const Broadcast::Offsets& from, int64_t to, int64_t run) {
      loop(Advance(x_data, from[0] * size), Advance(y_data, from[1] * size), Advance(z_data, to * z_size), run,
           broadcast.step(0), broadcast.step(1));
    });
  });
  return OkStatus();
}

constexpr int64_t kShortRow = 256;
constexpr int64_t kRepeatedRow = 1024;

// How often y repeats in x: the number of elements of y where its shape is the end of x's (biases), else 0.
int64_t RepeatedRow(const Shape& x, const Shape& y) {
  int first = 0;
  while (first < y.rank() && y.dim(first) == 1) ++first;
  if (y.rank() > x.rank() || y.num_elements() < 2) return 0;
  for (int d = first; d < y.rank(); ++d) {
    if (y.dim(d) != x.dim(x.rank() - y.rank() + d)) return 0;
  }
  return y.num_elements();
}

// A short y that repeats is written out a few times, so that the loop gets runs worth its while.
Status ComputeRepeated(KernelContext& context, BinaryLoop loop, double cost_ns, int whole, int64_t row) {
  const Tensor& x = context.input(whole);
  const Tensor& y = context.input(1 - whole);
  const int64_t size = DTypeSize(x.dtype()), count = x.num_elements(), block = kRepeatedRow / row * row;
  HR_ASSIGN_OR_RETURN(Tensor repeated, context.AllocateTemporary(y.dtype(), Shape({block})));
  for (int64_t i = 0; i < block; i += row) {
    std::memcpy(Advance(repeated.mutable_raw(), i * size), y.raw(), static_cast<size_t>(row * size));
  }
  const void* x_data = x.raw();
  const void* y_data = repeated.raw();
  HR_ASSIGN_OR_RETURN(Tensor * z, context.AllocateOrReuse(0, {whole}, x.shape()));
  void* z_data = z->mutable_raw();
  const int64_t z_size = DTypeSize(z->dtype()), blocks = (count + block - 1) / block;
  ForRange(context, blocks, cost_ns * static_cast<double>(block), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * block; i < std::min(count, end * block); i += block) {
      const void* part = Advance(x_data, i * size);
      loop(whole == 0 ? part : y_data, whole == 0 ? y_data : part, Advance(z_data, i * z_size),
           std::min(block, count - i), 1, 1);
    }
  });
  return OkStatus();
}

}  // namespace

Status ComputeBinary(KernelContext& context, BinaryLoop loop, double cost_ns) {
  const Shape& x = context.input(0).shape();
  const Shape& y = context.input(1).shape();
  if (x == y) return ComputeAligned(context, loop, cost_ns, 1, 1);
  if (y.num_elements() == 1 && y.rank() <= x.rank()) return ComputeAligned(context, loop, cost_ns, 1, 0);
  if (x.num_elements() == 1 && x.rank() <= y.rank()) return ComputeAligned(context, loop, cost_ns, 0, 1);
  for (const int whole : {0, 1}) {
    const int64_t row = RepeatedRow(whole == 0 ? x : y, whole == 0 ? y : x);
    const bool worth = row > 0 && row <= kShortRow && context.input(whole).num_elements() >= 2 * kRepeatedRow;
    if (worth && IsPlainData(context.input(whole).dtype())) return ComputeRepeated(context, loop, cost_ns, whole, row);
  }
  return ComputeBroadcast(context, loop, cost_ns);
}

KernelDefinition UnaryKernel(DType type, UnaryLoop loop, double cost_ns) {
  return {.types = {{"T", {type}}}, .factory = [loop, cost_ns](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<UnaryElementwise>(loop, cost_ns));
          }};
}

KernelDefinition BinaryKernel(DType type, BinaryLoop loop, OperandCheck check, double cost_ns) {
  return {.types = {{"T", {type}}}, .factory = [=](KernelConstruction&) -> Result<std::unique_ptr<Kernel>> {
            return std::unique_ptr<Kernel>(std::make_unique<BinaryElementwise>(loop, check, cost_ns));
          }};
}

}  // namespace headrace
