#include "ops/list/tensor_list.h"

#include "kernel/elements.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {

Result<TensorListPtr> ListFromTensor(const Tensor& tensor) {
  if (tensor.dtype() != DType::kVariant || tensor.num_elements() != 1) {
    return InvalidArgument("Input list must be a scalar saw: ", tensor);
  }
  const Variant& value = tensor.data<Variant>()[0];
  TensorListPtr list = value.As<TensorList>();
  if (list != nullptr) return list;
  return InvalidArgument("Input handle is not a list. Saw: '", value.empty() ? "nothing" : value.object()->TypeName(),
                         "'");
}

Result<TensorListPtr> ListInput(const KernelContext& context, int i) {
  HR_ASSIGN_OR_RETURN(TensorListPtr list, ListFromTensor(context.input(i)));
  const DType dtype = GetAttrOr<DType>(context.node().attrs(), "element_dtype", list->element_dtype);
  if (dtype == list->element_dtype) return list;
  return InvalidArgument("Invalid data types; op elements ", DTypeName(dtype), " but list elements ",
                         DTypeName(list->element_dtype));
}

Result<ChangedList> ChangedList::Take(KernelContext& context, int i) {
  ChangedList changed;
  HR_ASSIGN_OR_RETURN(TensorListPtr list, ListInput(context, i));
  changed.tensor_ = context.TakeInput(i);
  constexpr int kHolders = 2;  // `list` and the tensor
  if (changed.tensor_.OwnsBuffer() && list.use_count() == kHolders) {
    changed.list_ =
        const_cast<TensorList*>(list.get());  // made as a list that is not const, and nobody sees the change
    return changed;
  }
  auto copy = std::make_shared<TensorList>(*list);
  changed.list_ = copy.get();
  changed.tensor_ = ListToTensor(std::move(copy));
  return changed;
}

Result<PartialShape> PartialShapeFromTensor(const Tensor& shape) {
  const std::vector<int64_t> dims = IntegersOf(shape);
  if (shape.rank() == 0 && dims[0] == -1) return PartialShape();
  if (shape.rank() != 1) {
    return InvalidArgument("The element shape must be a vector, or -1 where it is unknown, got ", shape.Summary());
  }
  for (const int64_t dim : dims) {
    if (dim < -1) return InvalidArgument("An element shape has an extent below -1: ", shape.Summary());
  }
  return PartialShape(dims);
}

Result<int64_t> ScalarInt(const KernelContext& context, int i, std::string_view name) {
  const Tensor& value = context.input(i);
  if (value.num_elements() == 1) return IntegerAt(value, 0);
  return InvalidArgument(context.node().op(), ": ", name, " must be a scalar, got ", value);
}

Result<PartialShape> ElementShape(const TensorList& list, const PartialShape& wanted) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, list.element_shape.MergeWith(wanted));
  for (size_t i = 0; i < list.items.size() && !shape.IsFullyKnown(); ++i) {
    if (!list.items[i].valid()) continue;
    HR_ASSIGN_OR_RETURN(shape, shape.MergeWith(list.items[i].shape()));
  }
  return shape;
}

Result<Tensor> ItemOf(KernelContext& context, const TensorList& list, int64_t index, const PartialShape& wanted) {
  const Tensor& item = list.items[static_cast<size_t>(index)];
  if (item.valid()) {
    if (wanted.IsCompatibleWith(item.shape())) return item;
    return InvalidArgument("Incompatible shapes: element ", index, " of the list is ", item, ", the op expects ",
                           wanted);
  }
  HR_ASSIGN_OR_RETURN(const PartialShape shape, ElementShape(list, wanted));
  if (!shape.IsFullyKnown()) {
    return InvalidArgument("Trying to read an uninitialized element but element_shape is not fully defined. Got ",
                           shape);
  }
  HR_ASSIGN_OR_RETURN(const Shape known, shape.ToShape());
  HR_ASSIGN_OR_RETURN(Tensor zeros, context.AllocateTemporary(list.element_dtype, known));
  Elements(list.element_dtype).FillZero(zeros.mutable_raw(), zeros.num_elements());
  return zeros;
}

void CopyParts(const KernelContext& context, const std::vector<Tensor>& parts, Tensor* to) {
  if (parts.empty() || to->num_elements() == 0) return;
  std::vector<int64_t> begins;
  int64_t total = 0;
  for (const Tensor& part : parts) {
    begins.push_back(total);
    total += part.num_elements();
  }
  const Elements elements(to->dtype());
  char* const target = static_cast<char*>(to->mutable_raw());
  const double bytes_each = static_cast<double>(total * elements.size()) / static_cast<double>(parts.size());
  context.ParallelFor(std::ssize(parts), 10 + 0.1 * bytes_each, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      elements.Copy(parts[i].raw(), elements.At(target, begins[i]), parts[i].num_elements());
    }
  });
}

std::vector<Tensor> RowsOf(const Tensor& tensor) {
  std::vector<Tensor> rows;
  const Shape row_shape = tensor.shape().WithoutDim(0);
  for (int64_t i = 0; i < tensor.dim(0); ++i) rows.push_back(tensor.Slice(i, i + 1).Reshaped(row_shape));
  return rows;
}

Result<TensorListPtr> ZerosLikeList(KernelContext& context, const TensorList& list) {
  auto zeros = std::make_shared<TensorList>(list.element_dtype, list.element_shape, list.max_num_elements);
  zeros->items.reserve(list.items.size());
  const Elements elements(list.element_dtype);
  for (const Tensor& item : list.items) {
    if (!item.valid()) {
      zeros->items.emplace_back();
    } else if (!zeros->items.empty() && zeros->items.back().valid() && zeros->items.back().shape() == item.shape()) {
      zeros->items.push_back(zeros->items.back());
    } else {
      HR_ASSIGN_OR_RETURN(Tensor zero, context.AllocateTemporary(list.element_dtype, item.shape()));
      elements.FillZero(zero.mutable_raw(), zero.num_elements());
      zeros->items.push_back(std::move(zero));
    }
  }
  return TensorListPtr(std::move(zeros));
}

Endpoint ListGradient(const GradientContext& c, int i, DType element_dtype) {
  if (c.has_output_gradient(i)) return c.output_gradient(i);
  const Endpoint unknown = c.builder().Scalar<int32_t>(-1);
  return c.Op("EmptyTensorList", {unknown, unknown}, {{"element_dtype", element_dtype}});
}

Endpoint RowShapeOf(const GraphBuilder& builder, Endpoint tensor) {
  const Endpoint one = builder.Const(Tensor::Vector<int32_t>({1}));
  const Endpoint all = builder.Const(Tensor::Vector<int32_t>({-1}));
  return builder.Op("Slice", {ShapeOf(builder, tensor), one, all});
}

}  // namespace headrace
