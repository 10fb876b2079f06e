// _Arg, _Retval: the ends of a function, or of a graph that is fed and fetched by index. A step plan binds them to the
// caller's arguments and results when it is compiled; these kernels serve the nodes that also wait for a control input.
// Errors: kInvalidArgument for an index beyond what the caller gave.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

class ArgCpu final : public Kernel {
 public:
  explicit ArgCpu(KernelConstruction& construction) : index_(construction.attr<int64_t>("index")) {}
  Status Compute(KernelContext& c) override {
    const auto& args = c.step().args;
    if (index_ < 0 || static_cast<size_t>(index_) >= args.size()) {
      return InvalidArgument("_Arg: index ", index_, " is not below the number of arguments, ", args.size());
    }
    return c.SetOutput(0, args[static_cast<size_t>(index_)]);
  }

 private:
  const int64_t index_;
};

class RetvalCpu final : public Kernel {
 public:
  explicit RetvalCpu(KernelConstruction& construction) : index_(construction.attr<int64_t>("index")) {}
  Status Compute(KernelContext& c) override {
    const auto& results = c.step().results;
    if (index_ < 0 || static_cast<size_t>(index_) >= results.size()) {
      return InvalidArgument("_Retval: index ", index_, " is not below the number of results, ", results.size());
    }
    results[static_cast<size_t>(index_)] = c.TakeInput(0);
    return OkStatus();
  }

 private:
  const int64_t index_;
};

}  // namespace

OpDefinition Arg() {
  return OpDefinition("_Arg() -> (output: T) | T: type | index: int >= 0 | stateful")
      .Shape(UnknownShape)
      .NoGradient("the end of a function")
      .Kernels(AnyType(ClassKernel<ArgCpu>(), /*cheap=*/true));
}

OpDefinition Retval() {
  return OpDefinition("_Retval(input: T) -> () | T: type | index: int >= 0 | stateful")
      .Shape(NoOutputs)
      .NoGradient("no outputs")
      .Kernels(AnyType(ClassKernel<RetvalCpu>(), /*cheap=*/true));
}

}  // namespace headrace
