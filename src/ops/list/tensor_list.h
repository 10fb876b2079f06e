// TensorList: a list of tensors of one type, as the value of a variant scalar; and how the list ops read their inputs.
//
// A list is a value: an op that changes one makes another list, in place where nobody else holds it, so that pushing in a loop
// costs the same however long the list is.
#pragma once

#include <memory>
#include <vector>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

class TensorList final : public VariantObject {
 public:
  TensorList(DType dtype, PartialShape shape, int64_t max_elements = -1)
      : element_dtype(dtype), element_shape(std::move(shape)), max_num_elements(max_elements) {}
  std::string TypeName() const override { return "tensorflow::TensorList"; }

  DType element_dtype;
  PartialShape element_shape;  // all elements are compatible with it
  int64_t max_num_elements;    // -1: no limit
  std::vector<Tensor> items;   // invalid where never set: such an element is zeros
};
using TensorListPtr = std::shared_ptr<const TensorList>;

inline Tensor ListToTensor(TensorListPtr list) { return Tensor::Scalar(Variant(std::move(list))); }

/// The list in a tensor. Errors: kInvalidArgument for anything else.
Result<TensorListPtr> ListFromTensor(const Tensor& tensor);

/// The list in input i. Errors: kInvalidArgument, also when its elements are not of the node's `element_dtype`.
Result<TensorListPtr> ListInput(const KernelContext& context, int i);

/// A list to be changed: that of an input, taken away, or a copy of it where somebody else holds it.
class ChangedList {
 public:
  /// Errors: as ListInput.
  static Result<ChangedList> Take(KernelContext& context, int i);
  TensorList* operator->() const { return list_; }
  TensorList& operator*() const { return *list_; }
  /// Makes the list output i.
  Status SetOutput(KernelContext& context, int i) { return context.SetOutput(i, std::move(tensor_)); }

 private:
  Tensor tensor_;
  TensorList* list_ = nullptr;
};

/// A shape given by a tensor: -1 for an unknown extent, a scalar -1 for an unknown shape. Errors: kInvalidArgument.
Result<PartialShape> PartialShapeFromTensor(const Tensor& shape);

/// Reads input i as a scalar i32. Errors: kInvalidArgument.
Result<int64_t> ScalarInt(const KernelContext& context, int i, std::string_view name);

/// The shape of elements that were never set: what the list says and what `wanted` says, or else what the list's other elements
/// have. Unknown where all of that does not say it. Errors: kInvalidArgument where these contradict each other.
Result<PartialShape> ElementShape(const TensorList& list, const PartialShape& wanted);

/// An element, zeros where it was never set. Errors: kInvalidArgument where the shape of these is not known.
Result<Tensor> ItemOf(KernelContext& context, const TensorList& list, int64_t index, const PartialShape& wanted);

/// Copies `parts`, which are of one type, one behind the other to `to`.
void CopyParts(const KernelContext& context, const std::vector<Tensor>& parts, Tensor* to);

/// A list with a row of `tensor` (dimension 0) for each element. REQUIRES: rank >= 1.
std::vector<Tensor> RowsOf(const Tensor& tensor);

/// A list of zeros in the shapes of the elements.
Result<TensorListPtr> ZerosLikeList(KernelContext& context, const TensorList& list);

// What the files of the family share about definitions.
inline constexpr std::string_view kNotDifferentiable = "not differentiable: about the list, not its elements";
/// Every output is a list.
inline Status ListShape(ShapeContext& c) { return ScalarShape(c); }
/// The gradient of list output i; an empty list of the elements' type when none arrives.
Endpoint ListGradient(const GradientContext& c, int i, DType element_dtype);
/// The shape of the tensor's rows, as an i32 vector.
Endpoint RowShapeOf(const GraphBuilder& builder, Endpoint tensor);

}  // namespace headrace
