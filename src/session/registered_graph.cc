#include "session/registered_graph.h"

#include <atomic>

#include "passes/partition.h"
#include "session/step_recorder.h"

namespace headrace {

namespace {

const std::string& DeviceOf(const Node& node) {
  return node.assigned_device().empty() ? node.requested_device() : node.assigned_device();
}

}  // namespace

/// One run of the plans. Kept by the callbacks of its plans.
struct RegisteredGraph::StepRun {
  std::shared_ptr<RegisteredGraph> graph;
  std::shared_ptr<WorkerStep> step;
  std::vector<std::vector<Tensor>> args;                 // by plan
  std::vector<std::vector<Tensor>> results;              // by plan
  std::vector<StepContext> contexts;                     // by plan
  std::vector<End> fetches;                              // in the order of the request
  std::shared_ptr<StepTrace> trace;                      // may be null
  std::vector<std::unique_ptr<StepRecorder>> recorders;  // by plan; none in a step that is not recorded, as the next
  std::vector<std::unique_ptr<Rendezvous>> rendezvous;
  RunDone done;

  std::atomic<size_t> num_running{0};
  std::mutex mutex;
  Status status;  // guarded by mutex

  void PlanEnded(const Status& outcome) {
    if (!outcome.ok()) {
      {
        std::lock_guard lock(mutex);
        KeepRootCause(&status, outcome);
      }
      step->cancellation().Cancel(outcome.AsDerived());
    }
    if (num_running.fetch_sub(1) > 1) return;
    for (const auto& recorder : recorders) trace->Add(recorder->RunMetadata());
    std::vector<Tensor> fetched;
    if (status.ok()) {
      for (const End& end : fetches) fetched.push_back(results[end.plan][end.index]);
    }
    done(status, std::move(fetched));
  }
};

Result<std::shared_ptr<RegisteredGraph>> RegisteredGraph::Compile(std::shared_ptr<const Graph> graph,
                                                                  std::vector<PlanEnvironment> environments,
                                                                  uint64_t incarnation) {
  auto registered = std::make_shared<RegisteredGraph>();
  for (PlanEnvironment& environment : environments) {
    registered->environments_.emplace(environment.device, std::move(environment));
  }
  const std::string& default_device = registered->environments_.begin()->first;
  bool is_split = false;
  const std::string* first_device = nullptr;
  for (const Node* node : graph->Nodes()) {
    const std::string& device = DeviceOf(*node).empty() ? default_device : DeviceOf(*node);
    if (!registered->environments_.contains(device)) {
      return InvalidArgument(node->ToString(), " is placed on ", device,
                             ", which is not a device of this task: ", default_device);
    }
    if (first_device == nullptr) first_device = &device;
    is_split = is_split || device != *first_device;
  }
  if (is_split) {
    PartitionOptions options;
    options.incarnation_of = [incarnation](const std::string&) { return incarnation; };
    options.by_device = true;
    HR_ASSIGN_OR_RETURN(auto parts, PartitionByTask(*graph, options));
    for (auto& [device, part] : parts) {
      registered->graphs_.emplace(device, std::make_shared<const Graph>(std::move(part)));
    }
  } else {
    registered->graphs_.emplace(first_device == nullptr ? default_device : *first_device, std::move(graph));
  }
  HR_RETURN_IF_ERROR(registered->CompilePlans(false, &registered->plans_));
  for (size_t plan = 0; plan < registered->plans_.size(); ++plan) {
    const auto& feeds = registered->plans_[plan]->feeds();
    for (size_t i = 0; i < feeds.size(); ++i) registered->feeds_.emplace(feeds[i].name, End{plan, i});
    const auto& fetches = registered->plans_[plan]->fetches();
    for (size_t i = 0; i < fetches.size(); ++i) registered->fetches_.emplace(fetches[i].name, End{plan, i});
  }
  return registered;
}

Status RegisteredGraph::CompilePlans(bool client_ends_in_rendezvous, Plans* plans) const {
  for (const auto& [device, graph] : graphs_) {
    PlanEnvironment environment = environments_.at(device);
    environment.client_ends_in_rendezvous = client_ends_in_rendezvous;
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const StepPlan> plan, StepPlan::Compile(graph, environment));
    plans->push_back(std::move(plan));
  }
  return OkStatus();
}

