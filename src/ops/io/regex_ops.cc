// RegexFullMatch, StaticRegexFullMatch: whether each string matches a pattern (RE2's syntax) from end to end.
// Errors: kInvalidArgument "Invalid pattern: PATTERN, error: CAUSE".
#include <re2/re2.h>

#include <mutex>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

Result<std::shared_ptr<const RE2>> Compile(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(pattern, options);
  if (!compiled->ok()) return InvalidArgument("Invalid pattern: ", pattern, ", error: ", compiled->error());
  return compiled;
}

Status FullMatch(KernelContext& c, const RE2& pattern) {
  const std::span<const std::string> in = c.input(0).data<std::string>();
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  const std::span<bool> out = output->mutable_data<bool>();
  for (size_t i = 0; i < in.size(); ++i) out[i] = RE2::FullMatch(in[i], pattern);
  return OkStatus();
}

class RegexKernel final : public Kernel {
 public:
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string* pattern, StringScalar(c, 1, "pattern"));
    std::shared_ptr<const RE2> compiled;
    {
      std::lock_guard lock(mutex_);
      if (last_ != nullptr && last_->pattern() == *pattern) compiled = last_;
    }
    if (compiled == nullptr) {
      HR_ASSIGN_OR_RETURN(compiled, Compile(*pattern));
      std::lock_guard lock(mutex_);
      last_ = compiled;
    }
    return FullMatch(c, *compiled);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const RE2> last_;  // guarded by mutex_; patterns seldom change
};

class StaticRegexKernel final : public Kernel {
 public:
  explicit StaticRegexKernel(std::shared_ptr<const RE2> pattern) : pattern_(std::move(pattern)) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const RE2> pattern, Compile(construction.attr<std::string>("pattern")));
    return std::unique_ptr<Kernel>(std::make_unique<StaticRegexKernel>(std::move(pattern)));
  }
  Status Compute(KernelContext& c) override { return FullMatch(c, *pattern_); }

 private:
  const std::shared_ptr<const RE2> pattern_;
};

Status RegexShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  return c.SetOutput(0, c.input(0));
}

}  // namespace

std::vector<OpDefinition> RegexOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("RegexFullMatch(input: str, pattern: str) -> (output: bool)")
                    .Shape(RegexShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<RegexKernel>())));
  ops.push_back(OpDefinition("StaticRegexFullMatch(input: str) -> (output: bool) | pattern: string")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<StaticRegexKernel>())));
  return ops;
}

}  // namespace headrace
