// DynamicPartition: slices of `data` sorted into outputs by the numbers in `partitions`, whose shape data's shape begins with; each
// output keeps the order. Source: TensorFlow's op `DynamicPartition`.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status PartitionShape(ShapeContext& c) {
  const PartialShape &data = c.input(0), &partitions = c.input(1);
  PartialShape part;
  if (data.has_rank() && partitions.has_rank()) {
    if (partitions.rank() > data.rank())
      return InvalidArgument("data.shape must start with partitions.shape, got data.shape = ", data,
                             ", partitions.shape = ", partitions);
    part = PartialShape({PartialShape::kUnknownDim});
    for (int d = partitions.rank(); d < data.rank(); ++d) part.AppendDim(data.dim(d));
  }
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, part));
  return OkStatus();
}

// The gradients stitched back by the numbers of the slices, which are partitioned along.
Status PartitionGradient(GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const int n = c.node().num_outputs();
  const Endpoint numbers =
      c.Op("Reshape", {c.Op("Range", {b.Scalar<int32_t>(0), c.Op("Size", {c.input(1)}), b.Scalar<int32_t>(1)}),
                       c.Op("Shape", {c.input(1)})});
  Node* parts = b.AddNode("DynamicPartition", {numbers, c.input(1)}, {{"num_partitions", n}});
  if (parts == nullptr) return b.status();
  std::vector<Endpoint> inputs;
  for (int i = 0; i < n; ++i) inputs.push_back(Endpoint{parts, i});
  for (int i = 0; i < n; ++i) inputs.push_back(c.output_gradient(i));
  const Endpoint stitched = c.Op("ParallelDynamicStitch", std::move(inputs), {{"N", n}});
  return c.SetInputGradient(0, c.Op("Reshape", {stitched, ShapeOf(b, c.input(0))}));
}

bool StartsWith(const Shape& shape, const Shape& start) {
  if (start.rank() > shape.rank()) return false;
  for (int d = 0; d < start.rank(); ++d) {
    if (shape.dim(d) != start.dim(d)) return false;
  }
  return true;
}

Status PartitionKernel(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& partitions = context.input(1);
  const int n = context.num_outputs();
  if (!StartsWith(data.shape(), partitions.shape())) {
    return InvalidArgument("data.shape must start with partitions.shape, got data.shape = ", data.shape(),
                           ", partitions.shape = ", partitions.shape());
  }
  const std::vector<int64_t> numbers = IntegersOf(partitions);
  std::vector<int64_t> counts(static_cast<size_t>(n), 0);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= n) {
      return InvalidArgument("partitions", ElementPosition(partitions.shape(), static_cast<int64_t>(i)), " = ",
                             numbers[i], " is not in [0, ", n, ")");
    }
    ++counts[static_cast<size_t>(numbers[i])];
  }
  int64_t width = 1;
  std::vector<char*> next;
  for (int d = partitions.rank(); d < data.rank(); ++d) width *= data.dim(d);
  for (int i = 0; i < n; ++i) {
    Shape shape({counts[static_cast<size_t>(i)]});
    for (int d = partitions.rank(); d < data.rank(); ++d) shape.AppendDim(data.dim(d));
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(i, shape));
    next.push_back(static_cast<char*>(output->mutable_raw()));
  }
  if (width == 0) return OkStatus();
  const Elements elements(data.dtype());
  for (size_t i = 0; i < numbers.size(); ++i) {
    char*& to = next[static_cast<size_t>(numbers[i])];
    elements.Copy(elements.At(data.raw(), static_cast<int64_t>(i) * width), to, width);
    to += width * elements.size();
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> DynamicPartitionOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("DynamicPartition(data: T, partitions: i32) -> (outputs: num_partitions * T) | "
                             "num_partitions: int >= 1 | T: type")
                    .Shape(PartitionShape)
                    .Gradient(PartitionGradient)
                    .Kernels(AnyType(FunctionKernel(PartitionKernel))));
  return ops;
}

}  // namespace headrace
