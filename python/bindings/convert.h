// From Python values to Headrace's and back: statuses become exceptions, arrays become tensors, attributes either way.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace headrace::python {

namespace nb = nanobind;

/// Carries a status to the exception translator, which makes the Python exception of its code.
struct StatusError : std::exception {
  StatusError(Status error, bool building) : status(std::move(error)), while_building(building) {}
  const char* what() const noexcept override { return status.message().c_str(); }
  Status status;
  bool while_building;  // a mistake in the program's graph: ValueError in place of InvalidArgumentError
};

void ThrowIfError(const Status& status, bool while_building = false);

template <typename T> T Unwrap(Result<T> result, bool while_building = false) {
  ThrowIfError(result.status(), while_building);
  return *std::move(result);
}

/// Makes the module's exception translator, which calls set_exception_factory's function(code, message, while_building).
void BindErrors(nb::module_& module);

/// Whether a tensor may be on the memory of the array that it is made from.
enum class Borrowing { kNever, kLarge };
inline constexpr int64_t kBorrowFromBytes = 64 * 1024;  // below, a copy is cheaper than keeping the array

/// A contiguous buffer of the dtype's elements; (list of bytes, shape) for strings; or a bound Tensor. A borrowed array is
/// kept, and must not be written to, until the tensor goes.
/// Errors (thrown): kInvalidArgument for a buffer that is not contiguous or of another size.
Tensor TensorFromPython(nb::handle value, DType dtype, Borrowing borrowing);
/// A numpy array, without a copy when the tensor is the only owner of its buffer; (list of bytes, shape) for strings; the
/// bound Tensor for resources and variants.
nb::object TensorToPython(Tensor tensor);

PartialShape ShapeFromPython(nb::handle value);
/// None for an unknown rank, else a list with None for unknown extents.
nb::object ShapeToPython(const PartialShape& shape);

/// Reads `values` as attributes of `definition`'s kinds. Errors (thrown): kInvalidArgument, naming op and attribute.
AttrMap AttrsFromPython(const OpDefinition& definition, const nb::dict& values);
nb::object AttrToPython(const AttrValue& value);

using PyEndpoint = std::pair<Node*, int>;
std::vector<Endpoint> EndpointsFromPython(const std::vector<PyEndpoint>& endpoints);
nb::object EndpointToPython(const Endpoint& endpoint, nb::handle graph);

}  // namespace headrace::python
