// ApplyOp: how an optimizer's op is declared, as a row of apply.cc, and the one kernel that runs them all: dense and sparse, on
// resource and on ref variables, for every float type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/op_definition.h"
#include "kernel/kernel.h"
#include "ops/train/update_loops.h"

namespace headrace {

/// The loop of an op for the two types that are computed in. Chosen once for each kernel, by the node's attributes and, for
/// FTRL, once for each call by lr_power.
struct UpdateChoice {
  UpdateRule rule = UpdateRule::kGradientDescent;
  bool by_lr = false;  // FTRL's multiply_linear_by_lr
};

/// What an op's inputs mean, in their order.
struct ApplyOp {
  std::string name;                      // without "Resource"
  std::vector<std::string_view> states;  // the first inputs: the variable and its slots
  std::vector<std::string_view> inputs;  // the others: scalars, "grad" (or "delta") and, in a sparse op, "indices"
  std::string_view attrs;                // after use_locking
  UpdateChoice (*choose)(const KernelConstruction& c);
  /// Turns the op's scalars, in the order of the inputs, into the loop's. Null: they are the loop's.
  void (*prepare)(double* scalars) = nullptr;
};

/// The op on resource variables, "Resource" + name; and the one on ref variables, which hands the variable on.
OpDefinition ResourceApplyDefinition(const ApplyOp& op);
OpDefinition RefApplyDefinition(const ApplyOp& op);

}  // namespace headrace
