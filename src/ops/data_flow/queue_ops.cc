// What steps do with queues (queue.h). QueueEnqueue puts one element in, QueueEnqueueMany one for each row; QueueDequeue takes one out,
// QueueDequeueMany n as rows, QueueDequeueUpTo fewer once the queue is closed. QueueClose; QueueSize; QueueIsClosed. All wait for
// the queue without a thread. V2 take a resource handle, the others a ref.
// Errors: of Queue; kInvalidArgument where types or shapes are not the queue's, for n < 0, and for rows of unknown shape.
#include "graph/shape_context.h"
#include "ops/data_flow/data_flow_ops.h"
#include "ops/data_flow/queue.h"
#include "ops/data_flow/queue_rows.h"
#include "ops/io/type_text.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

/// The shapes that the queue op behind the handle declares; none where they cannot be seen.
std::vector<PartialShape> DeclaredShapes(const ShapeContext& c) {
  const Endpoint handle = c.node().input(0);
  auto shapes = GetAttrOr<std::vector<PartialShape>>(handle.node->attrs(), "shapes", {});
  if (handle.node->op().starts_with("PriorityQueue")) shapes.insert(shapes.begin(), PartialShape::Scalar());
  return static_cast<int>(shapes.size()) == c.num_outputs() ? shapes : std::vector<PartialShape>();
}

Status DequeueShape(ShapeContext& c) {
  std::vector<PartialShape> shapes = DeclaredShapes(c);
  for (size_t i = 0; i < shapes.size(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), std::move(shapes[i])));
  return OkStatus();
}

template <bool kExactly> Status DequeueManyShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  const Tensor* n = kExactly ? c.constant(1) : nullptr;
  const std::vector<PartialShape> shapes = DeclaredShapes(c);
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (!shapes[i].has_rank()) continue;
    std::vector<int64_t> dims = {n == nullptr ? PartialShape::kUnknownDim : std::max(-1, n->scalar<int32_t>())};
    dims.insert(dims.end(), shapes[i].dims().begin(), shapes[i].dims().end());
    HR_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), PartialShape(std::move(dims))));
  }
  return OkStatus();
}

/// Errors: kInvalidArgument unless the node's components have the queue's types; `more_inputs` are those beside them.
Status CheckTypes(const KernelContext& c, const Queue& queue, const std::vector<DType>& types, bool are_inputs,
                  std::string_view more_inputs = "") {
  const std::vector<DType>& expected = queue.spec().types;
  if (types == expected) return OkStatus();
  const bool is_ref = c.input(0).dtype() == DType::kString;
  const std::string first = StrCat(is_ref ? "string_ref" : "resource", more_inputs);
  if (are_inputs) {
    return InvalidArgument("Signature mismatch, have: ", first, ", ", TypesText(types), "-> expected: ", first, ", ",
                           TypesText(expected), "->");
  }
  return InvalidArgument("Signature mismatch, have: ", first, "->", TypesText(types), " expected: ", first, "->",
                         TypesText(expected));
}

/// A kernel on a queue; `Self::Start(context, queue, done)` does the work, or says why it cannot and leaves `done` alone.
template <typename Self> class QueueKernel : public AsyncKernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    if (c.attr<int64_t>("timeout_ms", -1) != -1) return InvalidArgument("Timeout not supported yet.");
    return std::unique_ptr<Kernel>(std::make_unique<Self>(c));
  }
  void ComputeAsync(KernelContext& c, Done done) final {
    Result<std::shared_ptr<Queue>> queue = LookupState<Queue>(c, 0);
    if (!queue.ok()) return done(queue.status());
    const Status status = static_cast<Self*>(this)->Start(c, *queue, done);
    if (!status.ok()) done(status);
  }

 protected:
  /// For calls that take nothing out. The queue lives until then.
  static Queue::Done Only(std::shared_ptr<Queue> queue, const Done& done) {
    return [queue = std::move(queue), done](const Status& status, const std::vector<QueueElement>&) { done(status); };
  }
};

template <bool kMany> class Enqueue final : public QueueKernel<Enqueue<kMany>> {
 public:
  explicit Enqueue(KernelConstruction& c) : types_(c.attr<std::vector<DType>>("Tcomponents")) {}

  Status Start(KernelContext& c, const std::shared_ptr<Queue>& queue, const AsyncKernel::Done& done) {
    HR_RETURN_IF_ERROR(CheckTypes(c, *queue, types_, /*are_inputs=*/true));
    QueueElement element;
    element.reserve(types_.size());
    for (int i = 1; i < c.num_inputs(); ++i) element.push_back(c.TakeInput(i));
    HR_RETURN_IF_ERROR(queue->CheckElement(element, kMany));
    std::vector<QueueElement> elements;
    if constexpr (kMany) {
      HR_ASSIGN_OR_RETURN(elements, RowsOf(c, element, queue->spec().kind));
    } else {
      elements.push_back(std::move(element));
    }
    if (elements.empty()) {
      done(OkStatus());
    } else {
      queue->Enqueue(std::move(elements), c.cancellation(), this->Only(queue, done));
    }
    return OkStatus();
  }

 private:
  const std::vector<DType> types_;
};

class Dequeue final : public QueueKernel<Dequeue> {
 public:
  explicit Dequeue(KernelConstruction& c) : types_(c.attr<std::vector<DType>>("component_types")) {}

  Status Start(KernelContext& c, const std::shared_ptr<Queue>& queue, const Done& done) const {
    HR_RETURN_IF_ERROR(CheckTypes(c, *queue, types_, /*are_inputs=*/false));
    queue->Dequeue(1, false, c.cancellation(),
                   [&c, queue, done](const Status& status, std::vector<QueueElement> elements) {
                     done(status.ok() ? Give(c, elements[0]) : status);
                   });
    return OkStatus();
  }

