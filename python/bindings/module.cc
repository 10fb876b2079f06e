// The native half of the Python package: graphs, sessions, clusters and files of libheadrace.so. What is Python's own
// (scopes, collections, operators) is in ../headrace.
#include "gil.h"
#include "graph.h"
#include "ops/register.h"

NB_MODULE(_headrace, module) {
  headrace::RegisterAllOps();
  nanobind::set_leak_warnings(false);  // threads that the interpreter's end cuts off keep what they hold
  headrace::python::BindErrors(module);
  headrace::python::BindGraph(module);
  headrace::python::BindTraining(module);
  headrace::python::BindSession(module);
  headrace::python::BindCluster(module);
  headrace::python::BindFiles(module);
  headrace::python::BindHostFunctions(module);
  module.def("begin_exit", &headrace::python::BeginExit);
}
