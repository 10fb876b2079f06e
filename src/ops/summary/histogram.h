// Histogram: how TensorBoard's histograms count values: buckets that grow by a tenth each, from 1e-12 to 1e20, both signs.
#pragma once

#include <vector>

namespace headrace {

class Histogram {
 public:
  Histogram();
  /// REQUIRES: finite.
  void Add(double value);

  double min() const { return min_; }
  double max() const { return max_; }
  double num() const { return num_; }
  double sum() const { return sum_; }
  double sum_squares() const { return sum_squares_; }

  /// Buckets as a summary lists them, a run of empty ones as one: what the values are at most, and how many there are.
  struct Bucket {
    double limit;
    double count;
  };
  std::vector<Bucket> Buckets() const;

 private:
  double min_, max_;
  double num_ = 0, sum_ = 0, sum_squares_ = 0;
  std::vector<double> counts_;
};

}  // namespace headrace
