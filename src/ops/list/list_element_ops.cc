// EmptyTensorList, TensorListReserve make lists; TensorListPushBack, TensorListPopBack, TensorListSetItem and TensorListResize make a
// list from another; TensorListGetItem, TensorListLength and TensorListElementShape read one. An element that was never set is zeros.
// Source: TensorFlow's ops of the same names.
#include "ops/list/list_ops.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 31;  // an i32 counts them

DType ElementType(const GradientContext& c) { return c.attr<DType>("element_dtype"); }

class MakeListKernel final : public Kernel {
 public:
  explicit MakeListKernel(KernelConstruction& c)
      : dtype_(c.attr<DType>("element_dtype")), reserves_(c.node().op() == "TensorListReserve") {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(PartialShape shape, PartialShapeFromTensor(context.input(0)));
    HR_ASSIGN_OR_RETURN(const int64_t number, ScalarInt(context, 1, reserves_ ? "num_elements" : "max_num_elements"));
    auto list = std::make_shared<TensorList>(dtype_, std::move(shape), reserves_ ? -1 : number);
    if (reserves_) {
      if (number < 0)
        return InvalidArgument("The num_elements to reserve must be a non negative number, but got ", number);
      list->items.resize(static_cast<size_t>(number));
    }
    return context.SetOutput(0, ListToTensor(std::move(list)));
  }

 private:
  const DType dtype_;
  const bool reserves_;
};

Status PushBack(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(ChangedList list, ChangedList::Take(context, 0));
  const Tensor& item = context.input(1);
  if (!list->element_shape.IsCompatibleWith(item.shape())) {
    return InvalidArgument("Tried to append a tensor with incompatible shape to a list. Op element shape: ",
                           item.shape(), " list shape: ", list->element_shape);
  }
  if (list->max_num_elements != -1 && std::ssize(list->items) >= list->max_num_elements) {
    return InvalidArgument("Tried to push item into a full list list size: ", list->items.size(),
                           " max_num_elements: ", list->max_num_elements);
  }
  list->items.push_back(context.TakeInput(1));
  return list.SetOutput(context, 0);
}

Status PushBackGradient(GradientContext& c) {
  const Endpoint list = ListGradient(c, 0, ElementType(c));
  Node* pop = c.builder().AddNode("TensorListPopBack", {list, c.Op("Shape", {c.input(1)})},
                                  {{"element_dtype", ElementType(c)}});
  if (pop == nullptr) return c.builder().status();
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, Endpoint{pop, 0}));
  return c.SetInputGradient(1, Endpoint{pop, 1});
}

Status PopBack(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const PartialShape wanted, PartialShapeFromTensor(context.input(1)));
  HR_ASSIGN_OR_RETURN(ChangedList list, ChangedList::Take(context, 0));
  if (list->items.empty()) return InvalidArgument("Trying to pop from an empty list.");
  HR_ASSIGN_OR_RETURN(Tensor item, ItemOf(context, *list, std::ssize(list->items) - 1, wanted));
  list->items.pop_back();
  HR_RETURN_IF_ERROR(context.SetOutput(1, std::move(item)));
  return list.SetOutput(context, 0);
}

Status PopBackShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape::Scalar()));
  HR_ASSIGN_OR_RETURN(PartialShape item, c.ShapeFromInput(1));
  return c.SetOutput(1, std::move(item));
}

Status PopBackGradient(GradientContext& c) {
  const Endpoint list = ListGradient(c, 0, ElementType(c));
  return c.SetInputGradient(
      0, c.Op("TensorListPushBack", {list, c.output_gradient(1)}, {{"element_dtype", ElementType(c)}}));
}

Status GetItem(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
  HR_ASSIGN_OR_RETURN(const int64_t index, ScalarInt(context, 1, "index"));
  HR_ASSIGN_OR_RETURN(const PartialShape wanted, PartialShapeFromTensor(context.input(2)));
  if (index < 0 || index >= std::ssize(list->items)) {
    return InvalidArgument("Trying to access element ", index, " in a list with ", list->items.size(), " elements.");
  }
  HR_ASSIGN_OR_RETURN(Tensor item, ItemOf(context, *list, index, wanted));
  return context.SetOutput(0, std::move(item));
}

Status GetItemShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape item, c.ShapeFromInput(2));
  return c.SetOutput(0, std::move(item));
}

// A list like the input, with zeros but for this element.
Status GetItemGradient(GradientContext& c) {
  const AttrMap type = {{"element_dtype", ElementType(c)}};
  const Endpoint shape = c.Op("TensorListElementShape", {c.input(0)}, {{"shape_type", DType::kInt32}});
  const Endpoint empty = c.Op("TensorListReserve", {shape, c.Op("TensorListLength", {c.input(0)})}, type);
  return c.SetInputGradient(0, c.Op("TensorListSetItem", {empty, c.input(1), c.output_gradient(0)}, type));
}

class SetItemKernel final : public Kernel {
 public:
  explicit SetItemKernel(KernelConstruction& c) : may_grow_(c.attr<bool>("resize_if_index_out_of_bounds")) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const int64_t index, ScalarInt(context, 1, "index"));
    HR_ASSIGN_OR_RETURN(ChangedList list, ChangedList::Take(context, 0));
    const int64_t size = std::ssize(list->items);
    if (index < 0 || (index >= size && !may_grow_) || index >= kMaxElements) {
      return InvalidArgument("Trying to modify element ", index, " in a list with ", size, " elements.");
    }
    const Tensor& item = context.input(2);
    if (!list->element_shape.IsCompatibleWith(item.shape())) {
      return InvalidArgument("Tried to set a tensor with incompatible shape at a list index. Item element shape: ",
                             item.shape(), " list shape: ", list->element_shape);
    }
    if (index >= size) list->items.resize(static_cast<size_t>(index) + 1);
    list->items[static_cast<size_t>(index)] = context.TakeInput(2);
    return list.SetOutput(context, 0);
  }

 private:
  const bool may_grow_;
};

