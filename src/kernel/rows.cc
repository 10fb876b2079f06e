#include "kernel/rows.h"

#include <algorithm>
#include <cstring>

namespace headrace {

namespace {

// How many rows ahead to ask for: enough to keep the memory busy, few enough to stay in the first cache.
constexpr int64_t kPrefetchDistance = 12;

template <typename T> int64_t FindOutside(std::span<const T> values, int64_t limit) {
  // As unsigned, a negative index is a huge one, so one comparison checks both ends; groups of 64 keep the loop branch-free.
  using Unsigned = std::make_unsigned_t<T>;
  const uint64_t bound = static_cast<uint64_t>(limit);
  const size_t size = values.size();
  for (size_t begin = 0; begin < size; begin += 64) {
    const size_t end = std::min(size, begin + 64);
    bool outside = false;
    for (size_t i = begin; i < end; ++i) outside |= static_cast<uint64_t>(static_cast<Unsigned>(values[i])) >= bound;
    if (!outside) continue;
    for (size_t i = begin; i < end; ++i) {
      if (static_cast<uint64_t>(static_cast<Unsigned>(values[i])) >= bound) return static_cast<int64_t>(i);
    }
  }
  return -1;
}

template <size_t kRowBytes> void CopyFixedRows(const char* table, std::span<const int64_t> rows, char* out) {
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t i = 0; i < count; ++i) {
    if (i + kPrefetchDistance < count) {
      const int64_t ahead = rows[static_cast<size_t>(i + kPrefetchDistance)];
      PrefetchRow(table, ahead * static_cast<int64_t>(kRowBytes));
      if constexpr (kRowBytes > 64) PrefetchRow(table, ahead * static_cast<int64_t>(kRowBytes) + 64);
    }
    std::memcpy(out + i * static_cast<int64_t>(kRowBytes),
                table + rows[static_cast<size_t>(i)] * static_cast<int64_t>(kRowBytes), kRowBytes);
  }
}

void CopyByteRows(const char* table, size_t row_bytes, std::span<const int64_t> rows, char* out) {
  switch (row_bytes) {
    case 0:
      return;
    case 1:
      return CopyFixedRows<1>(table, rows, out);
    case 2:
      return CopyFixedRows<2>(table, rows, out);
    case 4:
      return CopyFixedRows<4>(table, rows, out);
    case 8:
      return CopyFixedRows<8>(table, rows, out);
    case 16:
      return CopyFixedRows<16>(table, rows, out);
    case 32:
      return CopyFixedRows<32>(table, rows, out);
    case 64:
      return CopyFixedRows<64>(table, rows, out);
    case 128:
      return CopyFixedRows<128>(table, rows, out);
    default:
      break;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + 4 < rows.size()) PrefetchRow(table, rows[i + 4] * static_cast<int64_t>(row_bytes));
    std::memcpy(out + i * row_bytes, table + static_cast<size_t>(rows[i]) * row_bytes, row_bytes);
  }
}

template <typename T> void CopyObjectRows(const T* table, int64_t row_elements, std::span<const int64_t> rows, T* out) {
  for (int64_t row : rows) out = std::copy_n(table + row * row_elements, row_elements, out);
}

}  // namespace

int64_t RowIndices::FindOutOfRange(const Tensor& indices, int64_t limit) {
  return indices.dtype() == DType::kInt32 ? FindOutside(indices.data<int32_t>(), limit)
                                          : FindOutside(indices.data<int64_t>(), limit);
}

Result<RowIndices> RowIndices::Make(const Tensor& indices, int64_t limit) {
  if (const int64_t bad = FindOutOfRange(indices, limit); bad >= 0) {
    return InvalidArgument("indices", ElementPosition(indices.shape(), bad), " = ", IndexAt(indices, bad),
                           " is not in [0, ", limit, ")");
  }
  return Unchecked(indices);
}

RowIndices RowIndices::Unchecked(const Tensor& indices) {
  RowIndices result;
  if (indices.dtype() == DType::kInt32) {
    const std::span<const int32_t> narrow = indices.data<int32_t>();
    result.widened_.assign(narrow.begin(), narrow.end());
    result.values_ = result.widened_;
  } else {
    result.values_ = indices.data<int64_t>();
  }
  return result;
}

std::string ElementPosition(const Shape& shape, int64_t flat) {
  if (shape.IsScalar()) return "";
  std::vector<int64_t> position(static_cast<size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    position[static_cast<size_t>(i)] = flat % shape.dim(i);
    flat /= shape.dim(i);
  }
  return StrCat("[", StrJoin(position, ","), "]");
}

void GatherRows(const Tensor& table, int64_t row_elements, std::span<const int64_t> rows, int64_t base, Tensor* out,
                int64_t out_begin) {
  if (rows.empty() || row_elements == 0) return;
  const int64_t first = base * row_elements;
  switch (table.dtype()) {
    case DType::kString:
      return CopyObjectRows(table.data<std::string>().data() + first, row_elements, rows,
                            out->mutable_data<std::string>().data() + out_begin);
    case DType::kVariant:
      return CopyObjectRows(table.data<Variant>().data() + first, row_elements, rows,
                            out->mutable_data<Variant>().data() + out_begin);
    case DType::kResource:
      return CopyObjectRows(table.data<ResourceHandle>().data() + first, row_elements, rows,
                            out->mutable_data<ResourceHandle>().data() + out_begin);
    default: {
      const int64_t element_bytes = DTypeSize(table.dtype());
      CopyByteRows(static_cast<const char*>(table.raw()) + first * element_bytes,
                   static_cast<size_t>(row_elements * element_bytes), rows,
                   static_cast<char*>(out->mutable_raw()) + out_begin * element_bytes);
    }
  }
}

}  // namespace headrace
