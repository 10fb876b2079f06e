// What trains: variables, optimizers, savers. The graph parts are those of the C++ API.
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "graph.h"
#include "train/optimizer.h"
#include "train/saver.h"
#include "train/variable.h"

namespace headrace::python {
namespace {

using train::OptimizerDefinition;
using train::VariableNodes;

VariableNodes MakeVariable(nb::handle self, const Context& context, const std::string& name, int dtype,
                           nb::handle shape, const nb::callable& initial_value, bool trainable,
                           const std::string& container) {
  auto& graph = nb::cast<PyGraph&>(self);
  train::VariableOptions options;
  options.name = name;
  options.dtype = static_cast<DType>(dtype);
  options.shape = ShapeFromPython(shape);
  options.trainable = trainable;
  options.container = container;
  options.initial_value = [&](const GraphBuilder& builder) {
    Node* handle = graph.graph.Nodes().back();  // the variable's, made just before
    const nb::object value =
        initial_value(builder.name_prefix(), nb::cast(handle, nb::rv_policy::reference_internal, self));
    const auto [node, index] = nb::cast<PyEndpoint>(value);
    return Endpoint{node, index};
  };
  train::VariableCollection made;
  const VariableNodes variable = graph.Run(
      [&](const GraphBuilder&) { return train::BuildVariable(context.In(graph), options, &made); });
  ThrowIfError(graph.status, true);
  return variable;
}

Gradient GradientFromPython(nb::handle value) {
  const auto parts = nb::cast<nb::tuple>(value);
  if (parts.size() == 2) {
    const auto [node, index] = nb::cast<PyEndpoint>(value);
    return Endpoint{node, index};
  }
  const auto endpoint = [&](size_t i) {
    if (parts[i].is_none()) return Endpoint{};
    const auto [node, index] = nb::cast<PyEndpoint>(parts[i]);
    return Endpoint{node, index};
  };
  return IndexedSlices{endpoint(0), endpoint(1), endpoint(2)};
}

// Returns the operation that updates everything, and the variables that were made on the way (slots).
nb::object Apply(nb::handle self, const Context& context, const OptimizerDefinition& optimizer, const nb::list& gradients,
                 const std::vector<VariableNodes>& variables, const VariableNodes* global_step,
                 const std::string& name) {
  auto& graph = nb::cast<PyGraph&>(self);
  std::vector<train::GradientAndVariable> pairs;
  for (size_t i = 0; i < variables.size(); ++i) pairs.push_back({GradientFromPython(gradients[i]), variables[i]});
  train::VariableCollection made;
  train::ApplyOptions options{.global_step = global_step, .name = name};
  Node* update = graph.Run([&](const GraphBuilder&) {
    return Unwrap(train::ApplyGradients(context.In(graph), optimizer, pairs, &made, options), true);
  });
  return nb::make_tuple(nb::cast(update, nb::rv_policy::reference_internal, self), nb::cast(made));
}

void BindVariable(nb::module_& module) {
  const auto endpoint = [](Endpoint VariableNodes::*member) {
    return [member](const VariableNodes& variable) -> nb::object {
      const Endpoint& value = variable.*member;
      if (!value) return nb::none();
      return nb::make_tuple(value.node->id(), value.index);
    };
  };
  nb::class_<VariableNodes>(module, "VariableNodes")
      .def_ro("name", &VariableNodes::name)
      .def_prop_ro("dtype", [](const VariableNodes& variable) { return static_cast<int>(variable.dtype); })
      .def_prop_ro("shape", [](const VariableNodes& variable) { return ShapeToPython(variable.shape); })
      .def_ro("trainable", &VariableNodes::trainable)
      .def_prop_ro("handle", endpoint(&VariableNodes::handle))
      .def_prop_ro("initial_value", endpoint(&VariableNodes::initial_value))
      .def_prop_ro("initializer", [](const VariableNodes& variable) { return variable.initializer->id(); })
      .def_prop_ro("is_initialized", endpoint(&VariableNodes::is_initialized))
      .def_prop_ro("snapshot", endpoint(&VariableNodes::snapshot));
}

}  // namespace

void BindTraining(nb::module_& module) {
  BindVariable(module);
  module.def("make_variable", MakeVariable, nb::arg("graph"), nb::arg("context"), nb::arg("name"), nb::arg("dtype"),
             nb::arg("shape").none(), nb::arg("initial_value"), nb::arg("trainable"), nb::arg("container"));
  nb::class_<OptimizerDefinition>(module, "OptimizerDefinition")
      .def_ro("name", &OptimizerDefinition::name)
      .def_prop_ro("slot_names", [](const OptimizerDefinition& definition) {
        std::vector<std::string> names;
        for (const train::SlotDefinition& slot : definition.slots) names.push_back(slot.name);
        return names;
      })
      .def_prop_ro("power_names", [](const OptimizerDefinition& definition) {
        std::vector<std::string> names;
        for (const auto& [variable, hyperparameter] : definition.powers) names.push_back(variable);
        return names;
      });
  module.def("apply_gradients", Apply, nb::arg("graph"), nb::arg("context"), nb::arg("optimizer"), nb::arg("gradients"),
             nb::arg("variables"), nb::arg("global_step").none(), nb::arg("name"));
  module.def("gradient_descent", train::GradientDescent);
  module.def("momentum", train::Momentum);
  module.def("adagrad", train::Adagrad);
  module.def("adam", train::Adam);
  module.def("ftrl", [](double learning_rate, double power, double initial, double l1, double l2, double beta) {
    return train::Ftrl(learning_rate, {power, initial, l1, l2, beta});
  });
}

}  // namespace headrace::python
