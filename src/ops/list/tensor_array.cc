#include "ops/list/tensor_array.h"

#include <algorithm>

#include "kernel/elements.h"
#include "ops/math/add_n.h"

namespace headrace {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 31;  // an i32 counts them

class HandleBuffer final : public Buffer {
 public:
  HandleBuffer(ResourceHandle handle, std::shared_ptr<TensorArray> array)
      : Buffer(&handle_, sizeof(ResourceHandle)), handle_(std::move(handle)), array_(std::move(array)) {}
  const std::shared_ptr<TensorArray>& array() const { return array_; }

 protected:
  void Destroy() override { delete this; }

 private:
  ResourceHandle handle_;
  const std::shared_ptr<TensorArray> array_;
};

}  // namespace

Tensor MakeTensorArrayHandle(ResourceHandle handle, std::shared_ptr<TensorArray> array) {
  return Tensor(DType::kResource, Shape(), BufferPtr(new HandleBuffer(std::move(handle), std::move(array))));
}

Result<std::shared_ptr<TensorArray>> TensorArrayInput(const KernelContext& context) {
  const auto* buffer = dynamic_cast<const HandleBuffer*>(context.input(0).buffer().get());
  if (buffer != nullptr) return buffer->array();
  return InvalidArgument(
      context.node().op(),
      ": the handle is not that of a TensorArray made in this step by this task: ", context.input(0));
}

Status TensorArray::CheckOpen() const {
  if (!is_closed_) return OkStatus();
  return InvalidArgument("TensorArray ", options_.name, " has already been closed.");
}

Result<int64_t> TensorArray::Size() const {
  std::lock_guard lock(mutex_);
  HR_RETURN_IF_ERROR(CheckOpen());
  return std::ssize(elements_);
}

bool TensorArray::is_dynamic() const {
  std::lock_guard lock(mutex_);
  return options_.dynamic_size;
}

void TensorArray::Close() {
  std::lock_guard lock(mutex_);
  elements_.clear();
  gradients_.clear();
  is_closed_ = true;
}

Status TensorArray::MakeRoomLocked(int64_t index) {
  const int64_t size = std::ssize(elements_);
  if (index >= 0 && index < size) return OkStatus();
  if (index < 0 || !options_.dynamic_size || index >= kMaxElements) {
    return InvalidArgument("TensorArray ", options_.name, ": Tried to write to index ", index, " but array is not ",
                           "resizeable and size is: ", size);
  }
  elements_.resize(static_cast<size_t>(index) + 1);
  return OkStatus();
}

Status TensorArray::Write(const KernelContext& context, int64_t index, Tensor value) {
  std::lock_guard lock(mutex_);
  HR_RETURN_IF_ERROR(CheckOpen());
  HR_RETURN_IF_ERROR(MakeRoomLocked(index));
  if (value.dtype() != options_.dtype) {
    return InvalidArgument("TensorArray ", options_.name, ": Could not write to TensorArray index ", index,
                           " because the value dtype is ", DTypeName(value.dtype()), " but TensorArray dtype is ",
                           DTypeName(options_.dtype), ".");
  }
  if (!options_.element_shape.IsCompatibleWith(value.shape())) {
    return InvalidArgument(
        "TensorArray ", options_.name, ": Could not write to TensorArray index ", index, " because the value shape is ",
        value.shape(), " which is incompatible with the TensorArray's inferred element shape: ", options_.element_shape,
        " (consider setting infer_shape=False).");
  }
  return StoreLocked(context, index, std::move(value));
}

Status TensorArray::StoreLocked(const KernelContext& context, int64_t index, Tensor value) {
  Element& element = elements_[static_cast<size_t>(index)];
  if (element.read) {
    return InvalidArgument("TensorArray ", options_.name, ": Could not write to TensorArray index ", index,
                           " because it has already been read.");
  }
  if (element.written && !options_.is_gradient) {
    return InvalidArgument("TensorArray ", options_.name, ": Could not write to TensorArray index ", index,
                           " because it has already been written to.");
  }
  if (element.written && element.shape != PartialShape(value.shape())) {
    return InvalidArgument("TensorArray ", options_.name, ": Could not aggregate to TensorArray index ", index,
                           " because the existing shape is ", element.shape, " but the new input shape is ",
                           value.shape(), ".");
  }
  if (element.value.valid()) {
    HR_ASSIGN_OR_RETURN(value, AddTwo(context, element.value, value));
  }
  if (options_.identical_element_shapes && !options_.element_shape.IsFullyKnown()) {
    options_.element_shape = value.shape();
  }
  element.shape = value.shape();
  element.value = std::move(value);
  element.written = true;
  return OkStatus();
}

