// FIFOQueueV2, PaddingFIFOQueueV2, RandomShuffleQueueV2, PriorityQueueV2: the handle of a queue of the node's own, or of the one
// that shared_name names for all sessions of the task; without V2 the handle is a ref. A negative capacity means none.
// Errors: kInvalidArgument for attributes that make no queue, or another one than that which has the shared name.
#include "ops/data_flow/data_flow_ops.h"
#include "ops/data_flow/queue.h"
#include "ops/io/type_text.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

Status CheckShapes(const QueueSpec& spec) {
  if (spec.kind == QueueKind::kPaddingFifo) {
    if (spec.shapes.size() != spec.types.size()) {
      return InvalidArgument("Shapes must be provided for all components, but received ", spec.types.size(),
                             " dtypes and ", spec.shapes.size(), " shapes.");
    }
    for (const PartialShape& shape : spec.shapes) {
      if (!shape.has_rank()) return InvalidArgument("shape ", shape, " must have known rank.");
    }
    return OkStatus();
  }
  if (!spec.shapes.empty() && spec.shapes.size() != spec.types.size()) {
    return InvalidArgument("Different number of component types.  Types: ", TypesText(spec.types), ", Shapes: [",
                           StrJoin(spec.shapes, ", "), "]");
  }
  for (const PartialShape& shape : spec.shapes) {
    if (!shape.IsFullyKnown()) return InvalidArgument("Shape ", shape, " is not fully defined");
  }
  return OkStatus();
}

Result<QueueSpec> SpecOf(const KernelConstruction& c, QueueKind kind) {
  QueueSpec spec;
  spec.kind = kind;
  spec.types = c.attr<std::vector<DType>>("component_types");
  spec.shapes = c.attr<std::vector<PartialShape>>("shapes");
  if (kind == QueueKind::kPriority) {  // its first component, the priority, is not among the attributes
    spec.types.insert(spec.types.begin(), DType::kInt64);
    spec.shapes.insert(spec.shapes.begin(), PartialShape::Scalar());
  }
  HR_RETURN_IF_ERROR(CheckShapes(spec));
  spec.capacity = c.attr<int64_t>("capacity", -1);
  if (spec.capacity < 0) spec.capacity = Queue::kUnbounded;
  spec.min_after_dequeue = c.attr<int64_t>("min_after_dequeue", 0);
  spec.seed = c.attr<int64_t>("seed", 0);
  spec.seed2 = c.attr<int64_t>("seed2", 0);
  if (spec.min_after_dequeue < 0) return InvalidArgument("min_after_dequeue ", spec.min_after_dequeue, " must be >= 0");
  if (kind == QueueKind::kRandomShuffle && spec.min_after_dequeue >= spec.capacity) {
    return InvalidArgument("min_after_dequeue ", spec.min_after_dequeue, " must be < capacity ", spec.capacity);
  }
  return spec;
}

template <QueueKind kKind> class QueueHandle final : public ResourceOp<Queue> {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(QueueSpec spec, SpecOf(c, kKind));
    return std::unique_ptr<Kernel>(std::make_unique<QueueHandle>(c, std::move(spec)));
  }
  QueueHandle(KernelConstruction& c, QueueSpec spec) : ResourceOp(c), spec_(std::move(spec)) { spec_.name = name(); }

 protected:
  Result<std::shared_ptr<Queue>> Make() const override { return std::make_shared<Queue>(spec_); }
  Status Check(const Queue& queue) const override { return queue.CheckSame(spec_); }

 private:
  QueueSpec spec_;
};

template <QueueKind kKind> void AddHandleOps(std::string_view attrs, std::vector<OpDefinition>* ops) {
  for (const auto& [suffix, type] : {std::pair{"", "Ref(str)"}, std::pair{"V2", "resource"}}) {
    ops->push_back(OpDefinition(StrCat(QueueKindName(kKind), suffix, "() -> (handle: ", type, ")", attrs,
                                       " | container: string = '' | shared_name: string = '' | stateful"))
                       .Shape(HandleShape)
                       .NoGradient("a queue")
                       .Kernels(AnyType(ClassKernel<QueueHandle<kKind>>(), /*cheap=*/true)));
  }
}

}  // namespace

std::vector<OpDefinition> QueueHandleOps() {
  constexpr std::string_view kAttrs =
      " | component_types: list(type) >= 1 | shapes: list(shape) = [] >= 0 | capacity: int = -1";
  std::vector<OpDefinition> ops;
  AddHandleOps<QueueKind::kFifo>(kAttrs, &ops);
  AddHandleOps<QueueKind::kPaddingFifo>(kAttrs, &ops);
  AddHandleOps<QueueKind::kRandomShuffle>(
      StrCat(kAttrs, " | min_after_dequeue: int = 0 | seed: int = 0 | seed2: int = 0"), &ops);
  AddHandleOps<QueueKind::kPriority>(
      " | component_types: list(type) = [] >= 0 | shapes: list(shape) >= 0 | capacity: int = -1", &ops);
  return ops;
}

}  // namespace headrace
