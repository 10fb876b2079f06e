// What trains: variables, optimizers, savers. The graph parts are those of the C++ API.
#include <nanobind/stl/function.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <optional>

#include "graph.h"
#include "train/meta_graph.h"
#include "train/optimizer.h"
#include "train/saver.h"
#include "train/variable.h"

namespace headrace::python {
namespace {

using train::OptimizerDefinition;
using train::VariableNodes;

/// How a variable is made, as Python says it.
struct PyVariableOptions {
  std::string name;
  int dtype = 0;
  PartialShape shape;
  bool trainable = true;
  std::string container;
  bool use_resource = true;
  std::optional<train::VariableSlice> slice;
};

VariableNodes MakeVariable(nb::handle self, const Context& context, const PyVariableOptions& wanted,
                           const nb::callable& initial_value) {
  auto& graph = nb::cast<PyGraph&>(self);
  train::VariableOptions options{.name = wanted.name,
                                 .dtype = static_cast<DType>(wanted.dtype),
                                 .shape = wanted.shape,
                                 .trainable = wanted.trainable,
                                 .container = wanted.container,
                                 .use_resource = wanted.use_resource,
                                 .slice = wanted.slice};
  options.initial_value = [&](const GraphBuilder& builder) {
    Node* handle = graph.graph.Nodes().back();  // the variable's, made just before
    const nb::object value =
        initial_value(builder.name_prefix(), nb::cast(handle, nb::rv_policy::reference_internal, self));
    const auto [node, index] = nb::cast<PyEndpoint>(value);
    return Endpoint{node, index};
  };
  train::VariableCollection made;
  const VariableNodes variable =
      graph.Run([&](const GraphBuilder&) { return train::BuildVariable(context.In(graph), options, &made); });
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

using PyHyperparameters = std::map<std::string, PyEndpoint>;

// Returns the operation that updates everything, and the variables that were made on the way (slots).
nb::object Apply(nb::handle self, const Context& context, const OptimizerDefinition& optimizer,
                 train::OptimizerState& state, const nb::list& gradients, const std::vector<VariableNodes>& variables,
                 const VariableNodes* global_step, const std::string& name, const std::string& slot_scope,
                 const PyHyperparameters& hyperparameters) {
  auto& graph = nb::cast<PyGraph&>(self);
  std::vector<train::GradientAndVariable> pairs;
  for (size_t i = 0; i < variables.size(); ++i) pairs.push_back({GradientFromPython(gradients[i]), variables[i]});
  train::VariableCollection made;
  train::ApplyOptions options{.global_step = global_step, .name = name, .slot_scope = slot_scope, .state = &state};
  for (const auto& [key, endpoint] : hyperparameters)
    options.hyperparameters[key] = Endpoint{endpoint.first, endpoint.second};
  Node* update = graph.Run([&](const GraphBuilder&) {
    return Unwrap(train::ApplyGradients(context.In(graph), optimizer, pairs, &made, options), true);
  });
  return nb::make_tuple(nb::cast(update, nb::rv_policy::reference_internal, self), nb::cast(made));
}

// Returns the nodes of a saver: filename tensor, save tensor, restore operation.
nb::object MakeSaver(nb::handle self, const Context& context, const std::vector<std::string>& keys,
                     const std::vector<VariableNodes>& variables, const std::string& name, bool sharded, bool reshape) {
  auto& graph = nb::cast<PyGraph&>(self);
  std::vector<train::SavedVariable> saved;
  for (size_t i = 0; i < variables.size(); ++i) saved.push_back({keys[i], variables[i]});
  const train::SaverNodes nodes = graph.Run([&](const GraphBuilder&) {
    return Unwrap(
        train::BuildSaver(context.In(graph), std::move(saved), {.name = name, .sharded = sharded, .reshape = reshape}),
        true);
  });
  return nb::make_tuple(EndpointToPython(nodes.filename, self), EndpointToPython(nodes.save, self),
                        nb::cast(nodes.restore_all, nb::rv_policy::reference_internal, self));
}

nb::bytes ToBytes(const std::string& text) { return nb::bytes(text.data(), text.size()); }

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
      .def_prop_ro("snapshot", endpoint(&VariableNodes::snapshot))
      .def_prop_ro("is_ref", &VariableNodes::is_ref)
      .def_prop_ro("slice",
                   [](const VariableNodes& variable) -> nb::object {
                     if (!variable.slice) return nb::none();
                     return nb::make_tuple(variable.slice->full_name, variable.slice->full_shape,
                                           variable.slice->offset);
                   })
      .def("encode", [](const VariableNodes& variable) { return ToBytes(train::EncodeVariable(variable)); });
  module.def("decode_variable", [](const nb::bytes& bytes, const PyGraph& graph, const std::string& import_scope) {
    return Unwrap(train::DecodeVariable({bytes.c_str(), bytes.size()}, graph.graph, import_scope), true);
  });
  nb::class_<PyVariableOptions>(module, "VariableOptions")
      .def(
          "__init__",
          [](PyVariableOptions* self, std::string name, int dtype, nb::handle shape, bool trainable,
             std::string container, bool use_resource, nb::handle slice) {
            new (self) PyVariableOptions{
                std::move(name), dtype, ShapeFromPython(shape), trainable, std::move(container), use_resource, {}};
            if (slice.is_none()) return;
            const auto parts = nb::cast<nb::tuple>(slice);
            self->slice =
                train::VariableSlice{nb::cast<std::string>(parts[0]), nb::cast<std::vector<int64_t>>(parts[1]),
                                     nb::cast<std::vector<int64_t>>(parts[2])};
          },
          nb::arg("name"), nb::arg("dtype"), nb::arg("shape").none(), nb::kw_only(), nb::arg("trainable"),
          nb::arg("container") = "", nb::arg("use_resource") = true, nb::arg("slice").none() = nb::none());
}

void BindOptimizers(nb::module_& module) {
  nb::class_<train::OptimizerState>(module, "OptimizerState")
      .def(nb::init<>())
      .def_ro("slots", &train::OptimizerState::slots)
      .def_ro("powers", &train::OptimizerState::powers);
  nb::class_<OptimizerDefinition>(module, "OptimizerDefinition")
      .def_rw("name", &OptimizerDefinition::name)
      .def("name_slot",
           [](OptimizerDefinition& definition, const std::string& slot_name, const std::string& variable_name) {
             for (train::SlotDefinition& slot : definition.slots) {
               if (slot.name == slot_name) slot.variable_name = variable_name;
             }
           })
      .def_prop_ro("slot_names",
                   [](const OptimizerDefinition& definition) {
                     std::vector<std::string> names;
                     for (const train::SlotDefinition& slot : definition.slots) names.push_back(slot.name);
                     return names;
                   })
      .def_prop_ro("hyperparameters", [](const OptimizerDefinition& definition) {
        std::vector<std::string> names;
        for (const auto& [name, value] : definition.hyperparameters) names.push_back(name);
        return names;
      });
  module.def("apply_gradients", Apply, nb::arg("graph"), nb::arg("context"), nb::arg("optimizer"), nb::arg("state"),
             nb::arg("gradients"), nb::arg("variables"), nb::arg("global_step").none(), nb::arg("name"),
             nb::arg("slot_scope"), nb::arg("hyperparameters"));
  module.def("gradient_descent", train::GradientDescent);
  module.def("momentum", train::Momentum);
  module.def("adagrad", train::Adagrad);
  module.def("adadelta", train::Adadelta);
  module.def("adam", train::Adam);
  module.def("rms_prop", [](double learning_rate, double decay, double momentum, double epsilon, bool centered) {
    return train::RmsProp(learning_rate,
                          {.decay = decay, .momentum = momentum, .epsilon = epsilon, .centered = centered});
  });
  module.def("ftrl", [](double learning_rate, double power, double initial, double l1, double l2, double beta,
                        double shrinkage) {
    return train::Ftrl(learning_rate, {.learning_rate_power = power,
                                       .initial_accumulator_value = initial,
                                       .l1_regularization_strength = l1,
                                       .l2_regularization_strength = l2,
                                       .l2_shrinkage_regularization_strength = shrinkage,
                                       .beta = beta});
  });
  const auto proximal = [](OptimizerDefinition (*make)(double, const train::ProximalOptions&)) {
    return [make](double learning_rate, double l1, double l2, double initial) {
      return make(
          learning_rate,
          {.l1_regularization_strength = l1, .l2_regularization_strength = l2, .initial_accumulator_value = initial});
    };
  };
  module.def("proximal_gradient_descent", proximal(train::ProximalGradientDescent));
  module.def("proximal_adagrad", proximal(train::ProximalAdagrad));
  module.def("adagrad_da", proximal(train::AdagradDa));
}

}  // namespace

void BindTraining(nb::module_& module) {
  BindVariable(module);
  module.def("make_variable", MakeVariable, nb::arg("graph"), nb::arg("context"), nb::arg("options"),
             nb::arg("initial_value"));
  BindOptimizers(module);
  module.def("make_saver", MakeSaver);
}

}  // namespace headrace::python
