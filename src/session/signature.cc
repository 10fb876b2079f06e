#include "session/signature.h"

#include <algorithm>

#include "passes/tensor_name.h"

namespace headrace {

namespace {

/// Sorts the names; returns for each its index in the result.
std::vector<size_t> SortUnique(const std::vector<std::string>& names, std::vector<std::string>* sorted) {
  *sorted = names;
  std::ranges::sort(*sorted);
  sorted->erase(std::unique(sorted->begin(), sorted->end()), sorted->end());
  std::vector<size_t> indices;
  for (const std::string& name : names) {
    indices.push_back(static_cast<size_t>(std::ranges::lower_bound(*sorted, name) - sorted->begin()));
  }
  return indices;
}

void AppendKey(std::string* key, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    *key += name;
    *key += ',';  // never part of a name
  }
  *key += ';';
}

}  // namespace

std::string CanonicalName(const std::string& text) {
  const std::optional<TensorName> name = TensorName::Parse(text);
  return name ? name->ToString() : text;
}

std::string Signature::Key() const {
  std::string key;
  AppendKey(&key, feeds);
  AppendKey(&key, fetches);
  AppendKey(&key, targets);
  return key;
}

Result<SignatureOrder> OrderSignature(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                      const std::vector<std::string>& targets) {
  if (fetches.empty() && targets.empty())
    return InvalidArgument("Must specify at least one target to fetch or execute.");
  std::vector<std::string> fed, fetched;
  for (const std::string& feed : feeds) fed.push_back(CanonicalName(feed));
  for (const std::string& fetch : fetches) fetched.push_back(CanonicalName(fetch));
  SignatureOrder order;
  order.feeds = SortUnique(fed, &order.signature.feeds);
  if (order.signature.feeds.size() != fed.size()) {
    for (size_t i = 0; i < fed.size(); ++i) {
      if (std::ranges::count(fed, fed[i]) > 1) return InvalidArgument("Endpoint \"", fed[i], "\" fed more than once.");
    }
  }
  order.fetches = SortUnique(fetched, &order.signature.fetches);
  for (const std::string& fetch : order.signature.fetches) {
    if (std::ranges::binary_search(order.signature.feeds, fetch))
      return InvalidArgument(fetch, " is both fed and fetched.");
  }
  SortUnique(targets, &order.signature.targets);
  return order;
}

}  // namespace headrace
