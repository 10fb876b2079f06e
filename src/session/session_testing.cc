#include "session/session_testing.h"

#include <cstdio>
#include <mutex>

#include "base/check.h"
#include "executor/executor_testing.h"
#include "graph/shape_context.h"
#include "ops/register.h"

namespace headrace {

void RegisterSessionTestOps() {
  static std::once_flag once;
  std::call_once(once, [] {
    RegisterAllOps();
    for (const OpDefinition* definition : {&TestWait(), &TestFail(), &TestCount()}) {
      OpRegistry::Global().Add(OpDefinition(*definition).Shape(UnknownShape));
    }
  });
}

std::shared_ptr<TestCluster> TestCluster::Make(const std::vector<std::string>& tasks, int devices_per_task) {
  auto cluster = std::make_shared<TestCluster>();
  for (const std::string& task : tasks) cluster->Start(task, devices_per_task);
  return cluster;
}

std::shared_ptr<LocalWorker> TestCluster::Start(const std::string& task_name, int num_devices) {
  LocalWorkerOptions options;
  options.task_name = task_name;
  options.runtime = Runtime::Default();
  options.receiver = MakeDirectoryReceiver(weak_from_this());
  options.num_devices = num_devices;
  auto worker = std::make_shared<LocalWorker>(std::move(options));
  workers_[task_name] = worker;
  return worker;
}

std::vector<std::string> TestCluster::TaskNames() const {
  std::vector<std::string> names;
  for (const auto& [name, worker] : workers_) names.push_back(name);
  return names;
}

Result<std::shared_ptr<Worker>> TestCluster::Find(const std::string& task_name) {
  const auto found = workers_.find(task_name);
  if (found == workers_.end()) return NotFound("No task ", task_name);
  return found->second;
}

GraphSessionOptions TestCluster::Options(const std::string& master_task) {
  GraphSessionOptions options;
  options.workers = shared_from_this();
  options.master_task = master_task;
  options.master_incarnation = 1;
  options.runtime = Runtime::Default();
  return options;
}

Endpoint TestProgram::Op(const std::string& name, const std::string& op, std::vector<Endpoint> inputs, AttrMap attrs,
                         const std::string& device, std::vector<Node*> controls) {
  NodeOptions options;
  options.name = name;
  options.device = device;
  options.control_inputs = std::move(controls);
  Node* node = builder_.AddNode(op, std::move(inputs), std::move(attrs), std::move(options));
  if (!status_.ok()) std::fprintf(stderr, "%s\n", status_.ToString().c_str());
  HR_CHECK(node != nullptr);
  return Endpoint{node, 0};
}

Endpoint TestProgram::Placeholder(const std::string& name, const std::string& device) {
  return Op(name, "Placeholder", {}, {{"dtype", DType::kFloat}}, device);
}

Endpoint TestProgram::Const(const std::string& name, float value, const std::string& device) {
  return Op(name, "Const", {}, {{"value", Tensor::Scalar(value)}, {"dtype", DType::kFloat}}, device);
}

Endpoint TestProgram::Variable(const std::string& name, float initial, const std::string& device, Endpoint added) {
  const AttrMap dtype = {{"dtype", DType::kFloat}};
  const Endpoint handle =
      Op(name, "VarHandleOp", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}, {"shared_name", name}},
         device);
  Op(name + "/init", "AssignVariableOp", {handle, Const(name + "/initial", initial, device)}, dtype, device);
  if (added) Op(name + "/add", "AssignAddVariableOp", {handle, added}, dtype, device);
  return Op(name + "/read", "ReadVariableOp", {handle}, dtype, device);
}

GraphDef TestProgram::Def() {
  if (!status_.ok()) std::fprintf(stderr, "%s\n", status_.ToString().c_str());
  HR_CHECK(status_.ok());
  return ExportGraphDef(graph_);
}

}  // namespace headrace
