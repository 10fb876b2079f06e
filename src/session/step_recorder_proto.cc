// What a StepRecorder wrote down as TensorFlow's StepStats, with labels as TensorFlow writes them: its timeline reads them.
#include <algorithm>

#include "graph/graph_proto.h"
#include "graph/import.h"
#include "headrace/proto/config.pb.h"
#include "passes/partition.h"
#include "session/step_recorder.h"
#include "tensor/tensor_proto.h"

namespace headrace {

namespace {

constexpr char kAllocator[] = "cpu";
constexpr char kReceiveName[] = "RecvTensor";
constexpr int64_t kShowAsMegabytesFrom = 104'858;  // 0.1 MB

/// "name = Op(input, input:1, ^control)"; a send or receive names what it carries, and the device at the other end.
std::string LabelOf(const Node& node) {
  std::vector<std::string> arguments;
  if (node.op() == "_Send" || node.op() == "_Recv") {
    const char* peer = node.op() == "_Send" ? "recv_device" : "send_device";
    arguments.push_back(StrCat(GetAttrOr<std::string>(node.attrs(), "tensor_name", ""), " @",
                               GetAttrOr<std::string>(node.attrs(), peer, "")));
  } else {
    arguments = ExportNode(node).inputs;
  }
  return StrCat(node.name(), " = ", node.op(), "(", StrJoin(arguments, ", "), ")");
}

/// "[4B] edge from DEVICE to DEVICE".
std::string LabelOfReceive(const std::string& text, int64_t bytes) {
  const Result<RendezvousKey> key = RendezvousKey::Parse(text);
  if (!key.ok()) return text;
  const int64_t tenths = bytes * 10 / (1024 * 1024);
  const std::string size =
      bytes < kShowAsMegabytesFrom ? StrCat(bytes, "B") : StrCat(tenths / 10, ".", tenths % 10, "MB");
  return StrCat("[", size, "] ", key->edge_name, " from ", key->src_device, " to ", key->dst_device);
}

void SetTimes(int64_t ready_ns, int64_t begin_ns, int64_t end_ns, proto::NodeExecStats* stats) {
  const int64_t begin_us = begin_ns / 1000;
  const int64_t took_us = std::max<int64_t>(end_ns / 1000 - begin_us, 1);  // what takes no time is not drawn
  stats->set_scheduled_micros(ready_ns / 1000);
  stats->set_scheduled_nanos(ready_ns);
  stats->set_all_start_micros(begin_us);
  stats->set_all_start_nanos(begin_ns);
  stats->set_op_end_rel_micros(took_us);
  stats->set_op_end_rel_nanos(end_ns - begin_ns);
  stats->set_all_end_rel_micros(took_us);
  stats->set_all_end_rel_nanos(end_ns - begin_ns);
}

}  // namespace

std::string StepRecorder::RunMetadata() const {
  proto::RunMetadata metadata;
  proto::DeviceStepStats* device = metadata.mutable_step_stats()->add_dev_stats();
  device->set_device(device_);
  std::lock_guard lock(mutex_);
  for (const NodeRecord& record : nodes_) {
    proto::NodeExecStats* stats = device->add_node_stats();
    stats->set_node_name(record.node->name());
    stats->set_timeline_label(LabelOf(*record.node));
    stats->set_thread_id(record.thread);
    SetTimes(WallNanos(record.ready), WallNanos(record.begin), WallNanos(record.end), stats);
    for (const Output& output : record.outputs) {
      proto::NodeOutput* written = stats->add_output();
      written->set_slot(output.slot);
      proto::TensorDescription* tensor = written->mutable_tensor_description();
      tensor->set_dtype(static_cast<proto::DataType>(output.dtype));
      ShapeToProto(output.shape, tensor->mutable_shape());
      proto::AllocationDescription* allocation = tensor->mutable_allocation_description();
      allocation->set_requested_bytes(output.requested_bytes);
      allocation->set_allocated_bytes(output.allocated_bytes);
      allocation->set_allocator_name(kAllocator);
      allocation->set_has_single_reference(output.is_only_reference);
      allocation->set_ptr(reinterpret_cast<uintptr_t>(output.data));
    }
  }
  for (const ReceiveRecord& record : receives_) {
    proto::NodeExecStats* stats = device->add_node_stats();
    stats->set_node_name(kReceiveName);
    stats->set_timeline_label(LabelOfReceive(record.key, record.bytes));
    stats->set_thread_id(record.thread);
    SetTimes(WallNanos(record.begin), WallNanos(record.begin), WallNanos(record.end), stats);
    stats->add_output()->mutable_tensor_description()->mutable_allocation_description()->set_requested_bytes(
        record.bytes);
  }
  std::stable_sort(device->mutable_node_stats()->pointer_begin(), device->mutable_node_stats()->pointer_end(),
                   [](const auto* a, const auto* b) { return a->all_start_nanos() < b->all_start_nanos(); });
  return metadata.SerializeAsString();
}

Result<std::string> PartitionGraphMetadata(const Graph& graph) {
  proto::RunMetadata metadata;
  HR_RETURN_IF_ERROR(GraphToProto(ExportPartition(graph), metadata.add_partition_graphs()));
  return metadata.SerializeAsString();
}

}  // namespace headrace
