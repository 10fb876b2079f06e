// See convert.h.
#include "convert.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>

#include "gil.h"

namespace headrace::python {
namespace {

nb::object& ExceptionFactory() {
  static nb::object* factory = new nb::object();  // outlives the interpreter's end on purpose
  return *factory;
}

void Translate(const std::exception_ptr& raised, void*) {
  try {
    std::rethrow_exception(raised);
  } catch (const StatusError& error) {
    try {
      nb::object exception =
          ExceptionFactory()(static_cast<int>(error.status.code()), error.status.message(), error.while_building);
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    } catch (nb::python_error& inner) {
      inner.restore();
    }
  }
}

std::string BytesOf(nb::handle value) {
  if (nb::isinstance<nb::bytes>(value)) {
    const auto bytes = nb::borrow<nb::bytes>(value);
    return {static_cast<const char*>(bytes.data()), bytes.size()};
  }
  return nb::cast<std::string>(value);
}

Shape KnownShape(nb::handle value) { return Unwrap(Shape::Make(nb::cast<std::vector<int64_t>>(value))); }

Tensor StringsFromPython(nb::handle value) {
  const auto pair = nb::cast<nb::tuple>(value);
  const auto items = nb::cast<nb::list>(pair[0]);
  const Shape shape = KnownShape(pair[1]);
  if (static_cast<int64_t>(items.size()) != shape.num_elements())
    throw StatusError(InvalidArgument("Tensor: ", items.size(), " strings for shape ", shape), true);
  Tensor tensor = Unwrap(Tensor::Allocate(DType::kString, shape));
  auto out = tensor.mutable_data<std::string>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = BytesOf(items[i]);
  return tensor;
}

// Keeps a Python buffer until the last tensor on it goes, on whichever thread that is.
struct BufferView {
  Py_buffer view{};
  ~BufferView() {
    if (view.obj == nullptr || !Py_IsInitialized() || IsExiting()) return;
    nb::gil_scoped_acquire gil;
    PyBuffer_Release(&view);
  }
};

Tensor BufferFromPython(nb::handle value, DType dtype, Borrowing borrowing) {
  auto held = std::make_shared<BufferView>();
  if (PyObject_GetBuffer(value.ptr(), &held->view, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  const Py_buffer& view = held->view;
  const Shape shape = Unwrap(Shape::Make(
      std::span<const int64_t>(reinterpret_cast<const int64_t*>(view.shape), static_cast<size_t>(view.ndim))));
  const int64_t size = shape.num_elements() * DTypeSize(dtype);
  if (!IsPlainData(dtype) || size != view.len) {
    throw StatusError(InvalidArgument("Tensor: a buffer of ", view.len, " bytes does not hold ", dtype, shape), true);
  }
  const bool aligned = reinterpret_cast<uintptr_t>(view.buf) % static_cast<uintptr_t>(DTypeSize(dtype)) == 0;
  if (borrowing == Borrowing::kLarge && size >= kBorrowFromBytes && aligned)
    return Tensor(dtype, shape, WrapExternal(view.buf, size, [held]() mutable { held.reset(); }));
  Tensor tensor = Unwrap(Tensor::Allocate(dtype, shape));
  if (size > 0) std::memcpy(tensor.mutable_raw(), view.buf, static_cast<size_t>(size));
  return tensor;
}

nb::dlpack::dtype ArrayTypeOf(DType dtype) {
  using nb::dlpack::dtype_code;
  const auto code =
      IsFloating(dtype)       ? dtype_code::Float
      : IsComplex(dtype)      ? dtype_code::Complex
      : dtype == DType::kBool ? dtype_code::Bool
      : dtype == DType::kUint8 || dtype == DType::kUint16 || dtype == DType::kUint32 || dtype == DType::kUint64
          ? dtype_code::UInt
          : dtype_code::Int;
  return {static_cast<uint8_t>(code), static_cast<uint8_t>(DTypeSize(dtype) * 8), 1};
}

nb::object StringsToPython(const Tensor& tensor) {
  nb::list items;
  for (const std::string& text : tensor.data<std::string>()) items.append(nb::bytes(text.data(), text.size()));
  nb::list shape;
  for (int i = 0; i < tensor.rank(); ++i) shape.append(tensor.dim(i));
  return nb::make_tuple(items, shape);
}

template <typename T> std::vector<T> ListOf(nb::handle value, T (*convert)(nb::handle)) {
  std::vector<T> list;
  for (nb::handle item : value) list.push_back(convert(item));
  return list;
}

int64_t IntOf(nb::handle value) { return nb::cast<int64_t>(value); }
float FloatOf(nb::handle value) { return static_cast<float>(nb::cast<double>(value)); }
bool BoolOf(nb::handle value) { return nb::cast<bool>(value); }
DType TypeOf(nb::handle value) { return static_cast<DType>(nb::cast<int>(value)); }
FunctionRef FunctionOf(nb::handle value) { return {BytesOf(value), nullptr}; }
Tensor TensorOf(nb::handle value) { return nb::cast<Tensor>(value); }

struct KindReader {
  const char* kind;
  AttrValue (*one)(nb::handle);
  AttrValue (*list)(nb::handle);
};

template <auto convert> AttrValue One(nb::handle value) { return convert(value); }
template <auto convert> AttrValue Many(nb::handle value) { return ListOf(value, +convert); }

constexpr KindReader kReaders[] = {
    {"int", One<IntOf>, Many<IntOf>},          {"float", One<FloatOf>, Many<FloatOf>},
    {"bool", One<BoolOf>, Many<BoolOf>},       {"string", One<BytesOf>, Many<BytesOf>},
    {"type", One<TypeOf>, Many<TypeOf>},       {"shape", One<ShapeFromPython>, Many<ShapeFromPython>},
    {"tensor", One<TensorOf>, Many<TensorOf>}, {"func", One<FunctionOf>, Many<FunctionOf>},
};

AttrValue AttrOfKind(std::string_view kind, nb::handle value) {
  const bool is_list = kind.starts_with("list(");
  if (is_list) kind = kind.substr(5, kind.size() - 6);
  for (const KindReader& reader : kReaders) {
    if (kind == reader.kind) return is_list ? reader.list(value) : reader.one(value);
  }
  throw StatusError(InvalidArgument("attributes of kind ", kind, " cannot be given"), true);
}

// An attribute that no signature describes ("_class", ...): of the kind that the Python value has.
AttrValue AttrOfValue(nb::handle value) {
  if (nb::isinstance<nb::bool_>(value)) return BoolOf(value);
  if (nb::isinstance<nb::int_>(value)) return IntOf(value);
  if (nb::isinstance<nb::float_>(value)) return FloatOf(value);
  if (nb::isinstance<nb::list>(value) || nb::isinstance<nb::tuple>(value)) return ListOf(value, BytesOf);
  return BytesOf(value);
}

nb::object Text(const std::string& text) { return nb::bytes(text.data(), text.size()); }

struct AttrWriter {
  nb::object operator()(std::monostate) const { return nb::none(); }
  nb::object operator()(bool value) const { return nb::cast(value); }
  nb::object operator()(int64_t value) const { return nb::cast(value); }
  nb::object operator()(float value) const { return nb::cast(value); }
  nb::object operator()(const std::string& value) const { return Text(value); }
  nb::object operator()(DType value) const { return nb::cast(static_cast<int>(value)); }
  nb::object operator()(const PartialShape& value) const { return ShapeToPython(value); }
  nb::object operator()(const Tensor& value) const { return nb::cast(value); }
  nb::object operator()(const FunctionRef& value) const { return nb::cast(value.name); }
  nb::object operator()(const AttrPlaceholder& value) const { return nb::cast(value.name); }
  template <typename T> nb::object operator()(const std::vector<T>& values) const {
    nb::list list;
    for (const auto& value : values) list.append((*this)(static_cast<const T&>(value)));
    return list;
  }
};

}  // namespace

void ThrowIfError(const Status& status, bool while_building) {
  if (!status.ok()) throw StatusError(status, while_building);
}

void BindErrors(nb::module_& module) {
  nb::register_exception_translator(Translate);
  module.def("set_exception_factory", [](nb::object factory) { ExceptionFactory() = std::move(factory); });
}

Tensor TensorFromPython(nb::handle value, DType dtype, Borrowing borrowing) {
  if (nb::isinstance<Tensor>(value)) return nb::cast<Tensor>(value);
  return dtype == DType::kString ? StringsFromPython(value) : BufferFromPython(value, dtype, borrowing);
}

nb::object TensorToPython(Tensor tensor) {
  if (tensor.dtype() == DType::kString) return StringsToPython(tensor);
  if (!IsPlainData(tensor.dtype())) return nb::cast(std::move(tensor));
  if (!tensor.OwnsBuffer()) tensor = Unwrap(tensor.Clone());
  auto* owned = new Tensor(std::move(tensor));
  nb::capsule owner(owned, [](void* pointer) noexcept { delete static_cast<Tensor*>(pointer); });
  std::vector<size_t> shape(owned->shape().dims().begin(), owned->shape().dims().end());
  return nb::cast(nb::ndarray<nb::numpy>(owned->mutable_raw(), shape.size(), shape.data(), owner, nullptr,
                                         ArrayTypeOf(owned->dtype())));
}

PartialShape ShapeFromPython(nb::handle value) {
  if (value.is_none()) return PartialShape();
  std::vector<int64_t> dims;
  for (nb::handle dim : value) dims.push_back(dim.is_none() ? PartialShape::kUnknownDim : nb::cast<int64_t>(dim));
  return PartialShape(std::move(dims));
}

nb::object ShapeToPython(const PartialShape& shape) {
  if (!shape.has_rank()) return nb::none();
  nb::list dims;
  for (const int64_t dim : shape.dims()) {
    if (dim == PartialShape::kUnknownDim)
      dims.append(nb::none());
    else
      dims.append(dim);
  }
  return dims;
}

AttrMap AttrsFromPython(const OpDefinition& definition, const nb::dict& values) {
  AttrMap attrs;
  for (const auto [key, value] : values) {
    auto name = nb::cast<std::string>(key);
    const AttrSignature* signature = definition.signature().FindAttr(name);
    try {
      attrs[name] = signature == nullptr ? AttrOfValue(value) : AttrOfKind(signature->kind, value);
    } catch (const nb::cast_error&) {
      const std::string text = nb::cast<std::string>(nb::repr(value));
      throw StatusError(InvalidArgument(definition.name(), ": attribute ", name, " is of kind ",
                                        signature == nullptr ? "unknown" : signature->kind, ", not ", text),
                        true);
    }
  }
  return attrs;
}

nb::object AttrToPython(const AttrValue& value) { return std::visit(AttrWriter(), value.value()); }

std::vector<Endpoint> EndpointsFromPython(const std::vector<PyEndpoint>& endpoints) {
  std::vector<Endpoint> result;
  for (const auto& [node, index] : endpoints) result.push_back({node, index});
  return result;
}

nb::object EndpointToPython(const Endpoint& endpoint, nb::handle graph) {
  if (!endpoint) return nb::none();
  return nb::make_tuple(nb::cast(endpoint.node, nb::rv_policy::reference_internal, graph), endpoint.index);
}

}  // namespace headrace::python
