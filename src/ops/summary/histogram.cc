#include "ops/summary/histogram.h"

#include <algorithm>
#include <limits>

namespace headrace {

namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

// Upper ends of the buckets, which begin where the one before ends.
const std::vector<double>& Limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> positive;
    for (double limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push_back(limit);
    positive.push_back(kLargest);
    std::vector<double> all;
    for (auto limit = positive.rbegin(); limit != positive.rend(); ++limit) all.push_back(-*limit);
    all.push_back(0);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
  }();
  return limits;
}

}  // namespace

Histogram::Histogram() : min_(kLargest), max_(-kLargest), counts_(Limits().size(), 0) {}

void Histogram::Add(double value) {
  const auto bucket = std::ranges::upper_bound(Limits(), value) - Limits().begin();
  ++counts_[std::min(static_cast<size_t>(bucket), counts_.size() - 1)];
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  ++num_;
  sum_ += value;
  sum_squares_ += value * value;
}

std::vector<Histogram::Bucket> Histogram::Buckets() const {
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < counts_.size(); ++i) {
    while (counts_[i] == 0 && i + 1 < counts_.size() && counts_[i + 1] == 0) ++i;
    buckets.push_back({Limits()[i], counts_[i]});
  }
  return buckets;
}

}  // namespace headrace
