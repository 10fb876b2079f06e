// _Send, _Recv: an edge from one device to another, through the step's rendezvous, dead tensors included. _HostSend and
// _HostRecv are the same with the tensor in host memory, which on a CPU it always is.
// Errors: those of the rendezvous; kInternal when the step has none.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

Result<std::string> KeyOf(const KernelConstruction& construction) {
  RendezvousKey key;
  int64_t incarnation = 0;
  HR_RETURN_IF_ERROR(construction.GetAttr("tensor_name", &key.edge_name));
  HR_RETURN_IF_ERROR(construction.GetAttr("send_device", &key.src_device));
  HR_RETURN_IF_ERROR(construction.GetAttr("recv_device", &key.dst_device));
  HR_RETURN_IF_ERROR(construction.GetAttr("send_device_incarnation", &incarnation));
  key.src_incarnation = static_cast<uint64_t>(incarnation);
  return key.ToString();
}

Status NoRendezvous(const KernelContext& c) {
  return Internal(c.node().op(), ": the step has no rendezvous for ", c.node().ToString());
}

class SendCpu final : public Kernel {
 public:
  explicit SendCpu(std::string key) : key_(std::move(key)) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    HR_ASSIGN_OR_RETURN(std::string key, KeyOf(construction));
    return std::unique_ptr<Kernel>(std::make_unique<SendCpu>(std::move(key)));
  }
  Status Compute(KernelContext& c) override {
    if (c.step().rendezvous == nullptr) return NoRendezvous(c);
    Tensor value = c.TakeInput(0);
    const bool is_dead = !value.valid();
    return c.step().rendezvous->Send(key_, std::move(value), is_dead);
  }

 private:
  const std::string key_;
};

class RecvCpu final : public AsyncKernel {
 public:
  explicit RecvCpu(std::string key) : key_(std::move(key)) {}
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    HR_ASSIGN_OR_RETURN(std::string key, KeyOf(construction));
    return std::unique_ptr<Kernel>(std::make_unique<RecvCpu>(std::move(key)));
  }
  void ComputeAsync(KernelContext& c, Done done) override {
    if (c.step().rendezvous == nullptr) return done(NoRendezvous(c));
    c.step().rendezvous->RecvAsync(key_, c.cancellation(),
                                   [&c, done = std::move(done)](const Status& status, Tensor value, bool is_dead) {
                                     if (!status.ok() || is_dead) return done(status);
                                     done(c.SetOutput(0, std::move(value)));
                                   });
  }

 private:
  const std::string key_;
};

OpDefinition SendDefinition(std::string_view name) {
  return OpDefinition(
             StrCat(name,
                    "(tensor: T) -> () | T: type | tensor_name: string | send_device: string | "
                    "send_device_incarnation: int | recv_device: string | client_terminated: bool = false | stateful"))
      .Shape(NoOutputs)
      .NoGradient("added after gradients")
      .Kernels(AnyType(ClassKernel<SendCpu>(), /*cheap=*/true));
}

OpDefinition RecvDefinition(std::string_view name) {
  return OpDefinition(
             StrCat(name,
                    "() -> (tensor: tensor_type) | tensor_type: type | tensor_name: string | send_device: string | "
                    "send_device_incarnation: int | recv_device: string | client_terminated: bool = false | stateful"))
      .Shape(UnknownShape)
      .NoGradient("added after gradients")
      .Kernels(AnyType(ClassKernel<RecvCpu>(), /*cheap=*/true));
}

}  // namespace

OpDefinition Send() { return SendDefinition("_Send"); }
OpDefinition HostSend() { return SendDefinition("_HostSend"); }
OpDefinition Recv() { return RecvDefinition("_Recv"); }
OpDefinition HostRecv() { return RecvDefinition("_HostRecv"); }

}  // namespace headrace
