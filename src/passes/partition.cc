// See partition.h. Nodes are copied in topological order, so that an edge's source exists before it is sent.
//
// A loop that spans partitions turns in each of them: a receive inside of it waits for a merge of the loop there, its driver, which
// places it in the frame and starts it in every iteration. A partition without such a merge of its own gets a control loop
// (Const, Enter, Merge, Switch, NextIteration) that turns as long as the received condition is true.
#include "passes/partition.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/device_name.h"
#include "graph/import.h"
#include "passes/loop_devices.h"

namespace headrace {
namespace {

constexpr int64_t kMaxRepeatedBytes = 4096;  // of a constant: sending it each step costs more than having it twice

bool IsRepeatable(const Node& node) {
  if (node.op() != "Const" || !node.control_inputs().empty()) return false;
  const auto value = node.attrs().find("value");
  const Tensor* tensor = value == node.attrs().end() ? nullptr : value->second.As<Tensor>();
  return tensor != nullptr && tensor->size_bytes() <= kMaxRepeatedBytes;
}

// A dead output does not mean that the node did not run: its outputs cannot stand for its control edge.
bool MayHaveDeadOutputs(const Node& node) {
  return node.op().find("Switch") != std::string::npos || node.op().find("Merge") != std::string::npos;
}

class Partitioner {
 public:
  Partitioner(const Graph& graph, LoopFrames loops, const PartitionOptions& options)
      : graph_(graph),
        options_(options),
        loops_(std::move(loops)),
        devices_(DevicesWithLoopsTogether(graph, loops_)),
        placed_(static_cast<size_t>(graph.num_ids())) {}

  Result<std::map<std::string, Graph>> Run();

 private:
  // Where an original node went.
  struct Placed {
    Graph* partition = nullptr;
    Node* copy = nullptr;
  };
  // A partition's side of a node, an original or one that is added.
  struct Place {
    Graph* partition;
    std::string device;
  };
  struct AddOptions {
    Graph* partition;
    std::string device;
    AttrMap attrs = {};
    std::vector<Endpoint> inputs = {};
    std::vector<Node*> control_inputs = {};
  };

  Status FindPartitions();
  Status CopyNode(const Node& node);
  Status CloseLoops(const Node& node);
  Status CopyControl(const Node& node);
  /// What holds `source` in the consumer's partition.
  Result<Endpoint> Bring(const Endpoint& source, const Place& to);
  /// What finishes after `source` in the consumer's partition.
  Result<Node*> BringControl(const Node& source, const Node& consumer);
  /// Sends a node's copy's output from its partition to another.
  Result<Endpoint> Transfer(const Node& source, const Endpoint& output, const Place& to);
  /// Sees to it that each partition's part of a loop has a driver.
  Status AddDrivers();
  void FindDrivers();
  Result<Node*> AddControlLoop(int frame, const Endpoint& condition, const Place& at);
  Result<Node*> Add(std::string_view op, const Node& source, char kind, AddOptions options);

  Placed& Of(const Node& node) { return placed_[static_cast<size_t>(node.id())]; }
  const std::string& DeviceOf(const Node& node) const { return devices_[static_cast<size_t>(node.id())]; }
  Place PlaceOf(const Node& node) { return {Of(node).partition, DeviceOf(node)}; }

