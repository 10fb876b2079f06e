// One step of a prepared graph: in this process by one plan, or over several workers.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "session/active_steps.h"
#include "session/prepared_graph.h"

namespace headrace {

/// A prepared graph as one caller names it: feeds and fetches in the caller's order.
struct StepBinding {
  std::shared_ptr<const PreparedGraph> prepared;
  std::vector<size_t> feeds;          // by position: the index in the signature
  std::vector<size_t> fetches;        // by position: the index in the signature
  std::vector<int> local_args;        // by position: the plan's feed, or -1; only where there is a local plan
  std::vector<size_t> local_results;  // by position: the plan's fetch

  StepBinding(std::shared_ptr<const PreparedGraph> graph, const SignatureOrder& order);
};

/// `index` is the feed's in the signature. Errors: kInvalidArgument for a tensor that does not fit the shape its feed has in the graph.
Status CheckFeedShape(const PreparedGraph& prepared, size_t index, const Tensor& value);
Status CheckFeedShapes(const StepBinding& binding, std::span<const Tensor* const> feeds);

using StepDone = std::function<void(const Status&, std::vector<Tensor> fetches)>;

/// Runs the binding's local plan on the calling thread and waits. `feeds` points at each feed.
/// REQUIRES: prepared->local_plan() != nullptr.
Result<std::vector<Tensor>> RunLocalStep(const StepBinding& binding, std::span<const Tensor* const> feeds,
                                         int64_t step_id, ActiveStep* active);

/// Starts the step; `done` comes when everything that runs for it has ended. What the step leaves at the workers is cleaned up
/// behind it. The active step is held until then. `trace`, or null, is complete when `done` comes.
void StartStep(std::shared_ptr<const StepBinding> binding, std::vector<Tensor> feeds, int64_t step_id,
               const std::string& session_handle, std::shared_ptr<ActiveStep> active,
               std::shared_ptr<ActiveSteps> active_steps, std::shared_ptr<StepTrace> trace, StepDone done);

/// Asks every part's worker to drop the step, without waiting.
void CleanupStep(const PreparedGraph& prepared, int64_t step_id, const std::shared_ptr<ActiveSteps>& active_steps);

/// The error of a part as the client sees it: with the task in front, as TensorFlow's master has it.
Status WithTaskName(const Status& status, const std::string& task);

/// What to tell the client: where the step was cancelled from outside, that reason instead of what followed from it.
Status OutcomeOf(const Status& status, ActiveStep& active);

}  // namespace headrace
