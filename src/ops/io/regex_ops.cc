// RegexFullMatch, StaticRegexFullMatch: whether each string matches a pattern (RE2's syntax) from end to end.
// RegexReplace, StaticRegexReplace: the first match, or all matches, replaced; "\\1" in the rewrite is the first group. A rewrite
// that names a group which does not exist changes nothing.
// Errors: kInvalidArgument "Invalid pattern: PATTERN, error: CAUSE".
#include <re2/re2.h>

#include <algorithm>
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

Status Replace(KernelContext& c, const RE2& pattern, const std::string& rewrite, bool global) {
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  std::ranges::copy(c.input(0).data<std::string>(), output->mutable_data<std::string>().begin());
  std::string why;
  if (!pattern.CheckRewriteString(rewrite, &why)) return OkStatus();
  for (std::string& text : output->mutable_data<std::string>()) {
    if (global)
      RE2::GlobalReplace(&text, pattern, rewrite);
    else
      RE2::Replace(&text, pattern, rewrite);
  }
  return OkStatus();
}

/// The pattern of the last call, compiled: patterns seldom change. Thread-safe.
class PatternCache {
 public:
  Result<std::shared_ptr<const RE2>> Get(const std::string& pattern) {
    {
      std::lock_guard lock(mutex_);
      if (last_ != nullptr && last_->pattern() == pattern) return last_;
    }
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const RE2> compiled, Compile(pattern));
    std::lock_guard lock(mutex_);
    last_ = compiled;
    return compiled;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const RE2> last_;  // guarded by mutex_
};

class RegexKernel final : public Kernel {
 public:
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string* pattern, StringScalar(c, 1, "pattern"));
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const RE2> compiled, cache_.Get(*pattern));
    return FullMatch(c, *compiled);
  }

 private:
  PatternCache cache_;
};

class ReplaceKernel final : public Kernel {
 public:
  explicit ReplaceKernel(KernelConstruction& c) : global_(c.attr<bool>("replace_global", true)) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::string* pattern, StringScalar(c, 1, "pattern"));
    HR_ASSIGN_OR_RETURN(const std::string* rewrite, StringScalar(c, 2, "rewrite"));
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const RE2> compiled, cache_.Get(*pattern));
    return Replace(c, *compiled, *rewrite, global_);
  }

 private:
  const bool global_;
  PatternCache cache_;
};

class StaticReplaceKernel final : public Kernel {
 public:
  StaticReplaceKernel(std::shared_ptr<const RE2> pattern, std::string rewrite, bool global)
      : pattern_(std::move(pattern)), rewrite_(std::move(rewrite)), global_(global) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const RE2> pattern, Compile(c.attr<std::string>("pattern")));
    return std::unique_ptr<Kernel>(std::make_unique<StaticReplaceKernel>(
        std::move(pattern), c.attr<std::string>("rewrite"), c.attr<bool>("replace_global", true)));
  }
  Status Compute(KernelContext& c) override { return Replace(c, *pattern_, rewrite_, global_); }

 private:
  const std::shared_ptr<const RE2> pattern_;
  const std::string rewrite_;
  const bool global_;
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
  for (int i = 1; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.RequireScalar(i));
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
  ops.push_back(
      OpDefinition("RegexReplace(input: str, pattern: str, rewrite: str) -> (output: str) | replace_global: bool "
                   "= true")
          .Shape(RegexShape)
          .NoGradient("strings")
          .Kernels(AnyType(ClassKernel<ReplaceKernel>())));
  ops.push_back(OpDefinition("StaticRegexReplace(input: str) -> (output: str) | pattern: string | rewrite: string | "
                             "replace_global: bool = true")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<StaticReplaceKernel>())));
  return ops;
}

}  // namespace headrace
