#include "session/prepared_graphs.h"

#include "graph/import.h"
#include "passes/lower_functions.h"
#include "passes/pipeline.h"
#include "passes/place.h"

namespace headrace {

namespace {

// ',' and ';' are never part of a name.
void AppendName(std::string* key, const std::string& name) {
  *key += name;
  *key += ',';
}

void AppendNames(std::string* key, const std::vector<std::string>& names) {
  for (const std::string& name : names) AppendName(key, name);
  *key += ';';
}

/// Key text that is built again and again in the same memory.
std::string& KeyBuffer() {
  thread_local std::string key;
  key.clear();
  return key;
}

}  // namespace

std::shared_ptr<const Graph> PreparedGraphs::graph() const {
  std::lock_guard lock(graph_mutex_);
  return graph_;
}

Status PreparedGraphs::Extend(const GraphDef& def) {
  std::lock_guard extending(extend_mutex_);
  const std::shared_ptr<const Graph> before = graph();
  auto extended = std::make_shared<Graph>(before == nullptr ? Graph() : before->Clone());
  HR_RETURN_IF_ERROR(ImportGraphDef(def, extended.get()));
  std::vector<PlacementDevice> devices;
  for (const DeviceAttributes& device : tasks_->Devices()) devices.push_back({device.name, device.device_type});
  const PlacementOptions placement{.allow_soft_placement = options_.allow_soft_placement,
                                   .log_device_placement = options_.log_device_placement,
                                   .local_task = options_.master_task};
  if (tasks_->tasks().size() > 1) {
    HR_RETURN_IF_ERROR(
        RunPasses(extended.get(), {{"lower functions", [&](Graph* g) { return LowerFunctions(g, placement); }}}));
  }
  HR_RETURN_IF_ERROR(Place(extended.get(), devices, placement));
  std::lock_guard lock(graph_mutex_);
  graph_ = std::move(extended);
  return OkStatus();
}

std::shared_ptr<const StepBinding> PreparedGraphs::FindExact(const std::string& key) const {
  std::shared_lock lock(mutex_);
  const auto found = exact_.find(key);
  return found == exact_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<const StepBinding>> PreparedGraphs::Find(const std::vector<NamedTensor>& feeds,
                                                                const std::vector<std::string>& fetches,
                                                                const std::vector<std::string>& targets) {
  std::string& key = KeyBuffer();
  for (const NamedTensor& feed : feeds) AppendName(&key, feed.name);
  key += ';';
  AppendNames(&key, fetches);
  AppendNames(&key, targets);
  if (std::shared_ptr<const StepBinding> found = FindExact(key)) return found;
  std::vector<std::string> names;
  for (const NamedTensor& feed : feeds) names.push_back(feed.name);
  return PrepareExact(std::string(key), names, fetches, targets);
}

Result<std::shared_ptr<const StepBinding>> PreparedGraphs::Find(const std::vector<std::string>& feeds,
                                                                const std::vector<std::string>& fetches,
                                                                const std::vector<std::string>& targets) {
  std::string& key = KeyBuffer();
  AppendNames(&key, feeds);
  AppendNames(&key, fetches);
  AppendNames(&key, targets);
  if (std::shared_ptr<const StepBinding> found = FindExact(key)) return found;
  return PrepareExact(std::string(key), feeds, fetches, targets);
}

Result<std::shared_ptr<const StepBinding>> PreparedGraphs::PrepareExact(const std::string& key,
                                                                        const std::vector<std::string>& feeds,
                                                                        const std::vector<std::string>& fetches,
                                                                        const std::vector<std::string>& targets) {
  HR_ASSIGN_OR_RETURN(const SignatureOrder order, OrderSignature(feeds, fetches, targets));
  std::shared_ptr<Slot> slot;
  {
    std::unique_lock lock(mutex_);
    std::shared_ptr<Slot>& found = slots_[order.signature.Key()];
    if (found == nullptr) found = std::make_shared<Slot>();
    slot = found;
  }
  std::shared_ptr<const PreparedGraph> prepared;
  {
    std::lock_guard preparing(slot->mutex);
    if (slot->prepared == nullptr) {
      HR_ASSIGN_OR_RETURN(slot->prepared, PreparedGraph::Prepare(*graph(), order.signature, *tasks_, session_handle_));
    }
    prepared = slot->prepared;
  }
  auto binding = std::make_shared<const StepBinding>(std::move(prepared), order);
  std::unique_lock lock(mutex_);
  return exact_.emplace(key, std::move(binding)).first->second;
}

}  // namespace headrace
