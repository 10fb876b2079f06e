// Kernel: an op's computation for one node. KernelContext: one call of it. KernelConstruction: the node it is made for.
//
// A kernel that needs no attributes is a function (FunctionKernel); one with attributes reads them once, in its constructor
// or a static Create. Kernels never block: one that waits is an AsyncKernel.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "kernel/function_runner.h"
#include "kernel/rendezvous.h"
#include "kernel/resource.h"
#include "kernel/runtime.h"
#include "kernel/variable.h"

namespace headrace {

/// What a kernel may know when it is made.
class HR_EXPORT KernelConstruction {
 public:
  KernelConstruction(const Node& node, std::string device, Runtime* runtime, ResourceManager* resources,
                     std::shared_ptr<FunctionRunner> functions)
      : node_(node),
        device_(std::move(device)),
        runtime_(runtime),
        resources_(resources),
        functions_(std::move(functions)) {}

  const Node& node() const { return node_; }
  template <typename T> Status GetAttr(std::string_view name, T* value) const { return node_.GetAttr(name, value); }
  template <typename T> T attr(std::string_view name, T fallback = T()) const {
    return GetAttrOr<T>(node_.attrs(), name, fallback);
  }
  /// Full name of the device the kernel runs on.
  const std::string& device() const { return device_; }
  Runtime& runtime() const { return *runtime_; }
  ResourceManager& resources() const { return *resources_; }
  const std::shared_ptr<FunctionRunner>& functions() const { return functions_; }

 private:
  const Node& node_;
  const std::string device_;
  Runtime* runtime_;
  ResourceManager* resources_;
  std::shared_ptr<FunctionRunner> functions_;
};

/// The same for all kernels of one step on one device. Lives until the step's last kernel is done.
struct HR_EXPORT StepContext {
  int64_t step_id = 0;
  std::string device;
  Runtime* runtime = nullptr;
  ResourceManager* resources = nullptr;
  std::shared_ptr<FunctionRunner> functions;
  Rendezvous* rendezvous = nullptr;  // null where no edge leaves the device
  CancellationToken* cancellation = nullptr;
  std::span<const Tensor> args;  // by the index of `_Arg`: function arguments, or feeds
  std::span<Tensor> owned_args;  // the args again, where the step may take them away; else empty
  std::span<Tensor> results;     // by the index of `_Retval`: function results, or fetches
  bool run_inline = false;       // keep the whole step on the calling thread
};

/// What arrives at an input: a tensor, or for a ref input the variable behind it.
struct HR_EXPORT InputValue {
  Tensor tensor;
  std::shared_ptr<Variable> variable;  // ref edges only
};

/// One call of a kernel. Created by the executor; valid until Compute returns, or `done` is called.
class HR_EXPORT KernelContext {
 public:
  KernelContext(StepContext* step, const Node* node, std::span<InputValue> inputs, std::span<InputValue> outputs)
      : step_(step), node_(node), inputs_(inputs), outputs_(outputs) {}

  StepContext& step() const { return *step_; }
  const Node& node() const { return *node_; }
  Runtime& runtime() const { return *step_->runtime; }
  ResourceManager& resources() const { return *step_->resources; }
  CancellationToken* cancellation() const { return step_->cancellation; }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  /// The value; of a ref input, the variable's value when the kernel started.
  const Tensor& input(int i) const { return inputs_[static_cast<size_t>(i)].tensor; }
  const std::shared_ptr<Variable>& input_variable(int i) const { return inputs_[static_cast<size_t>(i)].variable; }
  /// Takes the input away, so that its buffer may become the output's.
  Tensor TakeInput(int i) { return std::move(inputs_[static_cast<size_t>(i)].tensor); }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  Status SetOutput(int i, Tensor value) {
    outputs_[static_cast<size_t>(i)].tensor = std::move(value);
    return OkStatus();
  }
  /// For ref outputs.
  Status SetOutputVariable(int i, std::shared_ptr<Variable> variable) {
    outputs_[static_cast<size_t>(i)].variable = std::move(variable);
    return OkStatus();
  }
  const Tensor& output(int i) const { return outputs_[static_cast<size_t>(i)].tensor; }
  /// Allocates output i with the node's output type, charged to the task. Errors: kResourceExhausted.
  Result<Tensor*> AllocateOutput(int i, const Shape& shape);
  Result<Tensor> AllocateTemporary(DType dtype, const Shape& shape);
  /// Output i in the buffer of the first of `inputs` that dies here and has the output's dtype size and number of elements, else
  /// a new one. After it, that input is only to be read element by element together with writing the output.
  Result<Tensor*> AllocateOrReuse(int i, std::initializer_list<int> inputs, const Shape& shape);

