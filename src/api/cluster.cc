// See cluster.h.
#include "api/cluster.h"

#include "cluster/server.h"
#include "ops/register.h"
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

Result<Server> Server::Start(const ClusterSpec& cluster, const std::string& job, int task,
                             const ServerSettings& settings) {
  RegisterAllOps();
  ServerOptions options;
  options.cluster = cluster;
  options.job = job;
  options.task = task;
  options.bind_address = settings.bind_address;
  options.insecure = settings.insecure;
  HR_ASSIGN_OR_RETURN(std::shared_ptr<headrace::Server> server, headrace::Server::Start(std::move(options)));
  return Server(std::move(server));
}

const std::string& Server::target() const { return server_->target(); }
void Server::Stop() { server_->Stop(); }
void Server::Join() { server_->Join(); }

}  // namespace headrace::api
