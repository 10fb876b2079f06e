// What the demo shows: a progress line while it trains, and its result.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "flights/progress.h"

namespace flights {

/// One line that is rewritten on a terminal; elsewhere a new line every few seconds.
class ProgressLine {
 public:
  ProgressLine(int64_t first_step, int64_t last_step, int64_t batch)
      : first_step_(first_step), last_step_(last_step), batch_(batch), begin_(Clock::now()), next_(begin_) {}

  void Show(int64_t step, float loss) {
    loss_ = loss_ == 0 ? loss : 0.98f * loss_ + 0.02f * loss;
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + (is_terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(2000));
    const double seconds = std::max(std::chrono::duration<double>(now - begin_).count(), 1e-3);
    const double rate = static_cast<double>(step - first_step_) / seconds;
    const double left = static_cast<double>(std::max<int64_t>(last_step_ - step, 0)) / std::max(rate, 1e-3);
    std::printf("%sstep %lld of %lld  %.0f examples/s  loss %.4f  %.0f s left%s", is_terminal_ ? "\r" : "",
                static_cast<long long>(step), static_cast<long long>(last_step_), rate * static_cast<double>(batch_),
                static_cast<double>(loss_), left, is_terminal_ ? "   " : "\n");
    std::fflush(stdout);
  }
  void End() const {
    if (is_terminal_) std::printf("\n");
  }

 private:
  using Clock = std::chrono::steady_clock;
  const int64_t first_step_, last_step_, batch_;
  const Clock::time_point begin_;
  Clock::time_point next_;
  float loss_ = 0;
  const bool is_terminal_ = isatty(STDOUT_FILENO) != 0;
};

/// The area under the ROC curve: the chance that a positive example scores above a negative one, ties counting half.
inline double AreaUnderCurve(const std::vector<float>& scores, const std::vector<float>& labels) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  double positive_ranks = 0, positives = 0;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end + 1) / 2;  // the mean of the tied ranks, from 1
    for (size_t i = begin; i < end; ++i) {
      if (labels[order[i]] < 0.5f) continue;
      positive_ranks += rank;
      ++positives;
    }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  return (positive_ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

/// Prints the result, and writes it to `file` as JSON. Errors: INTERNAL when the workers did not use each record once an epoch.
inline hr::Status Report(double auc, const std::vector<Used>& used, int64_t records, int64_t epochs, double seconds,
                         const std::string& file) {
  nlohmann::ordered_json result = {{"auc", auc}, {"records_per_epoch", records}, {"epochs", epochs}};
  int64_t total = 0;
  nlohmann::ordered_json steps;
  for (size_t i = 0; i < used.size(); ++i) {
    total += used[i].records;
    steps["worker:" + std::to_string(i)] = used[i].steps;
    std::printf("worker %zu: %lld steps, %lld records\n", i, static_cast<long long>(used[i].steps),
                static_cast<long long>(used[i].records));
  }
  result["records_used"] = total;
  result["steps"] = steps;
  result["seconds"] = seconds;
  std::printf("AUC on the test month: %.4f\n", auc);
  if (!file.empty()) std::ofstream(file) << result.dump() << "\n";
  if (!Progress::IsExact(used, records, epochs)) {
    return hr::Status(hr::Code::kInternal, "the workers used " + std::to_string(total) +
                                               " records, or some twice: expected each of " + std::to_string(records) +
                                               " once in each of " + std::to_string(epochs) + " epochs");
  }
  return hr::OkStatus();
}

}  // namespace flights
