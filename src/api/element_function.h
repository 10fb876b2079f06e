// ElementFunction: how a C++ function that Map or Filter is given sees a dataset's elements.
#pragma once

#include <array>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/output.h"

namespace headrace::api::data {

/// What a function traced by Map computes from an element's components.
using ElementFunction = std::function<std::vector<Output>(const std::vector<Output>&)>;

namespace internal {
template <typename F, size_t... I> constexpr bool Takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, decltype((void)I, std::declval<Output>())...>;
}
/// The number of components that F takes, up to 8; -1: none of these.
template <typename F, size_t N = 1> constexpr int NumComponents() {
  if constexpr (N > 8) {
    return -1;
  } else if constexpr (Takes<F>(std::make_index_sequence<N>())) {
    return static_cast<int>(N);
  } else {
    return NumComponents<F, N + 1>();
  }
}
inline std::vector<Output> ToVector(Output output) { return {std::move(output)}; }
inline std::vector<Output> ToVector(std::vector<Output> outputs) { return outputs; }
template <size_t N> std::vector<Output> ToVector(const std::array<Output, N>& outputs) {
  return {outputs.begin(), outputs.end()};
}
template <typename F, size_t... I> ElementFunction Adapt(F function, std::index_sequence<I...>) {
  return [function](const std::vector<Output>& element) mutable {
    if (element.size() != sizeof...(I)) return std::vector<Output>();  // reported by Map: nothing was computed
    return ToVector(function(element[I]...));
  };
}
}  // namespace internal

/// Adapts a function of all components as a vector, or of 1 to 8 Outputs, that returns an Output, an array or a vector
/// of them.
template <typename F> ElementFunction ToElementFunction(F function) {
  if constexpr (std::is_invocable_v<F&, const std::vector<Output>&>) {
    return [function](const std::vector<Output>& element) mutable { return internal::ToVector(function(element)); };
  } else {
    constexpr int kComponents = internal::NumComponents<F>();
    static_assert(kComponents > 0, "The function has to take 1 to 8 Outputs, or a std::vector<Output>.");
    return internal::Adapt(std::move(function), std::make_index_sequence<static_cast<size_t>(kComponents)>());
  }
}

}  // namespace headrace::api::data
