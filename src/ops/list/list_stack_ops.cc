// Between lists and whole tensors: TensorListStack, TensorListGather and TensorListConcatV2 make a tensor of elements,
// TensorListFromTensor, TensorListScatterV2 and TensorListSplit a list of a tensor's rows, which share its memory;
// TensorListScatterIntoExistingList puts rows in the place of a list's elements.
// Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "ops/integers.h"
#include "ops/list/list_ops.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

AttrMap ElementType(const GradientContext& c) { return {{"element_dtype", c.attr<DType>("element_dtype")}}; }

/// `rows` elements of a shape as one tensor's shape.
PartialShape StackedShape(int64_t rows, const PartialShape& element) {
  if (!element.has_rank()) return PartialShape();
  std::vector<int64_t> dims = {rows};
  dims.insert(dims.end(), element.dims().begin(), element.dims().end());
  return PartialShape(std::move(dims));
}

/// Output 0: the elements of these indices on top of each other.
Status StackItems(KernelContext& context, const TensorList& list, const std::vector<int64_t>& indices,
                  const PartialShape& wanted) {
  HR_ASSIGN_OR_RETURN(PartialShape element, ElementShape(list, wanted));
  if (!element.IsFullyKnown()) {
    return InvalidArgument(indices.empty()
                               ? "Tried to stack elements of an empty list with non-fully-defined element_shape: "
                               : "Tried to stack list which only contains uninitialized tensors and has a "
                                 "non-fully-defined element_shape: ",
                           element);
  }
  std::vector<Tensor> items;
  for (const int64_t index : indices) {
    HR_ASSIGN_OR_RETURN(Tensor item, ItemOf(context, list, index, element));
    items.push_back(std::move(item));
  }
  HR_ASSIGN_OR_RETURN(const Shape shape, StackedShape(std::ssize(indices), element).ToShape());
  if (items.size() == 1) return context.SetOutput(0, items[0].Reshaped(shape));
  HR_ASSIGN_OR_RETURN(Tensor * stacked, context.AllocateOutput(0, shape));
  CopyParts(context, items, stacked);
  return OkStatus();
}

class StackKernel final : public Kernel {
 public:
  explicit StackKernel(KernelConstruction& c) : num_elements_(c.attr<int64_t>("num_elements", -1)) {}
  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
    HR_ASSIGN_OR_RETURN(const PartialShape wanted, PartialShapeFromTensor(context.input(1)));
    if (num_elements_ != -1 && std::ssize(list->items) != num_elements_) {
      return InvalidArgument("Operation expected a list with ", num_elements_, " elements but got a list with ",
                             list->items.size(), " elements.");
    }
    std::vector<int64_t> all(list->items.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
    return StackItems(context, *list, all, wanted);
  }

 private:
  const int64_t num_elements_;
};

Status StackShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape element, c.ShapeFromInput(1));
  return c.SetOutput(0, StackedShape(c.attr<int64_t>("num_elements"), element));
}

Status StackGradient(GradientContext& c) {
  const Endpoint dy = c.output_gradient(0);
  return c.SetInputGradient(0, c.Op("TensorListFromTensor", {dy, RowShapeOf(c.builder(), dy)}));
}

Status Gather(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
  HR_ASSIGN_OR_RETURN(const PartialShape wanted, PartialShapeFromTensor(context.input(2)));
  const std::vector<int64_t> indices = IntegersOf(context.input(1));
  for (const int64_t index : indices) {
    if (index >= 0 && index < std::ssize(list->items)) continue;
    return InvalidArgument("Trying to gather element ", index, " in a list with ", list->items.size(), " elements.");
  }
  return StackItems(context, *list, indices, wanted);
}

Status GatherShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(1, 1));
  HR_ASSIGN_OR_RETURN(const PartialShape element, c.ShapeFromInput(2));
  return c.SetOutput(0, StackedShape(indices.dim(0), element));
}

Status GatherGradient(GradientContext& c) {
  const Endpoint dy = c.output_gradient(0);
  return c.SetInputGradient(0, c.Op("TensorListScatterV2", {dy, c.input(1), RowShapeOf(c.builder(), dy),
                                                            c.Op("TensorListLength", {c.input(0)})}));
}

