#include "ops/lookup/lookup_table.h"

#include <algorithm>
#include <cstring>

#include "kernel/elements.h"
#include "kernel/rows.h"

namespace headrace {

namespace {

/// Key i of a tensor; the tensor outlives it.
template <typename K> decltype(auto) KeyAt(const Tensor& keys, int64_t i) {
  if constexpr (std::is_same_v<K, std::string>)
    return (keys.data<std::string>()[static_cast<size_t>(i)]);
  else
    return IndexAt(keys, i);
}

bool SameElements(DType dtype, const void* a, const void* b, int64_t count) {
  if (dtype == DType::kString)
    return std::equal(static_cast<const std::string*>(a), static_cast<const std::string*>(a) + count,
                      static_cast<const std::string*>(b));
  return std::memcmp(a, b, static_cast<size_t>(count * DTypeSize(dtype))) == 0;
}

/// "3", "text": a value for a message.
std::string ValueText(const Tensor& values, int64_t row) {
  const std::string all = values.Reshaped(Shape({values.num_elements()})).Slice(row, row + 1).Summary();
  const size_t equals = all.find("= ");
  return equals == std::string::npos ? all : all.substr(equals + 2);
}

std::variant<KeyRows<int64_t>, KeyRows<std::string>> RowsFor(DType key_dtype) {
  if (key_dtype == DType::kString) return KeyRows<std::string>();
  return KeyRows<int64_t>();
}

}  // namespace

Result<std::shared_ptr<LookupTable>> LookupTable::Make(Kind kind) {
  if (kind.key_dtype != DType::kString && kind.key_dtype != DType::kInt32 && kind.key_dtype != DType::kInt64)
    return Unimplemented("A lookup table cannot have keys of dtype ", DTypeName(kind.key_dtype));
  return std::make_shared<LookupTable>(std::move(kind));
}

LookupTable::LookupTable(Kind kind)
    : kind_(std::move(kind)), width_(kind_.value_shape.num_elements()), rows_(RowsFor(kind_.key_dtype)) {}

int64_t LookupTable::SizeLocked() const {
  return std::visit([](const auto& rows) { return rows.size(); }, rows_);
}

int64_t LookupTable::size() const {
  std::shared_lock lock(mutex_);
  return kind_.filled_once && !filled_ ? 0 : SizeLocked();
}

Status LookupTable::Find(const Tensor& keys, const Tensor& fallback, Tensor* values) const {
  const Elements elements(kind_.value_dtype);
  const bool one_for_all = fallback.num_elements() == width_;
  if (!one_for_all && fallback.num_elements() != values->num_elements()) {
    return InvalidArgument("Expected shape ", kind_.value_shape, " or ", values->shape(), " for default value, got ",
                           fallback.shape());
  }
  std::shared_lock lock(mutex_);
  if (kind_.filled_once && !filled_) return FailedPrecondition("Table not initialized.");
  std::visit(
      [&]<typename K>(const KeyRows<K>& rows) {
        for (int64_t i = 0; i < keys.num_elements(); ++i) {
          const int64_t row = rows.Find(KeyAt<K>(keys, i));
          const char* from = row >= 0 ? elements.At(values_.raw(), row * width_)
                                      : elements.At(fallback.raw(), one_for_all ? 0 : i * width_);
          elements.Copy(from, elements.At(values->mutable_raw(), i * width_), width_);
        }
      },
      rows_);
  return OkStatus();
}

Status LookupTable::CheckEntries(const Tensor& keys, const Tensor& values) const {
  std::vector<int64_t> dims(keys.shape().dims().begin(), keys.shape().dims().end());
  dims.insert(dims.end(), kind_.value_shape.dims().begin(), kind_.value_shape.dims().end());
  if (!std::ranges::equal(dims, values.shape().dims())) {
    return InvalidArgument("Expected shape [", StrJoin(dims, ","), "] for value, got ", values.shape());
  }
  for (const auto& [name, key] : kind_.forbidden) {
    for (int64_t i = 0; i < keys.num_elements(); ++i) {
      const int64_t size = DTypeSize(keys.dtype());
      if (SameElements(keys.dtype(), static_cast<const char*>(keys.raw()) + i * size, key.raw(), 1))
        return InvalidArgument("Using the ", name, " as a table key is not allowed");
    }
  }
  return OkStatus();
}

Status LookupTable::Reserve(int64_t rows) {
  const int64_t have = values_.valid() ? values_.dim(0) : 0;
  if (rows <= have) return OkStatus();
  HR_ASSIGN_OR_RETURN(Tensor larger, Tensor::Allocate(kind_.value_dtype, Shape({std::max(rows, 2 * have), width_})));
  if (have > 0) Elements(kind_.value_dtype).Copy(values_.raw(), larger.mutable_raw(), SizeLocked() * width_);
  values_ = std::move(larger);
  return OkStatus();
}

Status LookupTable::InsertLocked(const Tensor& keys, const Tensor& values, bool unique) {
  HR_RETURN_IF_ERROR(Reserve(SizeLocked() + keys.num_elements()));
  const Elements elements(kind_.value_dtype);
  return std::visit(
      [&]<typename K>(KeyRows<K>& rows) {
        for (int64_t i = 0; i < keys.num_elements(); ++i) {
          const int64_t before = rows.size();
          const int64_t row = rows.Insert(KeyAt<K>(keys, i));
          const char* from = elements.At(values.raw(), i * width_);
          char* to = elements.At(values_.mutable_raw(), row * width_);
          if (unique && row < before && !SameElements(kind_.value_dtype, from, to, width_)) {
            return InvalidArgument("HashTable has different value for same key. Key ", KeyAt<K>(keys, i), " has ",
                                   ValueText(values_, row), " and trying to add value ", ValueText(values, i));
          }
          elements.Copy(from, to, width_);
        }
        return OkStatus();
      },
      rows_);
}

Status LookupTable::Insert(const Tensor& keys, const Tensor& values) {
  if (kind_.filled_once) return Unimplemented("Insert not supported by InitializableLookupTable implementations");
  HR_RETURN_IF_ERROR(CheckEntries(keys, values));
  std::unique_lock lock(mutex_);
  return InsertLocked(keys, values, false);
}

Status LookupTable::Remove(const Tensor& keys) {
  if (kind_.filled_once) return Unimplemented("Remove not supported by InitializableLookupTable implementations");
  const Elements elements(kind_.value_dtype);
  std::unique_lock lock(mutex_);
  std::visit(
      [&]<typename K>(KeyRows<K>& rows) {
        for (int64_t i = 0; i < keys.num_elements(); ++i) {
          const int64_t row = rows.Remove(KeyAt<K>(keys, i)), last = rows.size();
          if (row < 0 || row == last) continue;
          elements.Copy(elements.At(values_.raw(), last * width_), elements.At(values_.mutable_raw(), row * width_),
                        width_);
        }
      },
      rows_);
  return OkStatus();
}

Status LookupTable::Import(const Tensor& keys, const Tensor& values) {
  HR_RETURN_IF_ERROR(CheckEntries(keys, values));
  std::unique_lock lock(mutex_);
  if (filled_) {
    if (keys.num_elements() == SizeLocked()) return OkStatus();
    return FailedPrecondition("Table was already initialized with different data.");
  }
  std::visit([](auto& rows) { rows.Clear(); }, rows_);
  HR_RETURN_IF_ERROR(InsertLocked(keys, values, kind_.filled_once));
  filled_ = kind_.filled_once;
  return OkStatus();
}

Result<LookupTable::Entries> LookupTable::Export() const {
  std::shared_lock lock(mutex_);
  if (kind_.filled_once && !filled_) return Aborted("HashTable is not initialized.");
  const int64_t count = SizeLocked();
  std::vector<int64_t> dims = {count};
  dims.insert(dims.end(), kind_.value_shape.dims().begin(), kind_.value_shape.dims().end());
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  Entries entries;
  HR_ASSIGN_OR_RETURN(entries.keys, Tensor::Allocate(kind_.key_dtype, Shape({count})));
  HR_ASSIGN_OR_RETURN(entries.values, Tensor::Allocate(kind_.value_dtype, shape));
  std::visit(
      [&]<typename K>(const KeyRows<K>& rows) {
        if (kind_.key_dtype == DType::kInt32) {
          if constexpr (std::is_same_v<K, int64_t>) {
            std::ranges::transform(rows.keys(), entries.keys.mutable_data<int32_t>().begin(),
                                   [](int64_t key) { return static_cast<int32_t>(key); });
          }
        } else {
          std::ranges::copy(rows.keys(), entries.keys.mutable_data<K>().begin());
        }
      },
      rows_);
  if (count > 0) Elements(kind_.value_dtype).Copy(values_.raw(), entries.values.mutable_raw(), count * width_);
  return entries;
}

std::string LookupTable::DebugString() const {
  return StrCat("Table ", DTypeShortName(kind_.key_dtype), " -> ", DTypeShortName(kind_.value_dtype), kind_.value_shape,
                " of ", size(), " entries");
}

}  // namespace headrace