void RegisteredGraph::Run(const std::shared_ptr<WorkerStep>& step, std::vector<NamedTensor> feeds,
                          const std::vector<std::string>& fetch_keys, std::shared_ptr<StepTrace> trace, RunDone done) {
  auto run = std::make_shared<StepRun>();
  run->graph = shared_from_this();
  run->step = step;
  for (const auto& plan : plans_) {
    run->args.emplace_back(plan->feeds().size());
    run->results.emplace_back(plan->fetches().size());
  }
  Status status = BindFeeds(std::move(feeds), run.get());
  if (status.ok()) status = BindFetches(fetch_keys, run.get());
  if (status.ok() && trace != nullptr) {
    run->trace = std::move(trace);
    status = BeginTrace(run.get());
  }
  if (!status.ok()) return done(status, {});
  run->done = std::move(done);
  Start(plans_, run);
}

Status RegisteredGraph::BindFeeds(std::vector<NamedTensor> feeds, StepRun* run) const {
  for (NamedTensor& feed : feeds) {
    const auto found = feeds_.find(feed.name);
    if (found == feeds_.end()) return InvalidArgument("The graph has no feed of the key ", feed.name);
    run->args[found->second.plan][found->second.index] = std::move(feed.tensor);
  }
  return OkStatus();
}

Status RegisteredGraph::BindFetches(const std::vector<std::string>& fetch_keys, StepRun* run) const {
  for (const std::string& key : fetch_keys) {
    const auto found = fetches_.find(key);
    if (found == fetches_.end()) return InvalidArgument("The graph has no fetch of the key ", key);
    run->fetches.push_back(found->second);
  }
  return OkStatus();
}

Status RegisteredGraph::BeginTrace(StepRun* run) const {
  if (run->trace->wishes().partition_graphs) {
    for (const auto& [device, graph] : graphs_) {
      HR_ASSIGN_OR_RETURN(const std::string metadata, PartitionGraphMetadata(*graph));
      run->trace->Add(metadata);
    }
  }
  if (!run->trace->wishes().step_stats) return OkStatus();
  for (const auto& plan : plans_) {
    Clock* const clock = environments_.at(plan->device()).runtime->clock;
    run->recorders.push_back(std::make_unique<StepRecorder>(plan->device(), clock));
    run->rendezvous.push_back(run->recorders.back()->Record(&run->step->rendezvous()));
  }
  return OkStatus();
}

Status RegisteredGraph::StartPartial(const std::shared_ptr<WorkerStep>& step) {
  Plans plans;
  {
    std::lock_guard lock(mutex_);
    if (partial_plans_.empty()) HR_RETURN_IF_ERROR(CompilePlans(true, &partial_plans_));
    plans = partial_plans_;
  }
  auto run = std::make_shared<StepRun>();
  run->graph = shared_from_this();
  run->step = step;
  run->args.resize(plans.size());
  run->results.resize(plans.size());
  run->done = [step](const Status& status, std::vector<Tensor>) { step->FinishPartial(status); };
  for (size_t i = 0; i < plans.size(); ++i) {
    run->args[i].resize(plans[i]->feeds().size());
    run->results[i].resize(plans[i]->fetches().size());
  }
  Start(plans, run);
  return OkStatus();
}

void RegisteredGraph::Start(const Plans& plans, const std::shared_ptr<StepRun>& run) const {
  run->num_running = plans.size();
  for (size_t i = 0; i < plans.size(); ++i) {
    StepContext context = plans[i]->NewContext();
    context.step_id = run->step->id();
    context.rendezvous = run->rendezvous.empty() ? &run->step->rendezvous() : run->rendezvous[i].get();
    context.cancellation = &run->step->cancellation();
    context.args = run->args[i];
    context.results = run->results[i];
    run->contexts.push_back(std::move(context));
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    plans[i]->Run(
        &run->contexts[i], [run](const Status& status) { run->PlanEnded(status); },
        run->recorders.empty() ? nullptr : run->recorders[i].get());
  }
}

}  // namespace headrace
