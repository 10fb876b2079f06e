// PaddedBatch: joins batch_size elements along a new first dimension, after padding each at the end of its dimensions: to the
// extent that is asked for, or to the largest in the batch. Memory: one batch, charged to the pipeline.
#include <algorithm>
#include <cstring>

#include "data/batch.h"

namespace headrace {

namespace {

struct Padding {
  std::vector<PartialShape> shapes;  // an unknown extent: the batch's largest
  std::vector<Tensor> values;        // scalars
};

/// The shape to which all rows are padded. Errors: kInvalidArgument for a row of another rank, kDataLoss for a larger one.
Result<Shape> PaddedRowShape(std::span<Element> rows, size_t component, const PartialShape& wanted) {
  std::vector<int64_t> dims(wanted.dims().begin(), wanted.dims().end());
  for (int64_t& dim : dims) dim = std::max<int64_t>(dim, 0);
  for (const Element& row : rows) {
    const Shape& shape = row[component].shape();
    if (shape.rank() != wanted.rank()) {
      return InvalidArgument("All elements in a batch must have the same rank as the padded shape for component",
                             component, ": expected rank ", wanted.rank(), " but got element with rank ", shape.rank());
    }
    for (int i = 0; i < shape.rank(); ++i) {
      int64_t& dim = dims[static_cast<size_t>(i)];
      if (wanted.dim(i) >= 0 && shape.dim(i) > wanted.dim(i)) {
        return DataLoss("Attempted to pad to a smaller size than the input element. Component ", component,
                        ": an element has shape ", shape, ", the padded shape is ", wanted);
      }
      dim = std::max(dim, shape.dim(i));
    }
  }
  return Shape::Make(dims);
}

/// Calls copy(first element inside `small`, first element inside `large`, count) for the runs of `small`, a corner of `large`,
/// that are contiguous in both.
template <typename Copy> void ForEachRun(const Shape& small, const Shape& large, Copy&& copy) {
  const int64_t total = small.num_elements();
  if (total == 0) return;
  int outer_rank = small.rank();  // dimensions behind it fill the large shape
  int64_t run = 1, large_run = 1;
  while (outer_rank > 0) {
    --outer_rank;
    run *= small.dim(outer_rank);
    large_run *= large.dim(outer_rank);
    if (run != large_run) break;
  }
  std::vector<int64_t> index(static_cast<size_t>(outer_rank), 0);
  for (int64_t from = 0; from < total; from += run) {
    int64_t to = 0;
    for (int i = 0; i < outer_rank; ++i) to = to * large.dim(i) + index[static_cast<size_t>(i)];
    copy(from, to * large_run, run);
    for (int i = outer_rank - 1; i >= 0; --i) {
      if (++index[static_cast<size_t>(i)] < small.dim(i)) break;
      index[static_cast<size_t>(i)] = 0;
    }
  }
}

/// Fills `bytes` bytes with copies of the `size` bytes of a value.
void FillBytes(char* out, int64_t bytes, const char* value, int64_t size) {
  if (bytes == 0) return;
  std::memcpy(out, value, static_cast<size_t>(size));
  for (int64_t done = size; done < bytes; done *= 2) {
    std::memcpy(out + done, out, static_cast<size_t>(std::min(done, bytes - done)));
  }
}

void PadBytes(std::span<Element> rows, size_t component, const Tensor& value, const Shape& row_shape, Tensor* joined) {
  const int64_t size = DTypeSize(joined->dtype());
  const int64_t row_bytes = row_shape.num_elements() * size;
  auto* out = static_cast<char*>(joined->mutable_raw());
  for (const Element& row : rows) {
    const Tensor& part = row[component];
    const auto* in = static_cast<const char*>(part.raw());
    if (!(part.shape() == row_shape)) FillBytes(out, row_bytes, static_cast<const char*>(value.raw()), size);
    ForEachRun(part.shape(), row_shape, [&](int64_t from, int64_t to, int64_t count) {
      std::memcpy(out + to * size, in + from * size, static_cast<size_t>(count * size));
    });
    out += row_bytes;
  }
}

void PadStrings(std::span<Element> rows, size_t component, const Tensor& value, const Shape& row_shape,
                Tensor* joined) {
  std::string* out = joined->mutable_data<std::string>().data();
  for (Element& row : rows) {
    Tensor& part = row[component];
    const bool owned = part.OwnsBuffer();
    if (!(part.shape() == row_shape)) std::fill_n(out, row_shape.num_elements(), value.scalar<std::string>());
    std::string* in = static_cast<std::string*>(part.mutable_raw());
    ForEachRun(part.shape(), row_shape, [&](int64_t from, int64_t to, int64_t count) {
      if (owned) {
        std::move(in + from, in + from + count, out + to);
      } else {
        std::copy(in + from, in + from + count, out + to);
      }
    });
    out += row_shape.num_elements();
  }
}

Result<Tensor> JoinPadded(const Padding& padding, std::span<Element> rows, size_t component,
                          const std::shared_ptr<MemoryAccount>& account) {
  const Tensor& value = padding.values[component];
  HR_ASSIGN_OR_RETURN(const Shape row_shape, PaddedRowShape(rows, component, padding.shapes[component]));
  std::vector<int64_t> dims = {static_cast<int64_t>(rows.size())};
  dims.insert(dims.end(), row_shape.dims().begin(), row_shape.dims().end());
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(value.dtype(), shape, account));
  for (const Element& row : rows) {
    if (row[component].dtype() != value.dtype()) {
      return InvalidArgument("PaddedBatch: component ", component, " is ", row[component], ", expected ",
                             value.dtype());
    }
  }
  if (value.dtype() == DType::kString) {
    PadStrings(rows, component, value, row_shape, &joined);
  } else {
    PadBytes(rows, component, value, row_shape, &joined);
  }
  return joined;
}

Status CheckPadding(const Dataset& input, const Padding& padding) {
  const std::vector<DType>& types = input.output_types();
  if (padding.shapes.size() != types.size() || padding.values.size() != types.size()) {
    return InvalidArgument(
        "Number of padded shapes (", padding.shapes.size(), ") and of padding values (", padding.values.size(),
        ") must match the number of components in the input dataset's elements (", types.size(), ")");
  }
  for (size_t i = 0; i < types.size(); ++i) {
    const Tensor& value = padding.values[i];
    if (value.rank() != 0)
      return InvalidArgument("All padding values must be scalars; padding value ", i, " is ", value);
    if (value.dtype() != types[i]) {
      return InvalidArgument("Mismatched type between padding value ", i, " and input dataset's component ", i, ": ",
                             DTypeName(value.dtype()), " vs. ", DTypeName(types[i]));
    }
    if (!IsPlainData(types[i]) && types[i] != DType::kString) {
      return InvalidArgument("PaddedBatch: component ", i, " is of type ", DTypeName(types[i]),
                             ", which cannot be padded");
    }
    if (!padding.shapes[i].has_rank()) return InvalidArgument("PaddedBatch: padded shape ", i, " has no rank");
  }
  return OkStatus();
}

}  // namespace

Result<DatasetPtr> MakePaddedBatchDataset(DatasetPtr input, int64_t batch_size, std::vector<PartialShape> padded_shapes,
                                          std::vector<Tensor> padding_values, bool drop_remainder) {
  HR_RETURN_IF_ERROR(CheckBatchSize(batch_size));
  Padding padding{std::move(padded_shapes), std::move(padding_values)};
  HR_RETURN_IF_ERROR(CheckPadding(*input, padding));
  ElementSpec spec{input->output_types(), {}};
  for (const PartialShape& shape : padding.shapes) {
    spec.shapes.push_back(BatchedShape(shape, batch_size, drop_remainder));
  }
  return MakeJoiningDataset(std::move(input), batch_size, drop_remainder, std::move(spec),
                            [padding = std::move(padding)](std::span<Element> rows, size_t component,
                                                           const std::shared_ptr<MemoryAccount>& account) {
                              return JoinPadded(padding, rows, component, account);
                            });
}

}  // namespace headrace
