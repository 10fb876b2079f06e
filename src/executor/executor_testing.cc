#include "executor/executor_testing.h"

#include <mutex>

#include "base/check.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

/// Definitions are never destroyed: kernels of static tests may outlive static objects.
const OpDefinition& Keep(OpDefinition definition) { return *new OpDefinition(std::move(definition)); }

Status AddScalars(KernelContext& c) {
  const float sum = c.input(0).scalar<float>() + c.input(1).scalar<float>();
  HR_ASSIGN_OR_RETURN(Tensor * z, c.AllocateOrReuse(0, {0, 1}, Shape()));
  z->mutable_data<float>()[0] = sum;
  return OkStatus();
}

Status BusyAdd(KernelContext& c) {
  const TimePoint until = RealClock().Now() + std::chrono::microseconds(100);
  while (RealClock().Now() < until) {
  }
  return AddScalars(c);
}

class CountKernel final : public Kernel {
 public:
  Status Compute(KernelContext& c) override {
    return c.SetOutput(0, Tensor::Scalar(static_cast<float>(count_.fetch_add(1) + 1)));
  }

 private:
  std::atomic<int> count_{0};
};

/// Calls what waits when it opens, without its lock.
struct Gate {
  std::mutex mutex;
  bool open = false;
  uint64_t next_id = 1;
  std::map<uint64_t, std::function<void(bool)>> waiting;  // by id; told whether the gate opened

  static Gate& Instance() {
    static auto* gate = new Gate;
    return *gate;
  }
  std::function<void(bool)> Take(uint64_t id) {
    std::lock_guard lock(mutex);
    const auto found = waiting.find(id);
    if (found == waiting.end()) return [](bool) {};
    auto callback = std::move(found->second);
    waiting.erase(found);
    return callback;
  }
};

class WaitKernel final : public AsyncKernel {
 public:
  void ComputeAsync(KernelContext& c, Done done) override {
    Gate& gate = Gate::Instance();
    std::unique_lock lock(gate.mutex);
    if (gate.open) {
      lock.unlock();
      return done(c.SetOutput(0, c.TakeInput(0)));
    }
    const uint64_t id = gate.next_id++;
    const uint64_t callback = c.cancellation()->OnCancel([id] { Gate::Instance().Take(id)(false); });
    if (callback == 0) {
      lock.unlock();
      return done(c.cancellation()->status());
    }
    gate.waiting[id] = [&c, done = std::move(done), callback](bool opened) {
      CancellationToken* token = c.cancellation();
      if (!opened) return done(token->status());
      token->Deregister(callback);
      done(c.SetOutput(0, c.TakeInput(0)));
    };
  }
};

Status RefToVariable(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Variable> variable,
                      c.resources().LookupOrCreate<Variable>("", "v", []() -> Result<std::shared_ptr<Variable>> {
                        return std::make_shared<Variable>(DType::kFloat, PartialShape());
                      }));
  return c.SetOutputVariable(0, std::move(variable));
}

Status SetVariable(KernelContext& c) {
  c.input_variable(0)->Assign(c.input(1));
  return c.SetOutputVariable(0, c.input_variable(0));
}

const OpDefinition& ConstDefinition() {
  static const OpDefinition& definition =
      Keep(OpDefinition("Const() -> (output: dtype) | value: tensor | dtype: type"));
  return definition;
}

}  // namespace

const OpDefinition& TestAdd() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestAdd(x: f32, y: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel(AddScalars))));
  return definition;
}
const OpDefinition& TestBusy() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestBusy(x: f32, y: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel(BusyAdd))));
  return definition;
}
const OpDefinition& TestFail() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestFail(x: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel([](KernelContext&) -> Status {
        return InvalidArgument("the test wants it");
      }))));
  return definition;
}
const OpDefinition& TestCount() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestCount() -> (z: f32) | stateful").Kernels(AnyType(ClassKernel<CountKernel>())));
  return definition;
}
const OpDefinition& TestWait() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestWait(x: f32) -> (z: f32)").Kernels(AnyType(ClassKernel<WaitKernel>())));
  return definition;
}
const OpDefinition& TestRef() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestRef() -> (ref: Ref(f32)) | stateful").Kernels(AnyType(FunctionKernel(RefToVariable))));
  return definition;
}
const OpDefinition& TestSet() {
  static const OpDefinition& definition =
      Keep(OpDefinition("TestSet(ref: Ref(f32), value: f32) -> (output_ref: Ref(f32)) "
                        "| allows_uninitialized_input")
               .Kernels(AnyType(FunctionKernel(SetVariable))));
  return definition;
}

