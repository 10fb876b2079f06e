// ChargeAccount: the one place that refuses an allocation over a budget, and its words.
#pragma once

#include "tensor/buffer.h"

namespace headrace {

/// Charges `size_bytes` to `account`, which may be null. Errors: kResourceExhausted with what is in use; then nothing is charged.
inline Status ChargeAccount(const std::shared_ptr<MemoryAccount>& account, int64_t size_bytes) {
  if (account == nullptr || account->Charge(size_bytes)) return OkStatus();
  return ResourceExhausted("OOM when allocating ", size_bytes, " bytes: ", account->used_bytes(), " of ",
                           account->limit_bytes(), " bytes are in use");
}

}  // namespace headrace
