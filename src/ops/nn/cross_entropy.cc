// SoftmaxCrossEntropyWithLogits: loss[i] = -sum_k labels[i,k] * log softmax(features[i])[k], backprop = softmax - labels.
// features and labels are [batch, classes], or broadcast to it. Errors: kInvalidArgument unless they do.
// SparseSoftmaxCrossEntropyWithLogits: the same with labels[i] naming the one class of probability 1.
// Errors: kInvalidArgument for shapes that do not fit, no class at all, or a label outside [0, classes).
#include <algorithm>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/nn/nn_ops.h"
#include "ops/nn/softmax_rows.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

Status DenseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, BroadcastShapes(c.input(0), c.input(1)));
  if (shape.has_rank() && shape.rank() != 2) {
    return InvalidArgument(c.node().op(),
                           ": features and labels must be or broadcast to a matrix: features=", c.input(0),
                           " labels=", c.input(1));
  }
  if (!shape.has_rank()) shape = PartialShape::UnknownOfRank(2);
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape({shape.dim(0)})));
  return c.SetOutput(1, std::move(shape));
}

Status SparseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape features, c.InputOfRank(0, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape labels, c.InputOfRank(1, 1));
  HR_ASSIGN_OR_RETURN(const PartialShape batch, PartialShape({features.dim(0)}).MergeWith(labels));
  features.SetDim(0, batch.dim(0));
  HR_RETURN_IF_ERROR(c.SetOutput(0, batch));
  return c.SetOutput(1, std::move(features));
}

Endpoint Column(const GradientContext& c, Endpoint x) {
  return c.Op("ExpandDims", {x, c.builder().Scalar<int32_t>(-1)});
}

Endpoint RowSum(const GradientContext& c, Endpoint x) {
  return c.Op("Sum", {x, c.builder().Const(Tensor::Vector<int32_t>({-1}))}, {{"keep_dims", true}});
}

// d features = d loss * backprop; where backprop itself is differentiated, also (g - sum(g * p)) * p with p = softmax(features).
Endpoint FeaturesGradient(const GradientContext& c) {
  const Endpoint first = c.Op("Mul", {Column(c, c.output_gradient(0)), c.output(1)});
  if (!c.has_output_gradient(1)) return first;
  const Endpoint g = c.output_gradient(1), p = c.Op("Softmax", {c.input(0)});
  return c.Op("AddV2", {first, c.Op("Mul", {c.Op("Sub", {g, RowSum(c, c.Op("Mul", {g, p}))}), p})});
}

Status DenseGradient(GradientContext& c) {
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, FeaturesGradient(c)));
  const Endpoint losses = c.Op("Neg", {c.Op("LogSoftmax", {c.input(0)})});
  return c.SetInputGradient(1, c.Op("Mul", {Column(c, c.output_gradient(0)), losses}));
}

Status SparseGradient(GradientContext& c) { return c.SetInputGradient(0, FeaturesGradient(c)); }

// A row of T as the type it is computed in: itself, or converted into `store`.
template <typename T>
const RowType<T>* WideRow(const T* row, int64_t count, int64_t step, std::vector<RowType<T>>& store) {
  if constexpr (std::is_same_v<T, RowType<T>>) {
    if (step == 1) return row;
  }
  store.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) store[static_cast<size_t>(i)] = static_cast<RowType<T>>(row[i * step]);
  return store.data();
}

// One row: backprop becomes softmax(x) - labels; returns the loss.
template <typename R> R DenseRow(const R* x, const R* labels, R* backprop, int64_t classes) {
  const SoftmaxNorm<R> norm = SoftmaxRow(x, backprop, classes);
  R loss = 0;
  for (int64_t k = 0; k < classes; ++k) {
    loss += labels[k] * (norm.log_sum - (x[k] - norm.max));
    backprop[k] -= labels[k];
  }
  return loss;
}

// How a [rows, columns] operand is read for a larger batch: a dimension of 1 stands still.
struct Strides {
  int64_t row = 0;
  int64_t column = 0;
};

// The operands of a dense call, broadcast to [batch, classes].
struct DenseLayout {
  int64_t batch = 1;
  int64_t classes = 1;
  Strides features;
  Strides labels;

  static Result<DenseLayout> Of(const Shape& features, const Shape& labels) {
    if (std::max(features.rank(), labels.rank()) != 2) {
      return InvalidArgument("logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional");
    }
    const int64_t rows[] = {FromEnd(features, 2), FromEnd(labels, 2)},
                  columns[] = {FromEnd(features, 1), FromEnd(labels, 1)};
    DenseLayout layout{.batch = rows[0] == 1 ? rows[1] : rows[0], .classes = columns[0] == 1 ? columns[1] : columns[0]};
    for (int i : {0, 1}) {
      if ((rows[i] != 1 && rows[i] != layout.batch) || (columns[i] != 1 && columns[i] != layout.classes)) {
        return InvalidArgument("logits and labels must be broadcastable: logits_size=", features,
                               " labels_size=", labels);
      }
      (i == 0 ? layout.features : layout.labels) = {rows[i] == 1 ? 0 : columns[i], columns[i] == 1 ? 0 : 1};
    }
    return layout;
  }

 private:
  static int64_t FromEnd(const Shape& shape, int i) { return shape.rank() < i ? 1 : shape.dim(shape.rank() - i); }
};