Result<Tensor> TensorArray::Read(const KernelContext& context, int64_t index) {
  std::lock_guard lock(mutex_);
  return ReadLocked(context, index);
}

Result<std::vector<Tensor>> TensorArray::ReadAll(const KernelContext& context, const std::vector<int64_t>& indices) {
  std::lock_guard lock(mutex_);
  std::vector<Tensor> values;
  values.reserve(indices.size());
  for (const int64_t index : indices) {
    HR_ASSIGN_OR_RETURN(values.emplace_back(), ReadLocked(context, index));
  }
  return values;
}

Result<Tensor> TensorArray::ReadLocked(const KernelContext& context, int64_t index) {
  HR_RETURN_IF_ERROR(CheckOpen());
  if (index < 0 || index >= std::ssize(elements_)) {
    return InvalidArgument("TensorArray ", options_.name, ": Tried to read from index ", index,
                           " but array size is: ", elements_.size());
  }
  Element& element = elements_[static_cast<size_t>(index)];
  if (element.cleared) {
    return InvalidArgument("TensorArray ", options_.name, ": Could not read index ", index,
                           " twice because it was cleared after a previous read (perhaps try setting clear_after_read "
                           "= false?).");
  }
  if (!element.value.valid()) {
    const PartialShape& shape = element.written ? element.shape : options_.element_shape;
    if (!shape.IsFullyKnown()) {
      return InvalidArgument(
          "TensorArray ", options_.name, ": Could not read from TensorArray index ", index,
          ".  Furthermore, the element shape is not fully defined: ", shape,
          ".  It is possible you are working with a resizeable TensorArray and stop_gradients is not allowing the "
          "gradients to be written.  If you set the full element_shape property on the forward TensorArray, the proper "
          "all-zeros tensor will be returned instead of incurring this error.");
    }
    HR_ASSIGN_OR_RETURN(const Shape known, shape.ToShape());
    HR_ASSIGN_OR_RETURN(element.value, Tensor::Allocate(options_.dtype, known, context.runtime().memory));
    Elements(options_.dtype).FillZero(element.value.mutable_raw(), element.value.num_elements());
    element.shape = known;
    element.written = true;
  }
  element.read = true;
  if (!options_.clear_after_read) return element.value;
  element.cleared = true;
  return std::move(element.value);
}

Result<PartialShape> TensorArray::ElementShape(const PartialShape& wanted) const {
  std::lock_guard lock(mutex_);
  const Result<PartialShape> merged = options_.element_shape.MergeWith(wanted);
  if (merged.ok()) return merged;
  return InvalidArgument("TensorArray was passed element_shape ", wanted,
                         " which does not match the Tensor at index 0: ", options_.element_shape);
}

Result<Tensor> TensorArray::GradientHandle(const std::string& source, const ResourceHandle& handle) {
  std::lock_guard lock(mutex_);
  HR_RETURN_IF_ERROR(CheckOpen());
  Tensor& gradient = gradients_[source];
  if (gradient.valid()) return gradient;
  options_.dynamic_size = false;
  TensorArrayOptions options = options_;
  options.name = StrCat(options_.name, "@", source);
  options.is_gradient = true;
  options.clear_after_read = true;
  auto array = std::make_shared<TensorArray>(options, std::ssize(elements_));
  for (size_t i = 0; i < elements_.size(); ++i) {
    if (!elements_[i].written) continue;
    array->elements_[i].shape = elements_[i].shape;
    array->elements_[i].written = true;
  }
  ResourceHandle named = handle;
  named.name = options.name;
  gradient = MakeTensorArrayHandle(std::move(named), std::move(array));
  return gradient;
}

}  // namespace headrace
