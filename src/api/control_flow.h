// Cond and WhileLoop: parts of a graph that run by what it computes.
//
// The functions that they take are called once each, now, with Outputs that stand for the values to come; what they build becomes
// functions of the graph. They may use outputs and variables from around them. Gradients go through all of it.
#pragma once

#include <source_location>
#include <utility>
#include <vector>

#include "api/element_function.h"
#include "api/output.h"

namespace headrace::api {

struct WhileLoopOptions {
  /// What is known of the variables' shapes in all iterations; empty: the shapes that they begin with.
  std::vector<PartialShape> shape_invariants = {};
};

namespace internal {
HR_EXPORT std::vector<Output> CondOf(const Input& pred, const std::vector<Output>& operands,
                                     const data::ElementFunction& then_function,
                                     const data::ElementFunction& else_function);
HR_EXPORT std::vector<Output> LoopOf(const std::vector<Output>& variables, const data::ElementFunction& cond,
                                     const data::ElementFunction& body, const WhileLoopOptions& options,
                                     const std::source_location& where);
}  // namespace internal

/// What `then_function` makes of the operands where `pred` is true, else what `else_function` makes of them; the other one does not
/// run. Both take the operands as Outputs (or all of them as a vector) and return an Output, an array or a vector of them, of the
/// same types. Operations that use nothing but outputs from around the function run always: use the operands.
/// Op If, or StatelessIf where nothing has state.
template <typename Then, typename Else>
std::vector<Output> Cond(const Input& pred, const std::vector<Output>& operands, Then then_function,
                         Else else_function) {
  return internal::CondOf(pred, operands, data::ToElementFunction(std::move(then_function)),
                          data::ToElementFunction(std::move(else_function)));
}

/// Calls `body` on the variables for as long as `cond` gives true (a bool scalar), and returns the last ones. Both take the variables
/// as Outputs (or all of them as a vector); `body` returns as many, of the same types and shapes. Op While, or StatelessWhile.
///
///   auto [i, x] = ... WhileLoop({i, x}, [](Output i, Output) { return Less(i, 10); },
///                               [&](Output i, Output x) { return std::array{i + 1, Tanh(MatMul(x, w))}; });
template <typename Condition, typename Body>
std::vector<Output> WhileLoop(const std::vector<Output>& variables, Condition cond, Body body,
                              const WhileLoopOptions& options = {},
                              std::source_location where = std::source_location::current()) {
  return internal::LoopOf(variables, data::ToElementFunction(std::move(cond)), data::ToElementFunction(std::move(body)),
                          options, where);
}

}  // namespace headrace::api
