// A cluster inside the test program, and graphs for it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/import.h"
#include "session/graph_session.h"
#include "session/local_worker.h"

namespace headrace {

/// Registers the ops that these tests use, once: the real ones, and TestWait, TestFail and TestCount.
void RegisterSessionTestOps();

/// Tasks of one process that know each other. A task may be replaced, as if it had been restarted.
class TestCluster final : public WorkerDirectory, public std::enable_shared_from_this<TestCluster> {
 public:
  /// Task names without replica: "/job:ps/task:0".
  static std::shared_ptr<TestCluster> Make(const std::vector<std::string>& tasks, int devices_per_task = 1);

  std::vector<std::string> TaskNames() const override;
  Result<std::shared_ptr<Worker>> Find(const std::string& task_name) override;
  std::string AddressOf(const std::string& task_name) const override { return "address of " + task_name; }

  std::shared_ptr<LocalWorker> Start(const std::string& task_name, int num_devices = 1);
  void Replace(const std::string& task_name, std::shared_ptr<Worker> worker) {
    workers_[task_name] = std::move(worker);
  }
  LocalWorker& LocalAt(const std::string& task_name) { return dynamic_cast<LocalWorker&>(*workers_.at(task_name)); }

  GraphSessionOptions Options(const std::string& master_task);

 private:
  std::map<std::string, std::shared_ptr<Worker>> workers_;
};

inline constexpr char kPs[] = "/job:ps/replica:0/task:0";
inline constexpr char kWorker0[] = "/job:worker/replica:0/task:0";
inline constexpr char kWorker1[] = "/job:worker/replica:0/task:1";

/// Builds a GraphDef; a fault in building it ends the test program.
class TestProgram {
 public:
  TestProgram() : builder_(&graph_, &status_) { RegisterSessionTestOps(); }
  /// A node of the name, and its output 0.
  Endpoint Op(const std::string& name, const std::string& op, std::vector<Endpoint> inputs, AttrMap attrs = {},
              const std::string& device = "", std::vector<Node*> controls = {});
  Endpoint Placeholder(const std::string& name, const std::string& device = "");
  Endpoint Const(const std::string& name, float value, const std::string& device = "");
  /// A variable "NAME" with "NAME/init", "NAME/read" and "NAME/add" (adds the endpoint).
  Endpoint Variable(const std::string& name, float initial, const std::string& device, Endpoint added = {});
  GraphDef Def();

 private:
  Graph graph_;
  Status status_;
  GraphBuilder builder_;
};

}  // namespace headrace