  const Graph& graph_;
  const PartitionOptions& options_;
  const LoopFrames loops_;
  const std::vector<std::string> devices_;  // by node id
  std::vector<Placed> placed_;              // by node id
  std::map<std::string, Graph> partitions_;
  // What has arrived, by (source node id, output or -1 for control, partition).
  std::map<std::tuple<int, int, Graph*>, Endpoint> arrived_;
  int64_t next_number_ = 0;
  // By frame and partition, outermost frames first: a merge that is alive in each iteration there, or null.
  struct Driver {
    std::string device;
    Node* merge = nullptr;
  };
  std::map<std::pair<int, Graph*>, Driver> drivers_;
  struct ReceiveInLoop {
    Node* receive;
    int frame;
    Graph* partition;
  };
  std::vector<ReceiveInLoop> receives_;
};

Status Partitioner::FindPartitions() {
  std::unordered_map<std::string, Graph*> by_device;
  for (const Node* node : graph_.Nodes()) {
    const std::string& device = DeviceOf(*node);
    if (device.empty()) return InvalidArgument("Partition: node '", node->name(), "' has no device");
    Graph*& partition = by_device[device];
    if (partition == nullptr) {
      HR_ASSIGN_OR_RETURN(const DeviceName name, DeviceName::ParseFull(device));
      partition = &partitions_[options_.by_device ? device : name.TaskName()];
    }
    Of(*node).partition = partition;
  }
  for (auto& [name, partition] : partitions_) {
    partition.functions() = graph_.functions();
    partition.versions() = graph_.versions();
  }
  return OkStatus();
}

Result<Node*> Partitioner::Add(std::string_view op, const Node& source, char kind, AddOptions options) {
  NodeSpec spec;
  do {
    spec.name = StrCat(source.name(), "_", kind, next_number_++);
  } while (graph_.Find(spec.name) != nullptr);
  HR_ASSIGN_OR_RETURN(spec.definition, OpRegistry::Global().Lookup(op));
  spec.attrs = std::move(options.attrs);
  spec.inputs = std::move(options.inputs);
  spec.control_inputs = std::move(options.control_inputs);
  spec.device = options.device;
  HR_ASSIGN_OR_RETURN(Node * node, options.partition->AddNode(std::move(spec)));
  node->set_assigned_device(options.device);
  return node;
}

Result<Endpoint> Partitioner::Transfer(const Node& source, const Endpoint& output, const Place& place) {
  const std::string& from = DeviceOf(source);
  const std::string& to = place.device;
  // What these yield belongs to some iterations only; the other side would wait in all of them.
  const bool is_constant = GetAttrOr<bool>(source.attrs(), "is_constant", false);
  if (IsNextIteration(source) || (IsEnter(source) && !is_constant)) {
    return InvalidArgument("Partition: '", source.name(), "' (", source.op(), ") on ", from, " has a consumer on ", to);
  }
  const DType type = RemoveRef(output.dtype());
  AttrMap attrs = {{"tensor_name", StrCat("edge_", next_number_++, "_", source.name())},
                   {"send_device", from},
                   {"send_device_incarnation", static_cast<int64_t>(options_.incarnation_of(from))},
                   {"recv_device", to},
                   {"client_terminated", false}};
  AttrMap send_attrs = attrs;
  send_attrs["T"] = type;
  attrs["tensor_type"] = type;
  HR_RETURN_IF_ERROR(Add("_Send", source, 'S',
                         {.partition = Of(source).partition, .device = from, .attrs = send_attrs, .inputs = {output}})
                         .status());
  HR_ASSIGN_OR_RETURN(Node * receive,
                      Add("_Recv", source, 'S', {.partition = place.partition, .device = to, .attrs = attrs}));
  receive->set_output_shapes({output.shape()});
  if (const int frame = loops_.OutputFrameOf(source); frame != 0)
    receives_.push_back({receive, frame, place.partition});
  return Endpoint{receive, 0};
}

Result<Endpoint> Partitioner::Bring(const Endpoint& source, const Place& place) {
  Placed& from = Of(*source.node);
  Graph* const to = place.partition;
  if (from.partition == to) return from.copy == nullptr ? Endpoint{} : Endpoint{from.copy, source.index};
  Endpoint& arrived = arrived_[{source.node->id(), source.index, to}];
  if (arrived) return arrived;
  if (IsRepeatable(*source.node)) {
    AddOptions options{.partition = to, .device = place.device, .attrs = source.node->attrs()};
    options.attrs.erase("_class");
    HR_ASSIGN_OR_RETURN(arrived.node, Add("Const", *source.node, 'C', std::move(options)));
    arrived.node->set_output_shapes(source.node->output_shapes());
    return arrived;
  }
  HR_ASSIGN_OR_RETURN(arrived, Transfer(*source.node, Endpoint{from.copy, source.index}, place));
  return arrived;
}

Status Partitioner::CopyNode(const Node& node) {
  NodeSpec spec;
  spec.name = node.name();
  spec.definition = &node.definition();
  spec.attrs = node.attrs();
  spec.device = node.requested_device();
  for (int i = 0; i < node.num_inputs(); ++i) {
    const Endpoint& input = node.input(i);
    if (IsRef(node.input_types()[static_cast<size_t>(i)]) && Of(*input.node).partition != Of(node).partition) {
      return InvalidArgument("Partition: a ref edge cannot cross: from '", input, "' on ", DeviceOf(*input.node),
                             " to '", node.name(), "' on ", DeviceOf(node));
    }
    HR_ASSIGN_OR_RETURN(Endpoint brought, Bring(input, PlaceOf(node)));
    spec.inputs.push_back(brought);
  }
  HR_ASSIGN_OR_RETURN(Node * copy, Of(node).partition->AddNode(std::move(spec)));
  copy->set_assigned_device(DeviceOf(node));
  copy->set_output_shapes(node.output_shapes());
  Of(node).copy = copy;
  return OkStatus();
}

// Sets the inputs whose sources came later in the order: the back edges of loops.
Status Partitioner::CloseLoops(const Node& node) {
  Node* copy = Of(node).copy;
  for (int i = 0; i < node.num_inputs(); ++i) {
    if (copy->input(i)) continue;
    HR_RETURN_IF_ERROR(
        Of(node).partition->SetInput(copy, i, Endpoint{Of(*node.input(i).node).copy, node.input(i).index}));
  }
  return OkStatus();
}

Result<Node*> Partitioner::BringControl(const Node& source, const Node& consumer) {
  Placed& from = Of(source);
  Graph* to = Of(consumer).partition;
  if (from.partition == to) return from.copy;
  Endpoint& arrived = arrived_[{source.id(), -1, to}];
  if (arrived) return arrived.node;
  for (int i = 0; i < source.num_outputs() && !MayHaveDeadOutputs(source); ++i) {
    const auto tensor = arrived_.find({source.id(), i, to});
    if (tensor == arrived_.end() || !tensor->second || tensor->second.node->op() == "Const") continue;
    arrived = tensor->second;
    return arrived.node;
  }
  AddOptions empty{.partition = from.partition, .device = DeviceOf(source), .control_inputs = {from.copy}};
  empty.attrs = {{"dtype", DType::kFloat}, {"value", Tensor::Vector(std::vector<float>())}};
  HR_ASSIGN_OR_RETURN(Node * signal, Add("Const", source, 'S', std::move(empty)));
  signal->set_output_shapes({PartialShape({0})});
  HR_ASSIGN_OR_RETURN(const Endpoint received, Transfer(source, Endpoint{signal, 0}, PlaceOf(consumer)));
  AddOptions identity{
      .partition = to, .device = DeviceOf(consumer), .attrs = {{"T", DType::kFloat}}, .inputs = {received}};
  HR_ASSIGN_OR_RETURN(arrived.node, Add("Identity", source, 'S', std::move(identity)));
  arrived.node->set_output_shapes({PartialShape({0})});
  return arrived.node;
}

Status Partitioner::CopyControl(const Node& node) {
  for (Node* source : node.control_inputs()) {
    HR_ASSIGN_OR_RETURN(Node * brought, BringControl(*source, node));
    Of(node).partition->AddControlInput(Of(node).copy, brought);
  }
  return OkStatus();
}

// A partition that takes part in a frame takes part in those around it.
void Partitioner::FindDrivers() {
  for (const Node* node : graph_.Nodes()) {
    for (const int inner : {loops_.FrameOf(*node), loops_.OutputFrameOf(*node)}) {
      for (int frame = inner; frame != 0; frame = loops_.frames[static_cast<size_t>(frame)].parent) {
        Driver& driver = drivers_[{frame, Of(*node).partition}];
        if (driver.device.empty()) driver.device = DeviceOf(*node);
      }
    }
    if (!IsLoopMerge(*node) || IsRef(node->output_types()[0])) continue;
    const auto is_here = [&](const Endpoint& input) { return Of(*input.node).partition == Of(*node).partition; };
    Driver& driver = drivers_[{loops_.FrameOf(*node), Of(*node).partition}];
    if (driver.merge == nullptr && std::ranges::all_of(node->inputs(), is_here)) driver.merge = Of(*node).copy;
  }
}

Result<Node*> Partitioner::AddControlLoop(int frame_index, const Endpoint& condition, const Place& at) {
  const LoopFrames::Frame& frame = loops_.frames[static_cast<size_t>(frame_index)];
  const Node& source = *condition.node;
  const auto add = [&](std::string_view op, AttrMap attrs, std::vector<Endpoint> inputs) {
    return Add(op, source, 'L', {.partition = at.partition, .device = at.device, .attrs = attrs, .inputs = inputs});
  };
  const AttrMap type = {{"T", DType::kFloat}};
  HR_ASSIGN_OR_RETURN(Node * start, add("Const", {{"dtype", DType::kFloat}, {"value", Tensor::Scalar(0.0f)}}, {}));
  if (frame.parent != 0) at.partition->AddControlInput(start, drivers_[{frame.parent, at.partition}].merge);
  HR_ASSIGN_OR_RETURN(
      Node * enter,
      add("Enter",
          {{"T", DType::kFloat}, {"frame_name", frame.name}, {"parallel_iterations", frame.parallel_iterations}},
          {Endpoint{start, 0}}));
  HR_ASSIGN_OR_RETURN(Node * merge, add("Merge", {{"T", DType::kFloat}, {"N", 2}}, {Endpoint{enter, 0}, Endpoint{}}));
  HR_ASSIGN_OR_RETURN(const Endpoint goes_on, Bring(condition, at));
  HR_ASSIGN_OR_RETURN(Node * choice, add("Switch", type, {Endpoint{merge, 0}, goes_on}));
  HR_ASSIGN_OR_RETURN(Node * next, add("NextIteration", type, {Endpoint{choice, 1}}));
  HR_RETURN_IF_ERROR(at.partition->SetInput(merge, 1, Endpoint{next, 0}));
  return merge;
}

Status Partitioner::AddDrivers() {
  if (!loops_.has_loops()) return OkStatus();
  FindDrivers();
  const std::vector<Endpoint> conditions = LoopConditions(graph_, loops_);
  for (auto& [key, driver] : drivers_) {
    const auto& [frame, partition] = key;
    const auto of_frame = [frame = frame](const auto& other) { return other.first.first == frame; };
    if (driver.merge != nullptr || std::ranges::count_if(drivers_, of_frame) == 1) continue;
    const Endpoint& condition = conditions[static_cast<size_t>(frame)];
    if (!condition) {
      return InvalidArgument("Partition: the loop '", loops_.frames[static_cast<size_t>(frame)].name,
                             "' spans partitions and has no condition");
    }
    HR_ASSIGN_OR_RETURN(driver.merge, AddControlLoop(frame, condition, {partition, driver.device}));
  }
  for (const ReceiveInLoop& in_loop : receives_) {
    in_loop.partition->AddControlInput(in_loop.receive, drivers_[{in_loop.frame, in_loop.partition}].merge);
  }
  return OkStatus();
}

Result<std::map<std::string, Graph>> Partitioner::Run() {
  HR_RETURN_IF_ERROR(FindPartitions());
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_.TopologicalOrder());
  for (const Node* node : order) HR_RETURN_IF_ERROR(CopyNode(*node));
  for (const Node* node : order) HR_RETURN_IF_ERROR(CloseLoops(*node));
  for (const Node* node : order) HR_RETURN_IF_ERROR(CopyControl(*node));
  HR_RETURN_IF_ERROR(AddDrivers());
  return std::move(partitions_);
}

}  // namespace

Result<std::map<std::string, Graph>> PartitionByTask(const Graph& graph, const PartitionOptions& options) {
  HR_ASSIGN_OR_RETURN(LoopFrames loops, FindLoopFrames(graph));
  return Partitioner(graph, std::move(loops), options).Run();
}

GraphDef ExportPartition(const Graph& partition) {
  GraphDef def = ExportGraphDef(partition);
  for (NodeDef& node : def.nodes) {
    const Node* placed = partition.Find(node.name);
    if (placed != nullptr && !placed->assigned_device().empty()) node.device = placed->assigned_device();
  }
  return def;
}

}  // namespace headrace
