// What stands behind scopes and outputs: the graph, its variables, and a builder for each scope. Not installed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/output.h"
#include "graph/builder.h"
#include "train/variable.h"

namespace headrace::api {

/// A graph while it is built, shared by all its scopes and outputs.
struct GraphState {
  Graph graph;
  Status status;  // the first mistake
  headrace::train::VariableCollection variables;
  std::vector<Endpoint> summaries;  // for summary::MergeAll
  std::optional<int64_t> seed;

  // Of a function that is traced: where it stands, and what it uses from there.
  struct Capture {
    Output outer;
    Endpoint argument;
  };
  std::shared_ptr<GraphState> parent;
  std::vector<Capture> captures;
  int num_arguments = 0;

  int num_functions = 0;  // named so far, also inside functions: counted in the outermost graph
};

struct ScopeState {
  std::shared_ptr<GraphState> graph;
  GraphBuilder builder;
  std::string next_name;
  bool has_control_inputs = false;
};

/// The way from the public handles to what they stand for, and back.
struct Access {
  static Scope MakeScope(ScopeState state) { return Scope(std::make_shared<const ScopeState>(std::move(state))); }
  /// REQUIRES: scope.valid().
  static const ScopeState& State(const Scope& scope) { return *scope.state_; }
  static std::shared_ptr<GraphState> GraphOf(const Scope& scope) {
    return scope.valid() ? State(scope).graph : nullptr;
  }
  static const GraphBuilder& Builder(const Scope& scope) { return State(scope).builder; }
  /// The scope for what is made from its results: without the name for the next operation.
  static Scope Unnamed(const Scope& scope);

  static Output MakeOutput(const Scope& scope, Endpoint endpoint);
  static Operation MakeOperation(const Scope& scope, Node* node);
  static Endpoint EndpointOf(const Output& output) { return Endpoint{output.node_, output.index_}; }
  static Node* NodeOf(const Operation& operation) { return operation.node_; }
};

/// Makes `status`, where it is the graph's first mistake, say where the call stands.
void Remember(GraphState& graph, const Status& status, const std::source_location& where);

/// Runs `build` and makes a mistake it reports, or leaves in the builder, say where the call stands.
template <typename Build> void BuildAt(GraphState& graph, const std::source_location& where, Build&& build) {
  if (!graph.status.ok()) return;
  Status status = build();
  if (status.ok()) status = std::exchange(graph.status, Status());
  graph.status = Status();
  Remember(graph, status, where);
}

}  // namespace headrace::api