  /// Looks up the resource behind the handle in input i. Errors: kInvalidArgument when the handle belongs to another device
  /// (names both), kNotFound, kFailedPrecondition.
  template <typename T> Result<std::shared_ptr<T>> LookupResource(int i) const {
    HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, Handle(i));
    return step_->resources->template Lookup<T>(handle->container, handle->name);
  }
  Result<const ResourceHandle*> Handle(int i) const;

  /// Runs body(begin, end) over [0, total) on the compute pool where it is worth it (see ThreadPool::ParallelFor).
  void ParallelFor(int64_t total, double cost_ns, const std::function<void(int64_t, int64_t)>& body) const {
    if (step_->run_inline || static_cast<double>(total) * cost_ns < 100'000) {
      body(0, total);
    } else {
      step_->runtime->compute->ParallelFor(total, cost_ns, body);
    }
  }

 private:
  StepContext* step_;
  const Node* node_;
  std::span<InputValue> inputs_;
  std::span<InputValue> outputs_;
};

/// Shared by all concurrent steps of a session that run its node: Compute is thread-safe, state is in Resources.
class HR_EXPORT Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Status Compute(KernelContext& context) = 0;
  /// Non-null when the kernel waits.
  virtual class AsyncKernel* AsAsync() { return nullptr; }
};

/// A kernel that may finish later, on any thread.
class HR_EXPORT AsyncKernel : public Kernel {
 public:
  using Done = std::function<void(const Status&)>;
  /// Calls `done` exactly once, maybe before returning; the context stays valid until then. Must end soon after the step's
  /// cancellation.
  virtual void ComputeAsync(KernelContext& context, Done done) = 0;
  Status Compute(KernelContext& context) final;  // waits; for use outside the executor
  AsyncKernel* AsAsync() final { return this; }
};

using KernelFunction = Status (*)(KernelContext&);

/// A factory for a kernel without attributes.
HR_EXPORT KernelFactory FunctionKernel(KernelFunction function);

/// A factory for class K: by `static Result<std::unique_ptr<Kernel>> K::Create(KernelConstruction&)` where it exists, else by
/// its constructor from KernelConstruction&.
template <typename K> KernelFactory ClassKernel() {
  return [](KernelConstruction& construction) -> Result<std::unique_ptr<Kernel>> {
    if constexpr (requires { K::Create(construction); }) {
      return K::Create(construction);
    } else if constexpr (std::is_constructible_v<K, KernelConstruction&>) {
      return std::unique_ptr<Kernel>(std::make_unique<K>(construction));
    } else {
      return std::unique_ptr<Kernel>(std::make_unique<K>());
    }
  };
}

/// One kernel for all types.
inline std::vector<KernelDefinition> AnyType(KernelFactory factory, bool cheap = false) {
  return {KernelDefinition{.factory = std::move(factory), .cheap = cheap}};
}

/// KernelsFor<float, double>("T", []<typename T>() { return ClassKernel<Softmax<T>>(); }): one kernel for each type of attr `T`.
template <typename... Ts, typename MakeFactory>
std::vector<KernelDefinition> KernelsFor(std::string attr, MakeFactory make) {
  std::vector<KernelDefinition> kernels;
  (kernels.push_back(KernelDefinition{.types = {{attr, {kDTypeOf<Ts>}}}, .factory = make.template operator()<Ts>()}),
   ...);
  return kernels;
}

/// Combines lists of kernels.
inline std::vector<KernelDefinition> Join(std::vector<KernelDefinition> a, std::vector<KernelDefinition> b) {
  for (KernelDefinition& kernel : b) a.push_back(std::move(kernel));
  return a;
}

}  // namespace headrace