 private:
  static Status Give(KernelContext& c, QueueElement& element) {
    for (int i = 0; i < c.num_outputs(); ++i) {
      HR_RETURN_IF_ERROR(c.SetOutput(i, std::move(element[static_cast<size_t>(i)])));
    }
    return OkStatus();
  }

  const std::vector<DType> types_;
};

template <bool kUpTo> class DequeueRows final : public QueueKernel<DequeueRows<kUpTo>> {
 public:
  explicit DequeueRows(KernelConstruction& c) : types_(c.attr<std::vector<DType>>("component_types")) {}

  Status Start(KernelContext& c, const std::shared_ptr<Queue>& queue, const AsyncKernel::Done& done) const {
    HR_RETURN_IF_ERROR(CheckTypes(c, *queue, types_, /*are_inputs=*/false, ", int32"));
    if (c.input(1).num_elements() != 1) return InvalidArgument(c.node().op(), ": n must be a scalar, got ", c.input(1));
    const int32_t n = c.input(1).scalar<int32_t>();
    if (n < 0) return InvalidArgument(kUpTo ? "DequeueUpToOp" : "DequeueManyOp", " requested ", n, " < 0 elements");
    if (queue->spec().shapes.empty()) {
      return InvalidArgument(QueueKindName(queue->spec().kind),
                             "'s DequeueMany and DequeueUpTo require the components to have specified shapes.");
    }
    if (n == 0) {
      done(Give(c, queue->spec(), {}));
    } else {
      queue->Dequeue(n, kUpTo, c.cancellation(),
                     [&c, queue, done](const Status& status, const std::vector<QueueElement>& elements) {
                       done(status.ok() ? Give(c, queue->spec(), elements) : status);
                     });
    }
    return OkStatus();
  }

 private:
  static Status Give(KernelContext& c, const QueueSpec& spec, const std::vector<QueueElement>& elements) {
    for (size_t i = 0; i < spec.types.size(); ++i) {
      HR_ASSIGN_OR_RETURN(Tensor joined, JoinElements(c, elements, i, spec.types[i], spec.shapes[i]));
      HR_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), std::move(joined)));
    }
    return OkStatus();
  }

  const std::vector<DType> types_;
};

class Close final : public QueueKernel<Close> {
 public:
  explicit Close(KernelConstruction& c) : cancel_pending_enqueues_(c.attr<bool>("cancel_pending_enqueues")) {}
  Status Start(KernelContext& c, const std::shared_ptr<Queue>& queue, const Done& done) const {
    queue->Close(cancel_pending_enqueues_, c.cancellation(), Only(queue, done));
    return OkStatus();
  }

 private:
  const bool cancel_pending_enqueues_;
};

Status Size(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Queue> queue, LookupState<Queue>(c, 0));
  return c.SetOutput(0, Tensor::Scalar<int32_t>(static_cast<int32_t>(queue->size())));
}

Status IsClosed(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Queue> queue, LookupState<Queue>(c, 0));
  return c.SetOutput(0, Tensor::Scalar<bool>(queue->is_closed()));
}

struct QueueOpRow {
  std::string_view name;
  std::string_view inputs;  // after the handle
  std::string_view outputs;
  std::string_view attrs;
  ShapeFunction shape;
  KernelFactory kernel;
  bool cheap;
};

}  // namespace

std::vector<OpDefinition> QueueOps() {
  constexpr std::string_view kPut = " | Tcomponents: list(type) >= 1 | timeout_ms: int = -1";
  constexpr std::string_view kTake = " | component_types: list(type) >= 1 | timeout_ms: int = -1";
  constexpr std::string_view kIn = ", components: list(Tcomponents)", kOut = "components: list(component_types)";
  const QueueOpRow rows[] = {
      {"QueueEnqueue", kIn, "", kPut, NoOutputs, ClassKernel<Enqueue<false>>(), true},
      {"QueueEnqueueMany", kIn, "", kPut, NoOutputs, ClassKernel<Enqueue<true>>(), false},
      {"QueueDequeue", "", kOut, kTake, DequeueShape, ClassKernel<Dequeue>(), true},
      {"QueueDequeueMany", ", n: i32", kOut, kTake, DequeueManyShape<true>, ClassKernel<DequeueRows<false>>(), false},
      {"QueueDequeueUpTo", ", n: i32", kOut, kTake, DequeueManyShape<false>, ClassKernel<DequeueRows<true>>(), false},
      {"QueueClose", "", "", " | cancel_pending_enqueues: bool = false", NoOutputs, ClassKernel<Close>(), true},
      {"QueueSize", "", "size: i32", "", ScalarShape, FunctionKernel(Size), true},
      {"QueueIsClosed", "", "is_closed: bool", "", ScalarShape, FunctionKernel(IsClosed), true},
  };
  std::vector<OpDefinition> ops;
  for (const QueueOpRow& row : rows) {
    for (const bool v2 : {false, true}) {
      ops.push_back(OpDefinition(StrCat(row.name, v2 ? "V2" : "", "(handle: ", v2 ? "resource" : "Ref(str)", row.inputs,
                                        ") -> (", row.outputs, ")", row.attrs, v2 ? " | stateful" : ""))
                        .Shape(row.shape)
                        .NoGradient("a queue")
                        .Kernels(AnyType(row.kernel, row.cheap)));
    }
  }
  return ops;
}

}  // namespace headrace
