#include "ops/data_flow/queue_rows.h"

#include <algorithm>

#include "kernel/strided_copy.h"

namespace headrace {

namespace {

/// Copies `from` to the corner of a row of shape `dims` at `to`.
void CopyToCorner(const KernelContext& c, const Tensor& from, std::span<const int64_t> dims, void* to) {
  const std::vector<int64_t> from_strides = DenseStrides(from.shape().dims());
  const std::vector<int64_t> to_strides = DenseStrides(dims);
  std::vector<CopyDim> copied;
  for (size_t i = 0; i < dims.size(); ++i) {
    copied.push_back({from.dim(static_cast<int>(i)), from_strides[i], to_strides[i]});
  }
  StridedCopy(c, from.dtype(), copied, from.raw(), to);
}

}  // namespace

Result<std::vector<QueueElement>> RowsOf(const KernelContext& c, const std::vector<Tensor>& components,
                                         QueueKind kind) {
  const bool shares = kind == QueueKind::kFifo || kind == QueueKind::kPaddingFifo;
  const auto num_rows = static_cast<size_t>(components[0].dim(0));
  std::vector<QueueElement> rows(num_rows);
  for (QueueElement& row : rows) row.reserve(components.size());
  for (const Tensor& component : components) {
    const Shape shape = component.shape().WithoutDim(0);
    for (size_t i = 0; i < num_rows; ++i) {
      const auto begin = static_cast<int64_t>(i);
      Tensor row = component.Slice(begin, begin + 1).Reshaped(shape);
      if (!shares) {
        HR_ASSIGN_OR_RETURN(row, row.Clone(c.runtime().memory));
      }
      rows[i].push_back(std::move(row));
    }
  }
  return rows;
}

Result<Tensor> JoinElements(const KernelContext& c, const std::vector<QueueElement>& elements, size_t i, DType dtype,
                            const PartialShape& declared) {
  std::vector<int64_t> dims;
  for (const int64_t dim : declared.dims()) dims.push_back(elements.empty() ? std::max<int64_t>(dim, 0) : 0);
  for (const QueueElement& element : elements) {
    for (size_t d = 0; d < dims.size(); ++d) dims[d] = std::max(dims[d], element[i].dim(static_cast<int>(d)));
  }
  HR_ASSIGN_OR_RETURN(const Shape row, Shape::Make(dims));
  dims.insert(dims.begin(), static_cast<int64_t>(elements.size()));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(dtype, shape, c.runtime().memory));
  const Elements values(dtype);
  const auto differs = [&](const QueueElement& element) { return !(element[i].shape() == row); };
  if (IsPlainData(dtype) && std::ranges::any_of(elements, differs)) {
    values.FillZero(joined.mutable_raw(), joined.num_elements());
  }
  int64_t at = 0;
  for (const QueueElement& element : elements) {
    void* to = values.At(joined.mutable_raw(), at);
    if (!differs(element)) {
      values.Copy(element[i].raw(), to, row.num_elements());
    } else if (element[i].num_elements() > 0) {
      CopyToCorner(c, element[i], row.dims(), to);
    }
    at += row.num_elements();
  }
  return joined;
}

}  // namespace headrace
