// Clusters: their description, the server of one task, and device setters.
#include <nanobind/stl/function.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/set.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "cluster/cluster_spec.h"
#include "cluster/server.h"
#include "gil.h"
#include "graph.h"
#include "graph/device_name.h"
#include "train/device_setter.h"

namespace headrace::python {
namespace {

std::shared_ptr<Server> StartServer(const std::string& cluster, const std::string& job, int task,
                                    const std::string& bind_address, bool insecure) {
  ServerOptions options;
  options.cluster = Unwrap(ClusterSpec::Parse(cluster), true);
  options.job = job;
  options.task = task;
  options.bind_address = bind_address;
  options.insecure = insecure;
  const GilRelease release;
  return Unwrap(Server::Start(std::move(options)));
}

std::string MergedDevice(const std::string& outer, const std::string& inner) {
  const DeviceName outer_name = Unwrap(DeviceName::Parse(outer), true);
  return outer_name.MergedWith(Unwrap(DeviceName::Parse(inner), true)).ToString();
}

}  // namespace

void BindCluster(nb::module_& module) {
  nb::class_<Server>(module, "Server")
      .def_prop_ro("target", [](const Server& server) { return server.target(); })
      .def_prop_ro("address", [](const Server& server) { return server.address(); })
      .def("stop", &Server::Stop, nb::call_guard<GilRelease>())
      .def("join", &Server::Join, nb::call_guard<GilRelease>());
  module.def("start_server", StartServer, nb::arg("cluster"), nb::arg("job"), nb::arg("task"), nb::arg("bind_address"),
             nb::arg("insecure"));
  module.def(
      "cluster_json", [](const std::string& text) { return Unwrap(ClusterSpec::Parse(text), true).ToJson(); },
      "Reads a cluster in any of its forms and checks it; returns it as JSON.");
  module.def("merge_devices", MergedDevice, nb::arg("outer"), nb::arg("inner"));
  module.def("replica_device_setter", [](int ps_tasks, const std::string& ps_device, const std::string& worker_device,
                                         const std::set<std::string>& ps_ops) {
    return train::ReplicaDeviceSetter(
        {.ps_tasks = ps_tasks, .ps_device = ps_device, .worker_device = worker_device, .ps_ops = ps_ops});
  });
  module.def("default_ps_ops", [] { return train::DefaultPsOps(); });
}

}  // namespace headrace::python
