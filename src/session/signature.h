// Signature: what a step feeds, fetches and runs, in one canonical form, so that callers who name the same things in another order
// share one prepared graph. Binding: how one caller's order maps to it.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace headrace {

/// Sorted, without repetitions; tensors are "name:k".
struct Signature {
  std::vector<std::string> feeds;
  std::vector<std::string> fetches;
  std::vector<std::string> targets;

  /// Tells signatures apart exactly.
  std::string Key() const;
};

/// "x" as "x:0"; what is no name stays as it is: pruning then reports that it was not found.
std::string CanonicalName(const std::string& text);

struct SignatureOrder {
  Signature signature;
  std::vector<size_t> feeds;    // by the caller's position: the index in the signature
  std::vector<size_t> fetches;  // by the caller's position
};

/// Errors: kInvalidArgument for a tensor fed twice or fed and fetched, or when nothing is asked for.
Result<SignatureOrder> OrderSignature(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                      const std::vector<std::string>& targets);

}  // namespace headrace
