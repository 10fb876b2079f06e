// Emit: how the API's functions add one operation to the graph of their inputs. Not installed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/output.h"
#include "api/scope_state.h"

namespace headrace::api {

/// Adds an operation in the scope of the first input that has one; returns its output `index`, empty after a mistake.
Output Emit(std::string_view op, const std::vector<Input>& inputs, AttrMap attrs = {}, int index = 0);
/// The same, for all outputs.
std::vector<Output> EmitAll(std::string_view op, const std::vector<Input>& inputs, AttrMap attrs = {});
/// The same, in a given scope; for operations that may have no inputs.
Operation EmitIn(const CallScope& scope, std::string_view op, const std::vector<Input>& inputs, AttrMap attrs = {});

/// Where a function that adds several nodes puts them: the last one under the name that the caller asked for, or the
/// function's own; the others below that name.
class Composite {
 public:
  Composite(const GraphBuilder& outer, std::string name)
      : outer_(outer), inner_(outer.WithNamePrefix(name)), name_(std::move(name)) {}
  const GraphBuilder& inner() const { return inner_; }
  Endpoint Last(std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs = {}) const;

 private:
  const GraphBuilder& outer_;
  const GraphBuilder inner_;
  const std::string name_;
};

/// Runs `build` on the inputs' endpoints, in the scope of the first input that has one.
using Builds = std::function<Endpoint(const Composite& composite, const std::vector<Endpoint>& inputs)>;
Output EmitComposite(std::string_view default_name, const std::vector<Input>& inputs, const Builds& build);

/// The input as an endpoint of the scope's graph: constants are added, outputs of the graph around a function are
/// captured. Numbers become `number_type`. Errors: kInvalidArgument for an empty output or one of another graph.
Result<Endpoint> ToEndpoint(const Scope& scope, const Input& input, DType number_type);

}  // namespace headrace::api