template <typename T> Status DenseCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const DenseLayout layout, DenseLayout::Of(c.input(0).shape(), c.input(1).shape()));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(std::initializer_list<int64_t>{layout.batch, layout.classes}));
  HR_ASSIGN_OR_RETURN(Tensor * loss, c.AllocateOutput(0, Shape({layout.batch})));
  // Not in place of the features: the losses are summed from them once the norm of the row is known.
  HR_ASSIGN_OR_RETURN(Tensor * backprop, c.AllocateOutput(1, shape));
  const T* x = c.input(0).data<T>().data();
  const T* y = c.input(1).data<T>().data();
  T* losses = loss->mutable_data<T>().data();
  T* gradients = backprop->mutable_data<T>().data();
  const int64_t classes = layout.classes;
  c.ParallelFor(layout.batch, 4.0 * static_cast<double>(classes), [&](int64_t begin, int64_t end) {
    std::vector<RowType<T>> x_store, y_store, result(static_cast<size_t>(classes));
    for (int64_t i = begin; i < end; ++i) {
      const RowType<T>* x_row = WideRow(x + i * layout.features.row, classes, layout.features.column, x_store);
      const RowType<T>* y_row = WideRow(y + i * layout.labels.row, classes, layout.labels.column, y_store);
      if constexpr (std::is_same_v<T, RowType<T>>) {
        losses[i] = DenseRow(x_row, y_row, gradients + i * classes, classes);
      } else {
        losses[i] = static_cast<T>(DenseRow(x_row, y_row, result.data(), classes));
        for (int64_t k = 0; k < classes; ++k)
          gradients[i * classes + k] = static_cast<T>(result[static_cast<size_t>(k)]);
      }
    }
  });
  return OkStatus();
}

Status CheckSparse(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2) return InvalidArgument("logits must be 2-D, but got shape ", logits.shape());
  if (labels.rank() != 1) return InvalidArgument("labels must be 1-D, but got shape ", labels.shape());
  if (logits.dim(0) != labels.dim(0)) {
    return InvalidArgument("logits and labels must have the same first dimension, got logits shape ", logits.shape(),
                           " and labels shape ", labels.shape());
  }
  if (logits.dim(1) < 1) return InvalidArgument("Must have at least one class, but got logits shape ", logits.shape());
  const int64_t bad = RowIndices::FindOutOfRange(labels, logits.dim(1));
  if (bad < 0) return OkStatus();
  std::string all;
  for (int64_t i = 0; i < std::min<int64_t>(labels.num_elements(), 1000); ++i) all += StrCat(" ", IndexAt(labels, i));
  return InvalidArgument("Received a label value of ", IndexAt(labels, bad),
                         " which is outside the valid range of [0, ", logits.dim(1), ").  Label values:", all);
}

template <typename T> Status SparseCpu(KernelContext& c) {
  const Tensor& logits = c.input(0);
  const Tensor& labels = c.input(1);
  HR_RETURN_IF_ERROR(CheckSparse(logits, labels));
  const int64_t batch = logits.dim(0), classes = logits.dim(1);
  const T* x = logits.data<T>().data();
  HR_ASSIGN_OR_RETURN(Tensor * loss, c.AllocateOutput(0, labels.shape()));
  HR_ASSIGN_OR_RETURN(Tensor * backprop, c.AllocateOrReuse(1, {0}, logits.shape()));
  T* losses = loss->mutable_data<T>().data();
  T* gradients = backprop->mutable_data<T>().data();
  c.ParallelFor(batch, 3.0 * static_cast<double>(classes), [&](int64_t begin, int64_t end) {
    std::vector<RowType<T>> store, result(static_cast<size_t>(classes));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t label = IndexAt(labels, i);
      const RowType<T>* row = WideRow(x + i * classes, classes, 1, store);
      const RowType<T> named = row[label];
      T* out = gradients + i * classes;
      if constexpr (std::is_same_v<T, RowType<T>>) {
        const SoftmaxNorm<T> norm = SoftmaxRow(row, out, classes);
        out[label] -= 1;
        losses[i] = norm.log_sum - (named - norm.max);
      } else {
        const SoftmaxNorm<RowType<T>> norm = SoftmaxRow(row, result.data(), classes);
        result[static_cast<size_t>(label)] -= 1;
        for (int64_t k = 0; k < classes; ++k) out[k] = static_cast<T>(result[static_cast<size_t>(k)]);
        losses[i] = static_cast<T>(norm.log_sum - (named - norm.max));
      }
    }
  });
  return OkStatus();
}

}  // namespace

OpDefinition SoftmaxCrossEntropyWithLogits() {
  return OpDefinition(
             StrCat("SoftmaxCrossEntropyWithLogits(features: T, labels: T) -> (loss: T, backprop: T) | T: type in ",
                    kFloatTypes))
      .Shape(DenseShape)
      .Gradient(DenseGradient)
      .Kernels(
          KernelsFor<float, double, Half, BFloat16>("T", []<typename T>() { return FunctionKernel(DenseCpu<T>); }));
}

OpDefinition SparseSoftmaxCrossEntropyWithLogits() {
  return OpDefinition(
             StrCat("SparseSoftmaxCrossEntropyWithLogits(features: T, labels: Tlabels) -> (loss: T, backprop: T) | T: "
                    "type in ",
                    kFloatTypes, " | Tlabels: type = i64 in {i32,i64}"))
      .Shape(SparseShape)
      .Gradient(SparseGradient)
      .Kernels(
          KernelsFor<float, double, Half, BFloat16>("T", []<typename T>() { return FunctionKernel(SparseCpu<T>); }));
}

}  // namespace headrace
