// Python functions that graphs call by token (PyFunc). The engine's registry gets a function for each token that takes the GIL and
// hands the call to the package's dispatcher, dispatch(token, [(value, dtype)]), which returns (0, [(value, dtype)]) or, after an
// exception, (code of the status, text). The functions themselves stay in Python, where what they refer to can be collected.
#include "kernel/host_functions.h"

#include <cxxabi.h>
#include <nanobind/stl/string.h>

#include "convert.h"
#include "gil.h"
#include "graph.h"

namespace headrace::python {
namespace {

nb::object& Dispatcher() {
  static auto* dispatcher = new nb::object();  // outlives the interpreter's end on purpose
  return *dispatcher;
}

nb::object ToPython(std::vector<Tensor> tensors) {
  nb::list list;
  for (Tensor& tensor : tensors) {
    const int dtype = static_cast<int>(tensor.dtype());
    list.append(nb::make_tuple(TensorToPython(std::move(tensor)), dtype));
  }
  return list;
}

Result<std::vector<Tensor>> FromPython(nb::handle outcome) {
  const auto pair = nb::cast<nb::tuple>(outcome);
  const auto code = static_cast<Code>(nb::cast<int>(pair[0]));
  if (code != Code::kOk) return Status(code, nb::cast<std::string>(pair[1]));
  std::vector<Tensor> results;
  for (nb::handle item : nb::cast<nb::list>(pair[1])) {
    const auto value = nb::cast<nb::tuple>(item);
    // Copied: the function may go on writing to its array.
    results.push_back(TensorFromPython(value[0], static_cast<DType>(nb::cast<int>(value[1])), Borrowing::kNever));
  }
  return results;
}

/// The end of the interpreter unwinds a thread that wants the GIL back. This one stays where it is instead, as the frames above would
/// let go of Python's objects, and nothing here is to be destroyed meanwhile.
PyObject* CallDispatcher(PyObject* arguments) {
  try {
    return PyObject_CallObject(Dispatcher().ptr(), arguments);
  } catch (abi::__forced_unwind&) {
    StayForEver();
  }
}

/// The GIL is held.
Result<std::vector<Tensor>> Dispatch(const std::string& token, std::vector<Tensor> args) {
  try {
    const nb::object arguments = nb::make_tuple(token, ToPython(std::move(args)));
    const nb::object outcome = nb::steal(CallDispatcher(arguments.ptr()));
    if (!outcome.is_valid()) throw nb::python_error();
    return FromPython(outcome);
  } catch (const StatusError& error) {
    return error.status;
  } catch (const nb::python_error& error) {
    return Unknown(error.what());
  } catch (const nb::cast_error&) {
    return Internal("the dispatcher of Python functions returned something else than an outcome");
  }
}

Result<std::vector<Tensor>> Call(const std::string& token, std::vector<Tensor> args) {
  const GilAcquire gil;
  if (!gil.held()) return Cancelled("callback ", token, " was not called: its interpreter is ending");
  return Dispatch(token, std::move(args));
}

}  // namespace

void BindHostFunctions(nb::module_& module) {
  module.def("set_host_dispatcher", [](nb::object dispatcher) { Dispatcher() = std::move(dispatcher); });
  module.def("add_host_function", [](const std::string& token) {
    HostFunctions::Global().Add(token, [token](std::vector<Tensor> args) { return Call(token, std::move(args)); });
  });
  module.def("remove_host_function", [](const std::string& token) { HostFunctions::Global().Remove(token); });
}

}  // namespace headrace::python
