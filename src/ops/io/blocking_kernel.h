// BlockingKernel: a kernel that reads or writes files. It runs on the blocking pool, so that no compute thread waits.
#pragma once

#include "kernel/kernel.h"

namespace headrace {

class BlockingKernel : public AsyncKernel {
 public:
  void ComputeAsync(KernelContext& context, Done done) final {
    if (context.step().run_inline) return done(Run(context));
    context.runtime().blocking->Schedule([this, &context, done = std::move(done)] { done(Run(context)); });
  }

 protected:
  virtual Status Run(KernelContext& context) const = 0;
};

/// A blocking kernel from a function, for ops without attributes.
template <Status (*kFunction)(KernelContext&)> class BlockingFunctionKernel final : public BlockingKernel {
 protected:
  Status Run(KernelContext& context) const override { return kFunction(context); }
};

}  // namespace headrace