Status SetItemGradient(GradientContext& c) {
  const Endpoint index = c.input(1), item = c.input(2);
  if (!c.has_output_gradient(0)) return OkStatus();
  const Endpoint list = c.output_gradient(0);
  const AttrMap type = {{"element_dtype", ElementType(c)}};
  Endpoint before = c.Op("TensorListSetItem", {list, index, c.Op("ZerosLike", {item})}, type);
  if (c.attr<bool>("resize_if_index_out_of_bounds")) {  // the list may have been shorter
    before = c.Op("TensorListResize", {before, c.Op("TensorListLength", {c.input(0)})});
  }
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, before));
  return c.SetInputGradient(2, c.Op("TensorListGetItem", {list, index, c.Op("Shape", {item})}, type));
}

Status Resize(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const int64_t size, ScalarInt(context, 1, "size"));
  if (size < 0) return InvalidArgument("TensorListResize expects size to be non-negative. Got: ", size);
  HR_ASSIGN_OR_RETURN(ChangedList list, ChangedList::Take(context, 0));
  list->items.resize(static_cast<size_t>(size));
  return list.SetOutput(context, 0);
}

Status ResizeGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  return c.SetInputGradient(0,
                            c.Op("TensorListResize", {c.output_gradient(0), c.Op("TensorListLength", {c.input(0)})}));
}

Status Length(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
  return context.SetOutput(0, Tensor::Scalar(static_cast<int32_t>(list->items.size())));
}

class ElementShapeKernel final : public Kernel {
 public:
  explicit ElementShapeKernel(KernelConstruction& c) : is_wide_(c.attr<DType>("shape_type") == DType::kInt64) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
    const PartialShape& shape = list->element_shape;
    const std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    const std::vector<int32_t> narrow(dims.begin(), dims.end());
    if (is_wide_) return context.SetOutput(0, shape.has_rank() ? Tensor::Vector(dims) : Tensor::Scalar<int64_t>(-1));
    return context.SetOutput(0, shape.has_rank() ? Tensor::Vector(narrow) : Tensor::Scalar<int32_t>(-1));
  }

 private:
  const bool is_wide_;
};

std::vector<KernelDefinition> Cheap(KernelFactory factory) { return AnyType(std::move(factory), /*cheap=*/true); }

}  // namespace

std::vector<OpDefinition> ListElementOps() {
  std::vector<OpDefinition> ops;
  constexpr std::string_view kMaker = " | element_dtype: type | shape_type: type in {i32,i64}";
  for (const std::string_view maker : {"EmptyTensorList(element_shape: shape_type, max_num_elements: i32)",
                                       "TensorListReserve(element_shape: shape_type, num_elements: i32)"}) {
    ops.push_back(OpDefinition(StrCat(maker, " -> (handle: variant)", kMaker))
                      .Shape(ListShape)
                      .NoGradient("constant")
                      .Kernels(Cheap(ClassKernel<MakeListKernel>())));
  }
  ops.push_back(
      OpDefinition("TensorListPushBack(input_handle: variant, tensor: element_dtype) -> (output_handle: variant) | "
                   "element_dtype: type")
          .Shape(ListShape)
          .Gradient(PushBackGradient)
          .Kernels(Cheap(FunctionKernel(PushBack))));
  ops.push_back(OpDefinition("TensorListPopBack(input_handle: variant, element_shape: i32) -> (output_handle: variant, "
                             "tensor: element_dtype) | element_dtype: type")
                    .Shape(PopBackShape)
                    .Gradient(PopBackGradient)
                    .Kernels(Cheap(FunctionKernel(PopBack))));
  ops.push_back(OpDefinition("TensorListGetItem(input_handle: variant, index: i32, element_shape: Tshape) -> "
                             "(item: element_dtype) | element_dtype: type | Tshape: type = i32 in {i32,i64}")
                    .Shape(GetItemShape)
                    .Gradient(GetItemGradient)
                    .Kernels(Cheap(FunctionKernel(GetItem))));
  ops.push_back(OpDefinition("TensorListSetItem(input_handle: variant, index: i32, item: element_dtype) -> "
                             "(output_handle: variant) | element_dtype: type | "
                             "resize_if_index_out_of_bounds: bool = false")
                    .Shape(ListShape)
                    .Gradient(SetItemGradient)
                    .Kernels(Cheap(ClassKernel<SetItemKernel>())));
  ops.push_back(OpDefinition("TensorListResize(input_handle: variant, size: i32) -> (output_handle: variant)")
                    .Shape(ListShape)
                    .Gradient(ResizeGradient)
                    .Kernels(Cheap(FunctionKernel(Resize))));
  ops.push_back(OpDefinition("TensorListLength(input_handle: variant) -> (length: i32)")
                    .Shape(ScalarShape)
                    .NoGradient(kNotDifferentiable)
                    .Kernels(Cheap(FunctionKernel(Length))));
  ops.push_back(OpDefinition("TensorListElementShape(input_handle: variant) -> (element_shape: shape_type) | "
                             "shape_type: type in {i32,i64}")
                    .Shape(UnknownShape)
                    .NoGradient(kNotDifferentiable)
                    .Kernels(Cheap(ClassKernel<ElementShapeKernel>())));
  return ops;
}

}  // namespace headrace
