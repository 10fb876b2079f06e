// See place.h. First the groups of nodes that stay together (colocation.h), then one device for each group.
#include "passes/place.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "graph/device_name.h"
#include "os/log.h"
#include "passes/colocation.h"

namespace headrace {
namespace {

struct Candidate {
  const PlacementDevice* device;
  DeviceName name;
  bool local;
};

bool IsMetadataOp(const Node& node) { return node.op() == "Shape" || node.op() == "Size" || node.op() == "Rank"; }

// A node that makes one value out of nothing: it belongs where the value is used.
bool IsSource(const Node& node) {
  return node.num_inputs() == 0 && node.num_outputs() == 1 && !IsRef(node.output_types().front());
}

class Placer {
 public:
  Placer(Graph* graph, const PlacementOptions& options)
      : graph_(graph), options_(options), groups_(*graph), device_of_root_(static_cast<size_t>(graph->num_ids())) {}

  Status ReadDevices(const std::vector<PlacementDevice>& devices);
  Status Run();

 private:
  Status FindDeviceTypes();
  Status PlaceInOrder(const std::vector<Node*>& order);
  Status PlaceSources(const std::vector<Node*>& sources);
  /// The devices that node's group may have, best first.
  Result<std::vector<const Candidate*>> CandidatesFor(const Node& node, int root) const;
  std::vector<const Candidate*> Matching(const DeviceName& wish, const std::set<std::string>& types) const;
  Status NoCandidate(const Node& node, const DeviceName& wish) const;
  Status AssignFirst(Node* node);
  std::string DeviceList() const;

  Graph* graph_;
  const PlacementOptions& options_;
  ColocationGroups groups_;
  std::vector<Candidate> candidates_;                   // best first
  std::map<int, std::set<std::string>> types_of_root_;  // device types that have kernels for the whole group
  std::vector<std::string> device_of_root_;             // empty: not decided yet
};

Status Placer::ReadDevices(const std::vector<PlacementDevice>& devices) {
  for (const PlacementDevice& device : devices) {
    HR_ASSIGN_OR_RETURN(DeviceName name, DeviceName::ParseFull(device.name));
    const bool local = !options_.local_task.empty() && name.TaskName() == options_.local_task;
    candidates_.push_back({&device, std::move(name), local});
  }
  if (candidates_.empty()) return InvalidArgument("Placement: there is no device");
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    const bool a_cpu = a.device->device_type == kCpu, b_cpu = b.device->device_type == kCpu;
    if (a_cpu != b_cpu) return b_cpu;
    if (a.local != b.local) return a.local;
    return a.device->name < b.device->name;
  });
  return OkStatus();
}

Status Placer::FindDeviceTypes() {
  std::set<std::string> all;
  for (const Candidate& candidate : candidates_) all.insert(candidate.device->device_type);
  for (const Node* node : graph_->Nodes()) {
    std::set<std::string> supported;
    Status why;
    for (const std::string& type : all) {
      const Status found = node->definition().FindKernel(type, node->attrs()).status();
      if (found.ok()) supported.insert(type);
      KeepRootCause(&why, found);
    }
    if (supported.empty()) {
      return InvalidArgument("No OpKernel was registered to support Op '", node->op(), "' used by {{node ",
                             node->name(), "}}: ", why.message());
    }
    const auto [entry, is_new] = types_of_root_.try_emplace(groups_.RootOf(node->id()), supported);
    if (!is_new) std::erase_if(entry->second, [&](const std::string& type) { return !supported.contains(type); });
  }
  return OkStatus();
}

std::vector<const Candidate*> Placer::Matching(const DeviceName& wish, const std::set<std::string>& types) const {
  std::vector<const Candidate*> matching;
  for (const Candidate& candidate : candidates_) {
    if (wish.Matches(candidate.name) && types.contains(candidate.device->device_type)) matching.push_back(&candidate);
  }
  return matching;
}

Result<std::vector<const Candidate*>> Placer::CandidatesFor(const Node& node, int root) const {
  const DeviceName& wish = groups_.WishOf(root);
  const std::set<std::string>& types = types_of_root_.at(root);
  std::vector<const Candidate*> matching = Matching(wish, types);
  if (matching.empty() && options_.allow_soft_placement) {
    DeviceName task = wish;
    task.type.reset();
    task.id.reset();
    matching = Matching(task, types);
  }
  if (matching.empty()) return NoCandidate(node, wish);
  return matching;
}