/// A list for `tensor` that is about to get its rows. Errors: kInvalidArgument for rows of another shape.
Result<std::shared_ptr<TensorList>> ListForRows(const Tensor& tensor, const Tensor& element_shape) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, PartialShapeFromTensor(element_shape));
  if (tensor.rank() < 1) return InvalidArgument("Tensor must be at least a vector, but saw shape: ", tensor.shape());
  if (!shape.IsCompatibleWith(tensor.shape().WithoutDim(0))) {
    return InvalidArgument("Specified a list with shape ", shape, " from a tensor with shape ",
                           tensor.shape().WithoutDim(0));
  }
  return std::make_shared<TensorList>(tensor.dtype(), std::move(shape));
}

Status FromTensor(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorList> list, ListForRows(context.input(0), context.input(1)));
  list->items = RowsOf(context.input(0));
  return context.SetOutput(0, ListToTensor(list));
}

Status FromTensorGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  const PartialShape& shape = c.input(0).shape();
  AttrMap attrs = ElementType(c);
  attrs.emplace("num_elements", shape.has_rank() ? shape.dim(0) : int64_t{-1});
  return c.SetInputGradient(
      0, c.Op("TensorListStack", {c.output_gradient(0), RowShapeOf(c.builder(), c.input(0))}, std::move(attrs)));
}

/// Sets elements of the list to the tensor's rows; it grows as needed, but not over `limit` (-1: none).
Status PutRows(const Tensor& tensor, const std::vector<int64_t>& indices, int64_t limit, TensorList* list) {
  if (tensor.rank() < 1 || std::ssize(indices) != tensor.dim(0)) {
    return InvalidArgument("Invalid number of rows in input tensor. Expected: ", indices.size(),
                           " Actual: ", tensor.rank() < 1 ? 0 : tensor.dim(0));
  }
  if (!indices.empty() && !list->element_shape.IsCompatibleWith(tensor.shape().WithoutDim(0))) {
    return InvalidArgument("The list's elements have the shape ", list->element_shape, ", the tensor's rows ",
                           tensor.shape().WithoutDim(0));
  }
  std::vector<Tensor> rows = RowsOf(tensor);
  for (size_t i = 0; i < indices.size(); ++i) {
    const int64_t index = indices[i];
    if (index < 0) return InvalidArgument("Indices in TensorListScatter must all be non-negative.");
    if (limit != -1 && index >= limit) {
      return InvalidArgument("TensorListScatter: Trying to scatter at index ", index, " in list with size ", limit);
    }
    if (index >= std::ssize(list->items)) list->items.resize(static_cast<size_t>(index) + 1);
    list->items[static_cast<size_t>(index)] = std::move(rows[i]);
  }
  return OkStatus();
}

Status Scatter(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<TensorList> list, ListForRows(context.input(0), context.input(2)));
  HR_ASSIGN_OR_RETURN(const int64_t size, ScalarInt(context, 3, "num_elements"));
  if (size < -1) return InvalidArgument("TensorListScatter expects num_elements >= -1, found: ", size);
  if (size > 0) list->items.resize(static_cast<size_t>(size));
  HR_RETURN_IF_ERROR(PutRows(context.input(0), IntegersOf(context.input(1)), size, list.get()));
  return context.SetOutput(0, ListToTensor(list));
}

Status ScatterInto(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(ChangedList list, ChangedList::Take(context, 0));
  HR_RETURN_IF_ERROR(PutRows(context.input(1), IntegersOf(context.input(2)), /*limit=*/-1, &*list));
  return list.SetOutput(context, 0);
}

Status ScatterIntoGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  const Endpoint list = c.output_gradient(0), tensor = c.input(1), indices = c.input(2);
  HR_RETURN_IF_ERROR(c.SetInputGradient(
      0, c.Op("TensorListScatterIntoExistingList", {list, c.Op("ZerosLike", {tensor}), indices}, ElementType(c))));
  return c.SetInputGradient(1,
                            c.Op("TensorListGather", {list, indices, RowShapeOf(c.builder(), tensor)}, ElementType(c)));
}

Status ScatterGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  return c.SetInputGradient(
      0, c.Op("TensorListGather", {c.output_gradient(0), c.input(1), RowShapeOf(c.builder(), c.input(0))},
              ElementType(c)));
}

