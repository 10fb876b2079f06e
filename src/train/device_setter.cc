// See device_setter.h. Source of the rules: TensorFlow's python/training/device_setter.py, as documented.
#include "train/device_setter.h"

#include <memory>

#include "graph/device_name.h"

namespace headrace::train {
namespace {

// A text that is no device comes back as it is, so that the builder reports it.
std::string Merge(const std::string& outer, const std::string& inner) {
  const Result<DeviceName> outer_name = DeviceName::Parse(outer), inner_name = DeviceName::Parse(inner);
  if (!outer_name.ok()) return outer;
  if (!inner_name.ok()) return inner;
  return outer_name->MergedWith(*inner_name).ToString();
}

std::string PsDevice(const std::string& ps_device, int task, const std::string& requested, bool* took_task) {
  const Result<DeviceName> parsed = DeviceName::Parse(ps_device), inner = DeviceName::Parse(requested);
  if (!parsed.ok()) return ps_device;
  if (!inner.ok()) return requested;
  DeviceName device = *parsed;
  *took_task = device.job && (!inner->job || inner->job == device.job);
  if (*took_task) device.task = task;
  return device.MergedWith(*inner).ToString();
}

}  // namespace

const std::set<std::string>& DefaultPsOps() {
  static const std::set<std::string> ops = {"Variable",
                                            "VariableV2",
                                            "AutoReloadVariable",
                                            "MutableHashTable",
                                            "MutableHashTableV2",
                                            "MutableHashTableOfTensors",
                                            "MutableHashTableOfTensorsV2",
                                            "MutableDenseHashTable",
                                            "MutableDenseHashTableV2",
                                            "VarHandleOp",
                                            "BoostedTreesEnsembleResourceHandleOp",
                                            "BoostedTreesQuantileStreamResourceHandleOp",
                                            "ResourceConditionalAccumulator",
                                            "DecisionTreeResource"};
  return ops;
}

DeviceFunction ReplicaDeviceSetter(const ReplicaDeviceSetterOptions& options) {
  if (options.ps_tasks <= 0) return [](const std::string&, const std::string& requested) { return requested; };
  const std::set<std::string> ps_ops = options.ps_ops.empty() ? DefaultPsOps() : options.ps_ops;
  return [options, ps_ops, next_task = std::make_shared<int>(0)](const std::string& op, const std::string& requested) {
    if (!ps_ops.contains(op)) return Merge(options.worker_device, requested);
    bool took_task = false;
    std::string device = PsDevice(options.ps_device, *next_task, requested, &took_task);
    if (took_task) *next_task = (*next_task + 1) % options.ps_tasks;
    return device;
  };
}

}  // namespace headrace::train