Status Placer::NoCandidate(const Node& node, const DeviceName& wish) const {
  const bool exists = std::ranges::any_of(candidates_, [&](const Candidate& c) { return wish.Matches(c.name); });
  if (exists) {
    return InvalidArgument("Cannot assign a device for operation ", node.name(),
                           ": Could not satisfy explicit device specification '", wish,
                           "' because no supported kernel for ", wish.type.value_or(std::string(kCpu)),
                           " devices is available. [[{{node ", node.name(), "}}]]");
  }
  return InvalidArgument("Cannot assign a device for operation ", node.name(), ": {{node ", node.name(),
                         "}} was explicitly assigned to ", wish, " but available devices are [ ", DeviceList(),
                         " ]. Make sure the device specification refers to a valid device. [[{{node ", node.name(),
                         "}}]]");
}

std::string Placer::DeviceList() const {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates_) names.push_back(candidate.device->name);
  std::ranges::sort(names);
  return StrJoin(names, ", ");
}

Status Placer::AssignFirst(Node* node) {
  const int root = groups_.RootOf(node->id());
  std::string& device = device_of_root_[static_cast<size_t>(root)];
  if (device.empty()) {
    HR_ASSIGN_OR_RETURN(const std::vector<const Candidate*> candidates, CandidatesFor(*node, root));
    device = candidates.front()->device->name;
    // Shape, Size and Rank of something that is placed already go there, as far as nothing else ties them.
    if (IsMetadataOp(*node) && groups_.SizeOf(root) == 1 && node->num_inputs() == 1 && node->input(0).node != nullptr) {
      const std::string& wanted = node->input(0).node->assigned_device();
      for (const Candidate* candidate : candidates) {
        if (candidate->device->name == wanted) device = wanted;
      }
    }
  }
  node->set_assigned_device(device);
  return OkStatus();
}

Status Placer::PlaceInOrder(const std::vector<Node*>& order) {
  std::vector<Node*> sources;
  for (Node* node : order) {
    if (!node->assigned_device().empty()) continue;
    if (IsSource(*node) && groups_.SizeOf(groups_.RootOf(node->id())) == 1) {
      sources.push_back(node);
    } else {
      HR_RETURN_IF_ERROR(AssignFirst(node));
    }
  }
  return PlaceSources(sources);
}

Status Placer::PlaceSources(const std::vector<Node*>& sources) {
  if (sources.empty()) return OkStatus();
  const std::vector<std::vector<Consumer>> consumers = graph_->Consumers();
  for (Node* node : sources) {
    std::string wanted;
    bool agree = true;
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      if (consumer.input < 0) continue;
      const std::string& device = consumer.node->assigned_device();
      if (wanted.empty()) wanted = device;
      agree = agree && device == wanted;
    }
    const int root = groups_.RootOf(node->id());
    HR_ASSIGN_OR_RETURN(const std::vector<const Candidate*> candidates, CandidatesFor(*node, root));
    node->set_assigned_device(candidates.front()->device->name);
    for (const Candidate* candidate : candidates) {
      if (agree && candidate->device->name == wanted) node->set_assigned_device(wanted);
    }
  }
  return OkStatus();
}

Status Placer::Run() {
  HR_RETURN_IF_ERROR(groups_.Build(options_.allow_soft_placement));
  HR_RETURN_IF_ERROR(FindDeviceTypes());
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_->TopologicalOrder());
  for (const Node* node : order) {
    if (!node->assigned_device().empty()) {
      device_of_root_[static_cast<size_t>(groups_.RootOf(node->id()))] = node->assigned_device();
    }
  }
  return PlaceInOrder(order);
}

}  // namespace

Status Place(Graph* graph, const std::vector<PlacementDevice>& devices, const PlacementOptions& options) {
  Placer placer(graph, options);
  HR_RETURN_IF_ERROR(placer.ReadDevices(devices));
  HR_RETURN_IF_ERROR(placer.Run());
  if (options.log_device_placement) LogInfo("placement", "device placement:\n", PlacementTable(*graph));
  return OkStatus();
}

std::string PlacementTable(const Graph& graph) {
  std::vector<Node*> nodes = graph.Nodes();
  std::ranges::sort(nodes, {}, [](const Node* node) { return node->name(); });
  size_t name_width = 4, op_width = 2;
  for (const Node* node : nodes) {
    name_width = std::max(name_width, node->name().size());
    op_width = std::max(op_width, node->op().size());
  }
  const auto row = [&](const std::string& name, const std::string& op, const std::string& device) {
    return StrCat(name, std::string(name_width - name.size() + 2, ' '), op, std::string(op_width - op.size() + 2, ' '),
                  device, "\n");
  };
  std::string table = row("node", "op", "device");
  for (const Node* node : nodes) table += row(node->name(), node->op(), node->assigned_device());
  return table;
}

}  // namespace headrace
