// See cluster.h.
#include "api/cluster.h"

#include "train/device_setter.h"

namespace headrace::api {

DeviceFunction ReplicaDeviceSetter(const ClusterSpec& cluster, const DeviceSetterOptions& options) {
  const auto ps = cluster.jobs().find(options.ps_job);
  headrace::train::ReplicaDeviceSetterOptions setter;
  // Task numbers may have gaps; TensorFlow counts tasks and takes the numbers from 0 on.
  setter.ps_tasks = ps == cluster.jobs().end() ? 0 : static_cast<int>(ps->second.size());
  setter.ps_device = "/job:" + options.ps_job;
  setter.worker_device = options.worker_device;
  setter.ps_ops = options.ps_ops;
  return headrace::train::ReplicaDeviceSetter(setter);
}

}  // namespace headrace::api