void CloseGate() {
  std::lock_guard lock(Gate::Instance().mutex);
  Gate::Instance().open = false;
}

void OpenGate() {
  std::map<uint64_t, std::function<void(bool)>> waiting;
  {
    std::lock_guard lock(Gate::Instance().mutex);
    Gate::Instance().open = true;
    waiting.swap(Gate::Instance().waiting);
  }
  for (auto& [id, callback] : waiting) callback(true);
}

Endpoint TestGraph::Op(const OpDefinition& definition, std::vector<Endpoint> inputs, AttrMap attrs,
                       std::vector<Node*> controls, std::string name) {
  NodeSpec spec;
  spec.name = name.empty() ? graph_->UniqueName(definition.name()) : std::move(name);
  spec.definition = &definition;
  spec.attrs = std::move(attrs);
  spec.inputs = std::move(inputs);
  spec.control_inputs = std::move(controls);
  Result<Node*> node = graph_->AddNode(std::move(spec));
  HR_CHECK(node.ok());
  return Endpoint{*node, 0};
}

Endpoint TestGraph::Const(const Tensor& value, std::vector<Node*> controls) {
  return Op(ConstDefinition(), {}, {{"value", value}, {"dtype", value.dtype()}}, std::move(controls));
}
Endpoint TestGraph::Arg(DType dtype, int index) {
  static const OpDefinition& definition = Keep(headrace::Arg());
  return Op(definition, {}, {{"T", dtype}, {"index", index}});
}
Node* TestGraph::Retval(Endpoint value, int index, std::vector<Node*> controls) {
  static const OpDefinition& definition = Keep(headrace::Retval());
  return Op(definition, {value}, {{"T", RemoveRef(value.dtype())}, {"index", index}}, std::move(controls)).node;
}
Endpoint TestGraph::Add(Endpoint a, Endpoint b, std::vector<Node*> controls, std::string name) {
  return Op(TestAdd(), {a, b}, {}, std::move(controls), std::move(name));
}
Node* TestGraph::Switch(Endpoint data, Endpoint pred) {
  static const OpDefinition& definition = Keep(headrace::Switch());
  return Op(definition, {data, pred}, {{"T", data.dtype()}}).node;
}
Endpoint TestGraph::Merge(std::vector<Endpoint> inputs, std::vector<Node*> controls) {
  static const OpDefinition& definition = Keep(headrace::Merge());
  const AttrMap attrs = {{"T", inputs[0].dtype()}, {"N", static_cast<int>(inputs.size())}};
  return Op(definition, std::move(inputs), attrs, std::move(controls));
}

Result<std::shared_ptr<const StepPlan>> TestGraph::Compile(KernelCache* kernels) {
  PlanEnvironment environment;
  environment.device = kTestDevice;
  environment.runtime = Runtime::Default();
  environment.resources = std::make_shared<ResourceManager>();
  environment.kernels = kernels;
  return StepPlan::Compile(graph_, environment);
}

Result<std::vector<Tensor>> TestGraph::Run(std::vector<Tensor> args, CancellationToken* cancellation) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<const StepPlan> plan, Compile());
  return RunStep(*plan, args, cancellation);
}

Result<std::vector<Tensor>> RunStep(const StepPlan& plan, const std::vector<Tensor>& args,
                                    CancellationToken* cancellation, Rendezvous* rendezvous) {
  std::vector<Tensor> results(plan.fetches().size());
  StepContext step = plan.NewContext();
  step.args = args;
  step.results = results;
  step.cancellation = cancellation;
  step.rendezvous = rendezvous;
  HR_RETURN_IF_ERROR(plan.RunAndWait(&step));
  return results;
}

}  // namespace headrace
