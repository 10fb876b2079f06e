#include "kernel/variable.h"

namespace headrace {

Result<Tensor*> Variable::MutableValueLocked(const std::shared_ptr<MemoryAccount>& account) {
  if (!value_.valid()) return FailedPrecondition("Attempting to use uninitialized value: ", DebugString());
  if (!value_.OwnsBuffer()) {
    HR_ASSIGN_OR_RETURN(value_, value_.Clone(account));
  }
  return &value_;
}

std::string Variable::DebugString() const { return StrCat("Var ", dtype_, shape_); }

}  // namespace headrace