/// The elements of a list joined along dimension 0, and how long each is there.
Status Concat(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const TensorListPtr list, ListInput(context, 0));
  HR_ASSIGN_OR_RETURN(PartialShape wanted, PartialShapeFromTensor(context.input(1)));
  if (wanted.has_rank() && wanted.rank() > 0) wanted.SetDim(0, PartialShape::kUnknownDim);
  PartialShape listed = list->element_shape;
  if (listed.has_rank() && listed.rank() > 0) listed.SetDim(0, PartialShape::kUnknownDim);
  HR_ASSIGN_OR_RETURN(wanted, wanted.MergeWith(listed));
  for (const Tensor& item : list->items) {
    if (!item.valid()) continue;
    if (item.rank() == 0) return InvalidArgument("Concat saw a scalar shape but requires at least vectors.");
    PartialShape shape = item.shape();
    shape.SetDim(0, PartialShape::kUnknownDim);
    HR_ASSIGN_OR_RETURN(wanted, wanted.MergeWith(shape));
  }
  const std::vector<int64_t> leading_dims = IntegersOf(context.input(2));
  std::vector<Tensor> items;
  HR_ASSIGN_OR_RETURN(Tensor * lengths, context.AllocateOutput(1, Shape({std::ssize(list->items)})));
  int64_t total = 0;
  for (size_t i = 0; i < list->items.size(); ++i) {
    PartialShape shape = wanted;
    if (!list->items[i].valid()) {
      if (i >= leading_dims.size()) {
        return InvalidArgument("List contains uninitialized element at index ", i, " but leading_dims has only ",
                               leading_dims.size(), " elements.");
      }
      if (shape.rank() < 1) return InvalidArgument("The shape of the list's elements is not known: ", shape);
      shape.SetDim(0, leading_dims[i]);
    }
    HR_ASSIGN_OR_RETURN(Tensor item, ItemOf(context, *list, static_cast<int64_t>(i), shape));
    lengths->mutable_data<int64_t>()[i] = item.dim(0);
    if (__builtin_add_overflow(total, item.dim(0), &total)) return InvalidArgument("Concat: the result is too large");
    items.push_back(std::move(item));
  }
  if (wanted.rank() < 1) {
    return InvalidArgument(
        "All except the first dimension must be fully defined when concating an empty tensor list. "
        "element_shape: ",
        wanted);
  }
  wanted.SetDim(0, total);
  if (!wanted.IsFullyKnown()) {
    return InvalidArgument("All except the first dimension must be fully defined. element_shape: ", wanted);
  }
  HR_ASSIGN_OR_RETURN(const Shape shape, wanted.ToShape());
  HR_ASSIGN_OR_RETURN(Tensor * joined, context.AllocateOutput(0, shape));
  CopyParts(context, items, joined);
  return OkStatus();
}

Status ConcatShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(1));
  if (shape.has_rank() && shape.rank() > 0) shape.SetDim(0, PartialShape::kUnknownDim);
  HR_RETURN_IF_ERROR(c.SetOutput(0, std::move(shape)));
  return c.SetOutput(1, PartialShape::UnknownOfRank(1));
}

Status ConcatGradient(GradientContext& c) {
  const Endpoint shape = c.Op("TensorListElementShape", {c.input(0)}, {{"shape_type", DType::kInt32}});
  return c.SetInputGradient(0, c.Op("TensorListSplit", {c.output_gradient(0), shape, c.output(1)}));
}

