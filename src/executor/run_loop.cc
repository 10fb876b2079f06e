// The loop that runs ready nodes, and what a thread does with kernels that wait and kernels worth another thread.
#include <algorithm>

#include "executor/step.h"

namespace headrace {

namespace {

constexpr int kCheapBesideCostly = 32;  // so many cheap nodes may keep a costly one waiting

}  // namespace

void Step::RunLoop(ReadyNodes* ready) {
  if (observer_ != nullptr) return RunObservedLoop(ready);
  ReadyNode next;
  while (TakeNext(ready, &next)) RunNode(next, ready);
}

bool Step::TakeNext(ReadyNodes* ready, ReadyNode* next) {
  Frame& frame = *Frame::current_;
  if (frame.finished_ != nullptr) frame.CompleteCallsOf(this, ready);
  if (IsStopped()) {
    frame.CompleteCallsOf(this, ready);
    ready->cheap.clear();
    ready->costly.clear();
    return false;
  }
  while (!ready->cheap.empty()) {
    *next = ready->cheap.back();
    ready->cheap.pop_back();
    if (IsCostly(next->node) && !context_->run_inline) {
      ready->costly.push_back(*next);
      continue;
    }
    if (!ready->costly.empty() && ++ready->num_run_beside_costly >= kCheapBesideCostly) {
      HandOff(ready->costly.back());
      ready->costly.pop_back();
      ready->num_run_beside_costly = 0;
    }
    return true;
  }
  if (ready->costly.empty()) return false;
  const bool takes_one = !ready->leaves_costly;
  if (takes_one) {
    *next = ready->costly.back();
    ready->costly.pop_back();
  }
  for (const ReadyNode& other : ready->costly) HandOff(other);
  ready->costly.clear();
  return takes_one;
}

void Step::HandOff(ReadyNode next) {
  num_active_.fetch_add(1, std::memory_order_relaxed);
  context_->runtime->compute->Schedule([this, next] {
    Frame frame;
    ReadyNodes ready;
    ready.outputs.resize(static_cast<size_t>(plan_.max_outputs));
    if (observer_ != nullptr) ready.begin = context_->runtime->clock->Now();
    if (!IsStopped()) RunNode(next, &ready);
    RunLoop(&ready);
    Leave();
  });
}

void Step::RunNode(ReadyNode next, ReadyNodes* ready) {
  const PlanNode& node = plan_.nodes[static_cast<size_t>(next.node)];
  Iteration* const at = next.at;
  uint8_t& dead = at->Dead(next.node);
  const bool is_dead = dead != 0 && !node.revives;
  dead = 0;
  if (is_dead) {
    ClearInputs(node, at);
    if (node.runs_when_dead && !RunKernel(next, node, ready)) return;
    return Propagate(node, at, true, ready->outputs.data(), ready);
  }
  switch (node.kind) {
    case NodeKind::kKernel:
      if (!RunKernel(next, node, ready)) return;
      break;
    case NodeKind::kAsync:
      return StartAsync(next, node);
    case NodeKind::kConst:
      ready->outputs[0].tensor = plan_.constants[static_cast<size_t>(node.value_index)];
      break;
    case NodeKind::kArg:
      ready->outputs[0].tensor = context_->args[static_cast<size_t>(node.value_index)];
      break;
    case NodeKind::kResult:
      if (const Status status = Dereference(node, at); !status.ok()) return Fail(status, &node);
      context_->results[static_cast<size_t>(node.value_index)] = std::move(at->SlotsOf(node)->tensor);
      break;
    case NodeKind::kPass:
      if (const Status status = Dereference(node, at); !status.ok()) return Fail(status, &node);
      ready->outputs[0] = std::move(*at->SlotsOf(node));
      break;
    case NodeKind::kNothing:
      break;
  }
  if (observer_ != nullptr) Observe(node, ready->begin, ready->outputs);
  ClearInputs(node, at);
  Propagate(node, at, false, ready->outputs.data(), ready);
}

bool Step::RunKernel(ReadyNode next, const PlanNode& node, ReadyNodes* ready) {
  Status status = Dereference(node, next.at);
  if (status.ok()) {
    KernelContext context(next.at->context, node.node, {next.at->SlotsOf(node), static_cast<size_t>(node.num_inputs)},
                          {ready->outputs.data(), static_cast<size_t>(node.num_outputs)});
    if (is_measured_ && !node.cheap) {
      const TimePoint begin = context_->runtime->clock->Now();
      status = node.kernel->Compute(context);
      UpdateCost(next.node, begin);
    } else {
      status = node.kernel->Compute(context);
    }
  }
  if (status.ok()) status = CheckOutputs(node, ready->outputs);
  if (status.ok()) return true;
  Fail(status, &node);
  for (InputValue& output : ready->outputs) output = InputValue();
  return false;
}

void Step::UpdateCost(int32_t index, TimePoint begin) {
  const int64_t took_ns = std::clamp<int64_t>((context_->runtime->clock->Now() - begin).count(), 1, UINT32_MAX);
  std::atomic<uint32_t>& cost = plan_.cost_ns[static_cast<size_t>(index)];
  const int64_t before = cost.load(std::memory_order_relaxed);
  cost.store(static_cast<uint32_t>(before == 0 ? took_ns : before + (took_ns - before) / 4), std::memory_order_relaxed);
}

void Step::UpdateIsLong() {
  uint64_t total_ns = 0;
  for (const std::atomic<uint32_t>& cost : plan_.cost_ns) {
    const uint32_t cost_ns = cost.load(std::memory_order_relaxed);
    if (cost_ns > kCostlyNs) total_ns += cost_ns;
  }
  plan_.is_long.store(total_ns > kLongNs, std::memory_order_relaxed);
}

/// Replaces the variables that came over ref edges by their values of now.
Status Step::Dereference(const PlanNode& node, Iteration* at) {
  if (!node.has_ref_inputs) return OkStatus();
  for (int32_t i = 0; i < node.num_inputs; ++i) {
    InputValue& input = at->SlotsOf(node)[i];
    if (input.variable == nullptr) continue;
    input.tensor = input.variable->Read();
    if (!input.tensor.valid() && !node.node->definition().signature().allows_uninitialized_input) {
      return FailedPrecondition("Attempting to use uninitialized value ", node.node->input(i).node->name());
    }
    if (!IsRef(node.node->input_types()[static_cast<size_t>(i)])) input.variable = nullptr;
  }
  return OkStatus();
}

/// Kernels and peers are held to the types that the graph was checked with.
Status Step::CheckOutputs(const PlanNode& node, std::vector<InputValue>& outputs) const {
  const DType* const types = plan_.output_types.data() + node.first_output;
  for (int32_t i = 0; i < node.num_outputs; ++i) {
    const InputValue& output = outputs[static_cast<size_t>(i)];
    if (output.tensor.dtype() == types[i] || (IsRef(types[i]) && output.variable != nullptr)) continue;
    const bool is_missing = !output.tensor.valid();
    if (is_missing && node.may_leave_outputs) continue;
    if (is_missing) return Internal("Missing ", i, "-th output from ", node.node->ToString());
    return Internal("Output ", i, " of ", node.node->ToString(), " is ", output.tensor, ", it should be ", types[i]);
  }
  return OkStatus();
}

void Step::ClearInputs(const PlanNode& node, Iteration* at) {
  InputValue* const inputs = at->SlotsOf(node);
  const int32_t* const constants = plan_.slot_constant.data() + node.first_slot;
  for (int32_t i = 0; i < node.num_inputs; ++i) {
    if (constants[i] >= 0) {
      if (!inputs[i].tensor.valid()) inputs[i].tensor = plan_.constants[static_cast<size_t>(constants[i])];
      continue;
    }
    if (inputs[i].tensor.valid()) inputs[i].tensor = Tensor();
    if (inputs[i].variable != nullptr) inputs[i].variable = nullptr;
  }
}

void Step::StartAsync(ReadyNode next, const PlanNode& node) {
  if (const Status status = Dereference(node, next.at); !status.ok()) return Fail(status, &node);
  num_active_.fetch_add(1, std::memory_order_relaxed);
  auto* call = new AsyncCall;
  call->step = this;
  call->ready = next;
  call->outputs.resize(static_cast<size_t>(node.num_outputs));
  call->context.emplace(next.at->context, node.node,
                        std::span(next.at->SlotsOf(node), static_cast<size_t>(node.num_inputs)),
                        std::span(call->outputs));
  if (observer_ != nullptr) call->begin = context_->runtime->clock->Now();
  node.async->ComputeAsync(*call->context, [call](const Status& status) {
    call->status = status;
    Frame::Continue(call);
  });
}

void Step::FinishAsync(AsyncCall* call, ReadyNodes* ready) {
  const std::unique_ptr<AsyncCall> owned(call);
  const PlanNode& node = plan_.nodes[static_cast<size_t>(call->ready.node)];
  Status status = call->status;
  if (status.ok()) status = CheckOutputs(node, call->outputs);
  if (!status.ok()) {
    if (context_->cancellation->IsCancelled()) NoteInterrupted(node.node);
    return Fail(status, &node);
  }
  if (failed_.load(std::memory_order_relaxed)) return;
  if (observer_ != nullptr) Observe(node, call->begin, call->outputs);
  ClearInputs(node, call->ready.at);
  // A receive may bring a dead value; then all that hangs on it is dead, also by control.
  const bool is_dead = node.num_outputs > 0 && node.may_leave_outputs && !call->outputs[0].tensor.valid();
  Propagate(node, call->ready.at, is_dead, call->outputs.data(), ready);
}

thread_local Frame* Frame::current_ = nullptr;

Frame::~Frame() {
  while (AsyncCall* call = Pop()) {
    if (outer_ != nullptr) {  // an inner frame is not the place to run other steps
      call->next = outer_->finished_;
      outer_->finished_ = call;
      continue;
    }
    Step* const step = call->step;
    ReadyNodes ready;
    ready.outputs.resize(static_cast<size_t>(step->plan_.max_outputs));
    ready.leaves_costly = !step->context_->runtime->compute->InPool();  // it brought news and has its own work to do
    step->FinishAsync(call, &ready);
    step->RunLoop(&ready);
    step->Leave();
  }
  current_ = outer_;
}

void Frame::Continue(AsyncCall* call) {
  if (current_ != nullptr) {
    call->next = current_->finished_;
    current_->finished_ = call;
    return;
  }
  Frame frame;
  frame.finished_ = call;
}

AsyncCall* Frame::Pop() {
  AsyncCall* call = finished_;
  if (call != nullptr) finished_ = call->next;
  return call;
}

void Frame::CompleteCallsOf(Step* step, ReadyNodes* ready) {
  AsyncCall* others = nullptr;
  while (AsyncCall* call = Pop()) {
    if (call->step == step) {
      step->FinishAsync(call, ready);
      step->num_active_.fetch_sub(1, std::memory_order_relaxed);  // the caller is active itself
    } else if (!ready->cheap.empty() || !ready->costly.empty()) {
      step->context_->runtime->compute->Schedule([call] {
        call->next = nullptr;
        Continue(call);
      });
    } else {
      call->next = others;
      others = call;
    }
  }
  finished_ = others;
}

}  // namespace headrace
