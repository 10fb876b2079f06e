// Device setters: decide by an op's kind on which task it goes, while a graph is built.
#pragma once

#include <set>
#include <string>

#include "graph/builder.h"

namespace headrace::train {

struct HR_EXPORT ReplicaDeviceSetterOptions {
  int ps_tasks = 0;
  std::string ps_device = "/job:ps";
  std::string worker_device = "/job:worker";
  /// Ops that hold state; empty: DefaultPsOps().
  std::set<std::string> ps_ops = {};
};

/// The ops that TensorFlow's replica_device_setter sends to parameter servers: those that hold a variable or a table.
HR_EXPORT const std::set<std::string>& DefaultPsOps();

/// Returns a function that sends state to the parameter servers, task by task in turn in the order of creation, and
/// everything else to the worker device. What the program asked for in an inner scope wins, field by field. Without ps
/// tasks it asks for nothing. Copies of the function share the turn.
HR_EXPORT DeviceFunction ReplicaDeviceSetter(const ReplicaDeviceSetterOptions& options);

}  // namespace headrace::train