Status Split(KernelContext& context) {
  const Tensor& tensor = context.input(0);
  const Tensor& lengths = context.input(2);
  HR_ASSIGN_OR_RETURN(PartialShape shape, PartialShapeFromTensor(context.input(1)));
  if (lengths.rank() != 1) return InvalidArgument("Expected lengths to be a vector, received shape: ", lengths.shape());
  if (tensor.rank() < 1) return InvalidArgument("Tensor must be at least a vector, but saw shape: ", tensor.shape());
  if (!shape.IsCompatibleWith(tensor.shape()) && shape.rank() != tensor.rank()) {
    return InvalidArgument("tensor shape ", tensor.shape(), " is not compatible with element_shape ", shape);
  }
  auto list = std::make_shared<TensorList>(tensor.dtype(), shape);
  int64_t begin = 0;
  for (const int64_t length : lengths.data<int64_t>()) {
    if (length < 0) return InvalidArgument("Invalid value in lengths: ", length);
    if (length > tensor.dim(0) - begin) {
      return InvalidArgument("Sum of lengths exceeds the tensor's first dimension: lengths=", lengths.Summary(),
                             " tensor=", tensor);
    }
    list->items.push_back(tensor.Slice(begin, begin + length));
    if (!shape.IsCompatibleWith(list->items.back().shape())) {
      return InvalidArgument("Specified a list with shape ", shape, " from a piece of shape ",
                             list->items.back().shape());
    }
    begin += length;
  }
  if (begin != tensor.dim(0)) {
    return InvalidArgument("Expected sum of lengths to be equal to values.shape[0], but sum of lengths is ", begin,
                           " and value's shape is: ", tensor.shape());
  }
  return context.SetOutput(0, ListToTensor(std::move(list)));
}

Status SplitGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  const GraphBuilder& builder = c.builder();
  const Endpoint any = builder.Const(Tensor::Vector<int32_t>({-1})), axis = builder.Scalar<int32_t>(0);
  const Endpoint shape = builder.Op("ConcatV2", {any, RowShapeOf(builder, c.input(0)), axis});
  return c.SetInputGradient(
      0, builder.Op("TensorListConcatV2", {c.output_gradient(0), shape, c.input(2)}, ElementType(c)));
}

}  // namespace

std::vector<OpDefinition> ListStackOps() {
  std::vector<OpDefinition> ops;
  constexpr std::string_view kShapeType = "element_dtype: type | shape_type: type in {i32,i64}";
  ops.push_back(OpDefinition("TensorListStack(input_handle: variant, element_shape: i32) -> (tensor: element_dtype) | "
                             "element_dtype: type | num_elements: int = -1")
                    .Shape(StackShape)
                    .Gradient(StackGradient)
                    .Kernels(AnyType(ClassKernel<StackKernel>())));
  ops.push_back(OpDefinition("TensorListGather(input_handle: variant, indices: i32, element_shape: i32) -> "
                             "(values: element_dtype) | element_dtype: type")
                    .Shape(GatherShape)
                    .Gradient(GatherGradient)
                    .Kernels(AnyType(FunctionKernel(Gather))));
  ops.push_back(
      OpDefinition(StrCat("TensorListConcatV2(input_handle: variant, element_shape: shape_type, leading_dims: i64) -> "
                          "(tensor: element_dtype, lengths: i64) | ",
                          kShapeType))
          .Shape(ConcatShape)
          .Gradient(ConcatGradient)
          .Kernels(AnyType(FunctionKernel(Concat))));
  ops.push_back(OpDefinition(StrCat("TensorListFromTensor(tensor: element_dtype, element_shape: shape_type) -> "
                                    "(output_handle: variant) | ",
                                    kShapeType))
                    .Shape(ListShape)
                    .Gradient(FromTensorGradient)
                    .Kernels(AnyType(FunctionKernel(FromTensor))));
  ops.push_back(OpDefinition(StrCat("TensorListScatterV2(tensor: element_dtype, indices: i32, "
                                    "element_shape: shape_type, num_elements: i32) -> (output_handle: variant) | ",
                                    kShapeType))
                    .Shape(ListShape)
                    .Gradient(ScatterGradient)
                    .Kernels(AnyType(FunctionKernel(Scatter))));
  ops.push_back(OpDefinition("TensorListScatterIntoExistingList(input_handle: variant, tensor: element_dtype, "
                             "indices: i32) -> (output_handle: variant) | element_dtype: type")
                    .Shape(ListShape)
                    .Gradient(ScatterIntoGradient)
                    .Kernels(AnyType(FunctionKernel(ScatterInto))));
  ops.push_back(
      OpDefinition(StrCat("TensorListSplit(tensor: element_dtype, element_shape: shape_type, lengths: i64) -> "
                          "(output_handle: variant) | ",
                          kShapeType))
          .Shape(ListShape)
          .Gradient(SplitGradient)
          .Kernels(AnyType(FunctionKernel(Split))));
  return ops;
}

}  // namespace headrace
