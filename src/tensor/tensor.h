// Tensor: a dtype, a shape and a shared buffer. Copying shares the buffer; whoever holds the only reference may write.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "tensor/buffer.h"
#include "tensor/dtype.h"
#include "tensor/handle.h"
#include "tensor/shape.h"

namespace headrace {

/// An n-dimensional array, row-major. Default-constructed it is invalid: dtype kInvalid, no elements.
/// Thread-compatible: concurrent readers are fine, a writer needs a unique buffer.
class HR_EXPORT Tensor {
 public:
  Tensor() : shape_(Shape::OfNoElements()) {}
  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;
  /// A tensor that was moved from is invalid.
  Tensor(Tensor&& other) noexcept
      : dtype_(std::exchange(other.dtype_, DType::kInvalid)),
        shape_(std::move(other.shape_)),
        buffer_(std::move(other.buffer_)),
        offset_bytes_(other.offset_bytes_) {}
  Tensor& operator=(Tensor&& other) noexcept {
    dtype_ = std::exchange(other.dtype_, DType::kInvalid);
    shape_ = std::move(other.shape_);
    buffer_ = std::move(other.buffer_);
    offset_bytes_ = other.offset_bytes_;
    return *this;
  }
  ~Tensor() = default;

  /// Makes a tensor with undefined content for plain data, default elements for string, resource and variant.
  /// Errors: kInvalidArgument for an invalid dtype; kResourceExhausted over the account's limit.
  static Result<Tensor> Allocate(DType dtype, const Shape& shape,
                                 const std::shared_ptr<MemoryAccount>& account = nullptr,
                                 Allocator& allocator = CpuAllocator());
  /// Wraps existing bytes. REQUIRES: plain data, and buffer->size_bytes() >= offset_bytes + the shape's bytes.
  Tensor(DType dtype, const Shape& shape, BufferPtr buffer, int64_t offset_bytes = 0)
      : dtype_(dtype), shape_(shape), buffer_(std::move(buffer)), offset_bytes_(offset_bytes) {}

  /// For values that the program itself makes (small, so memory is taken for granted).
  template <typename T> static Tensor Scalar(T value) { return FromValues<T>(std::span<const T>(&value, 1), Shape()); }
  static Tensor Scalar(const char* value) { return Scalar(std::string(value)); }
  template <typename T> static Tensor Vector(std::initializer_list<T> values) {
    return FromValues<T>(std::span<const T>(values.begin(), values.size()),
                         Shape({static_cast<int64_t>(values.size())}));
  }
  template <typename T> static Tensor Vector(const std::vector<T>& values) {
    return FromValues<T>(std::span<const T>(values), Shape({static_cast<int64_t>(values.size())}));
  }
  static Tensor Vector(const std::vector<bool>& values);
  /// REQUIRES: values.size() == shape.num_elements().
  template <typename T> static Tensor FromValues(std::span<const T> values, const Shape& shape) {
    HR_CHECK(static_cast<int64_t>(values.size()) == shape.num_elements());
    Result<Tensor> made = Allocate(kDTypeOf<T>, shape);
    HR_CHECK(made.ok());
    std::copy(values.begin(), values.end(), made->template mutable_data<T>().begin());
    return *std::move(made);
  }
  template <typename T> static Tensor FromValues(std::initializer_list<T> values, const Shape& shape) {
    return FromValues<T>(std::span<const T>(values.begin(), values.size()), shape);
  }

  bool valid() const { return dtype_ != DType::kInvalid; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_.dim(i); }
  int64_t num_elements() const { return shape_.num_elements(); }
  /// The bytes of the elements as stored (for strings: of the string objects).
  int64_t size_bytes() const { return num_elements() * DTypeSize(dtype_); }

  /// All elements. REQUIRES: T stores dtype().
  template <typename T> std::span<const T> data() const {
    HR_CHECK(dtype_ == kDTypeOf<T>);
    return {static_cast<const T*>(raw()), static_cast<size_t>(num_elements())};
  }
  template <typename T> std::span<T> mutable_data() {
    HR_CHECK(dtype_ == kDTypeOf<T>);
    return {static_cast<T*>(mutable_raw()), static_cast<size_t>(num_elements())};
  }
  /// The one element. REQUIRES: num_elements() == 1.
  template <typename T> const T& scalar() const {
    HR_CHECK(num_elements() == 1);
    return data<T>()[0];
  }
  const void* raw() const { return buffer_ ? static_cast<const char*>(buffer_->data()) + offset_bytes_ : nullptr; }
  void* mutable_raw() { return buffer_ ? static_cast<char*>(buffer_->data()) + offset_bytes_ : nullptr; }
  /// The bytes of plain data.
  std::string_view bytes() const { return {static_cast<const char*>(raw()), static_cast<size_t>(size_bytes())}; }

  /// True when nobody else shares the buffer.
  bool OwnsBuffer() const { return buffer_ && buffer_->IsUnique(); }
  bool SharesBufferWith(const Tensor& other) const { return buffer_ && buffer_.get() == other.buffer_.get(); }
  const BufferPtr& buffer() const { return buffer_; }

  /// Shares the buffer under another shape. REQUIRES: the same number of elements.
  Tensor Reshaped(const Shape& shape) const;
  /// Shares the bytes under another dtype of the same size (TensorFlow's Bitcast). REQUIRES: plain data on both sides.
  Tensor Reinterpreted(DType dtype) const;
  /// Shares rows [begin, end) of dimension 0. REQUIRES: rank >= 1 and 0 <= begin <= end <= dim(0).
  Tensor Slice(int64_t begin, int64_t end) const;
  /// Copies the elements into a buffer of its own. Errors: kResourceExhausted.
  Result<Tensor> Clone(const std::shared_ptr<MemoryAccount>& account = nullptr) const;

  /// "f32[2,3]".
  std::string TypeAndShape() const { return StrCat(DTypeShortName(dtype_), shape_); }
  std::string ToString() const { return TypeAndShape(); }
  /// "f32[4] = 1 2 3 ..." with at most `max_elements` values.
  std::string Summary(int64_t max_elements = 8) const;

 private:
  DType dtype_ = DType::kInvalid;
  Shape shape_;
  BufferPtr buffer_;
  int64_t offset_bytes_ = 0;
};

/// Calls `visit.template operator()<T>()` with the C++ type of `dtype`, one of Ts, and returns its Status.
/// Errors: kUnimplemented, naming `what`, for any other type.
template <typename... Ts, typename Visit> Status ForDType(DType dtype, std::string_view what, Visit&& visit) {
  Status status = Unimplemented(what, ": dtype ", DTypeName(dtype), " is not supported");
  (void)((dtype == kDTypeOf<Ts> ? (status = visit.template operator()<Ts>(), true) : false) || ...);
  return status;
}

}  // namespace headrace
