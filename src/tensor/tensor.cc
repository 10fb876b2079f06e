#include "tensor/tensor.h"

#include <algorithm>

#include "base/checked_math.h"
#include "tensor/charge.h"

namespace headrace {

namespace {

/// Storage of elements that have constructors.
template <typename T> class ObjectBuffer final : public Buffer {
 public:
  ObjectBuffer(std::unique_ptr<T[]> elements, int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account)
      : Buffer(elements.get(), size_bytes), elements_(std::move(elements)), account_(account) {}
  void Destroy() override {
    if (account_ != nullptr) account_->Release(size_bytes());
    delete this;
  }

 private:
  const std::unique_ptr<T[]> elements_;
  const std::shared_ptr<MemoryAccount> account_;
};

template <typename T>
Result<BufferPtr> AllocateObjects(int64_t count, int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account) {
  HR_RETURN_IF_ERROR(ChargeAccount(account, size_bytes));
  std::unique_ptr<T[]> elements(new (std::nothrow) T[static_cast<size_t>(count)]);
  if (elements == nullptr) {
    if (account != nullptr) account->Release(size_bytes);
    return ResourceExhausted("OOM when allocating ", count, " elements: the system has no memory");
  }
  return BufferPtr(new ObjectBuffer<T>(std::move(elements), size_bytes, account));
}

template <typename T> void AppendElement(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    out += '"';
    out += value;
    out += '"';
  } else if constexpr (std::is_same_v<T, bool> || std::integral<T>) {
    AppendText(out, value);
  } else {
    AppendText(out, static_cast<double>(value));
  }
}

}  // namespace

Result<Tensor> Tensor::Allocate(DType dtype, const Shape& shape, const std::shared_ptr<MemoryAccount>& account,
                                Allocator& allocator) {
  const int64_t element_bytes = DTypeSize(dtype);
  if (element_bytes == 0 || IsRef(dtype)) {
    return InvalidArgument("Cannot allocate a tensor of dtype ", static_cast<int>(dtype), " (", DTypeName(dtype), ")");
  }
  const std::optional<int64_t> size_bytes = CheckedMultiply(shape.num_elements(), element_bytes);
  if (!size_bytes) {
    return ResourceExhausted("OOM when allocating tensor with shape", shape, " and type ", DTypeName(dtype));
  }
  Result<BufferPtr> buffer =
      dtype == DType::kString     ? AllocateObjects<std::string>(shape.num_elements(), *size_bytes, account)
      : dtype == DType::kResource ? AllocateObjects<ResourceHandle>(shape.num_elements(), *size_bytes, account)
      : dtype == DType::kVariant  ? AllocateObjects<Variant>(shape.num_elements(), *size_bytes, account)
                                  : allocator.Allocate(*size_bytes, account);
  if (!buffer.ok()) {
    return Status(buffer.status().code(), StrCat("OOM when allocating tensor with shape", shape, " and type ",
                                                 DTypeName(dtype), ": ", buffer.status().message()));
  }
  return Tensor(dtype, shape, *std::move(buffer));
}

Tensor Tensor::Vector(const std::vector<bool>& values) {
  Result<Tensor> made = Allocate(DType::kBool, Shape({static_cast<int64_t>(values.size())}));
  HR_CHECK(made.ok());
  std::copy(values.begin(), values.end(), made->mutable_data<bool>().begin());
  return *std::move(made);
}

Tensor Tensor::Reshaped(const Shape& shape) const {
  HR_CHECK(shape.num_elements() == num_elements());
  return Tensor(dtype_, shape, buffer_, offset_bytes_);
}

Tensor Tensor::Reinterpreted(DType dtype) const {
  HR_CHECK(IsPlainData(dtype) && IsPlainData(dtype_) && DTypeSize(dtype) == DTypeSize(dtype_));
  return Tensor(dtype, shape_, buffer_, offset_bytes_);
}

Tensor Tensor::Slice(int64_t begin, int64_t end) const {
  HR_CHECK(rank() >= 1 && 0 <= begin && begin <= end && end <= dim(0));
  const int64_t row_bytes = dim(0) == 0 ? 0 : size_bytes() / dim(0);
  Shape shape = shape_;
  shape.SetDim(0, end - begin);
  return Tensor(dtype_, shape, buffer_, offset_bytes_ + begin * row_bytes);
}

Result<Tensor> Tensor::Clone(const std::shared_ptr<MemoryAccount>& account) const {
  HR_ASSIGN_OR_RETURN(Tensor copy, Allocate(dtype_, shape_, account));
  if (IsPlainData(dtype_)) {
    if (size_bytes() > 0) std::memcpy(copy.mutable_raw(), raw(), static_cast<size_t>(size_bytes()));
    return copy;
  }
  HR_RETURN_IF_ERROR((ForDType<std::string, ResourceHandle, Variant>(dtype_, "Clone", [&]<typename T>() {
    std::ranges::copy(data<T>(), copy.mutable_data<T>().begin());
    return OkStatus();
  })));
  return copy;
}

std::string Tensor::Summary(int64_t max_elements) const {
  std::string out = StrCat(TypeAndShape(), " =");
  Status status = ForDType<float, double, int32_t, int64_t, uint8_t, int16_t, int8_t, uint16_t, uint32_t, uint64_t,
                           bool, Half, BFloat16, std::string>(dtype_, "Summary", [&]<typename T>() {
    for (int64_t i = 0; i < std::min(num_elements(), max_elements); ++i) {
      out += ' ';
      AppendElement<T>(out, data<T>()[static_cast<size_t>(i)]);
    }
    return OkStatus();
  });
  if (num_elements() > max_elements || !status.ok()) out += " ...";
  return out;
}

}  // namespace headrace
