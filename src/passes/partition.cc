// See partition.h. Nodes are copied in topological order, so that an edge's source exists before it is sent.
#include "passes/partition.h"

#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/device_name.h"

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

bool IsLoopOp(const Node& node) { return node.op() == "Enter" || node.op() == "RefEnter"; }
bool IsLoopExit(const Node& node) { return node.op() == "Exit" || node.op() == "RefExit"; }

// True by node id for what lies inside a v1 loop (Enter to before Exit).
std::vector<bool> NodesInLoops(const Graph& graph) {
  std::vector<bool> in_loop(static_cast<size_t>(graph.num_ids()), false);
  std::vector<Node*> pending;
  for (Node* node : graph.Nodes()) {
    if (!IsLoopOp(*node)) continue;
    in_loop[static_cast<size_t>(node->id())] = true;
    pending.push_back(node);
  }
  if (pending.empty()) return in_loop;
  const std::vector<std::vector<Consumer>> consumers = graph.Consumers();
  while (!pending.empty()) {
    Node* node = pending.back();
    pending.pop_back();
    if (IsLoopExit(*node)) continue;
    for (const Consumer& consumer : consumers[static_cast<size_t>(node->id())]) {
      if (in_loop[static_cast<size_t>(consumer.node->id())]) continue;
      in_loop[static_cast<size_t>(consumer.node->id())] = true;
      pending.push_back(consumer.node);
    }
  }
  return in_loop;
}

class Partitioner {
 public:
  Partitioner(const Graph& graph, const PartitionOptions& options)
      : graph_(graph),
        options_(options),
        in_loop_(NodesInLoops(graph)),
        placed_(static_cast<size_t>(graph.num_ids())) {}

  Result<std::map<std::string, Graph>> Run();

 private:
  // Where an original node went.
  struct Placed {
    Graph* partition = nullptr;
    Node* copy = nullptr;
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
  Result<Endpoint> Bring(const Endpoint& source, const Node& consumer);
  /// What finishes after `source` in the consumer's partition.
  Result<Node*> BringControl(const Node& source, const Node& consumer);
  /// Sends a node's copy's output from its partition to the consumer's.
  Result<Endpoint> Transfer(const Node& source, const Endpoint& output, const Node& consumer);
  Result<Node*> Add(std::string_view op, const Node& source, char kind, AddOptions options);

  Placed& Of(const Node& node) { return placed_[static_cast<size_t>(node.id())]; }

  const Graph& graph_;
  const PartitionOptions& options_;
  const std::vector<bool> in_loop_;
  std::vector<Placed> placed_;  // by node id
  std::map<std::string, Graph> partitions_;
  // What has arrived, by (source node id, output or -1 for control, partition).
  std::map<std::tuple<int, int, Graph*>, Endpoint> arrived_;
  int64_t next_number_ = 0;
};

Status Partitioner::FindPartitions() {
  std::unordered_map<std::string, Graph*> by_device;
  for (const Node* node : graph_.Nodes()) {
    const std::string& device = node->assigned_device();
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

Result<Endpoint> Partitioner::Transfer(const Node& source, const Endpoint& output, const Node& consumer) {
  if (in_loop_[static_cast<size_t>(source.id())] && !IsLoopExit(source)) {
    return Unimplemented("Partition: a v1 loop spans partitions: edge from '", source.name(), "' on ",
                         source.assigned_device(), " to '", consumer.name(), "' on ", consumer.assigned_device());
  }
  const std::string& from = source.assigned_device();
  const std::string& to = consumer.assigned_device();
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
                      Add("_Recv", source, 'S', {.partition = Of(consumer).partition, .device = to, .attrs = attrs}));
  receive->set_output_shapes({output.shape()});
  return Endpoint{receive, 0};
}

Result<Endpoint> Partitioner::Bring(const Endpoint& source, const Node& consumer) {
  Placed& from = Of(*source.node);
  Graph* to = Of(consumer).partition;
  if (from.partition == to) return from.copy == nullptr ? Endpoint{} : Endpoint{from.copy, source.index};
  Endpoint& arrived = arrived_[{source.node->id(), source.index, to}];
  if (arrived) return arrived;
  if (IsRepeatable(*source.node)) {
    AddOptions options{.partition = to, .device = consumer.assigned_device(), .attrs = source.node->attrs()};
    options.attrs.erase("_class");
    HR_ASSIGN_OR_RETURN(arrived.node, Add("Const", *source.node, 'C', std::move(options)));
    arrived.node->set_output_shapes(source.node->output_shapes());
    return arrived;
  }
  if (from.copy == nullptr) {
    return Unimplemented("Partition: a v1 loop spans partitions at '", source.node->name(), "'");
  }
  HR_ASSIGN_OR_RETURN(arrived, Transfer(*source.node, Endpoint{from.copy, source.index}, consumer));
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
      return InvalidArgument("Partition: a ref edge cannot cross: from '", input, "' on ",
                             input.node->assigned_device(), " to '", node.name(), "' on ", node.assigned_device());
    }
    HR_ASSIGN_OR_RETURN(Endpoint brought, Bring(input, node));
    spec.inputs.push_back(brought);
  }
  HR_ASSIGN_OR_RETURN(Node * copy, Of(node).partition->AddNode(std::move(spec)));
  copy->set_assigned_device(node.assigned_device());
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
  AddOptions empty{.partition = from.partition, .device = source.assigned_device(), .control_inputs = {from.copy}};
  empty.attrs = {{"dtype", DType::kFloat}, {"value", Tensor::Vector(std::vector<float>())}};
  HR_ASSIGN_OR_RETURN(Node * signal, Add("Const", source, 'S', std::move(empty)));
  signal->set_output_shapes({PartialShape({0})});
  HR_ASSIGN_OR_RETURN(const Endpoint received, Transfer(source, Endpoint{signal, 0}, consumer));
  AddOptions identity{
      .partition = to, .device = consumer.assigned_device(), .attrs = {{"T", DType::kFloat}}, .inputs = {received}};
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

Result<std::map<std::string, Graph>> Partitioner::Run() {
  HR_RETURN_IF_ERROR(FindPartitions());
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_.TopologicalOrder());
  for (const Node* node : order) HR_RETURN_IF_ERROR(CopyNode(*node));
  for (const Node* node : order) HR_RETURN_IF_ERROR(CloseLoops(*node));
  for (const Node* node : order) HR_RETURN_IF_ERROR(CopyControl(*node));
  return std::move(partitions_);
}

}  // namespace

Result<std::map<std::string, Graph>> PartitionByTask(const Graph& graph, const PartitionOptions& options) {
  return Partitioner(graph, options).Run();
}

}  // namespace headrace
