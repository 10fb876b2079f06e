// Scope: where new operations go in a graph: under which name, on which device, after which others.
//
// A mistake made while building (MatMul of [2,3] and [2,3]) is remembered by the graph with the place of the call, and
// reported by Session::Open: programs stay free of checks while they build, and no mistake is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "api/types.h"

namespace headrace::api {

class Operation;
struct ScopeState;

/// Decides a new operation's device from its kind ("MatMul") and what the program asked for so far (may be empty).
using DeviceFunction = std::function<std::string(const std::string& op, const std::string& requested)>;

/// A view of a graph, cheap to copy; all scopes and outputs share the graph and keep it alive. A graph is built by one
/// thread at a time.
class HR_EXPORT Scope {
 public:
  /// No graph: to be assigned. Using it is a mistake that an operation reports where it can.
  Scope() = default;
  /// A new, empty graph. Registers Headrace's ops with the process at the first call.
  static Scope NewRoot();

  /// Names of operations made here begin with "<outer>/<name>/".
  Scope SubScope(const std::string& name) const;
  /// The next operation or variable made here is called `name` (made unique by a suffix "_1"). Outputs do not carry it
  /// on.
  Scope WithName(const std::string& name) const;
  /// "/job:ps/task:1", "/device:CPU:0", ...; merged with the outer scopes', the inner one wins field by field. Errors:
  /// reported by Session::Open for a text that is no device.
  Scope WithDevice(const std::string& device) const;
  Scope WithDevice(DeviceFunction function) const;
  /// Operations made here run after `operations`.
  Scope WithControlDependencies(const std::vector<Operation>& operations) const;
  /// Operations made here run on the device of `operation`.
  Scope ColocatedWith(const Operation& operation) const;

  /// The first mistake made in this graph, with the place of the call; OK when there is none.
  Status status() const;
  bool valid() const { return state_ != nullptr; }

 private:
  friend struct Access;
  explicit Scope(std::shared_ptr<const ScopeState> state) : state_(std::move(state)) {}
  std::shared_ptr<const ScopeState> state_;
};

/// A scope as a function's argument: knows where the call stands.
class HR_EXPORT CallScope {
 public:
  CallScope(const Scope& scope, std::source_location where = std::source_location::current())  // NOLINT: implicit
      : scope_(scope), where_(where) {}
  const Scope& scope() const { return scope_; }
  const std::source_location& where() const { return where_; }

 private:
  Scope scope_;
  std::source_location where_;
};

/// Random operations without a seed of their own take one from this and from their place in the graph, as with
/// TensorFlow's set_random_seed. Without it they differ from run to run.
HR_EXPORT void SetRandomSeed(const Scope& scope, int64_t seed);

}  // namespace headrace::api
