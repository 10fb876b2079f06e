// The paths of TensorFlow's services. Its .proto files place them in a package "tensorflow.grpc", its code does not.
#pragma once

namespace headrace {

#define HR_MASTER(Name) inline constexpr char kMaster##Name[] = "/tensorflow.MasterService/" #Name;
#define HR_WORKER(Name) inline constexpr char kWorker##Name[] = "/tensorflow.WorkerService/" #Name;

HR_MASTER(CreateSession)
HR_MASTER(ExtendSession)
HR_MASTER(RunStep)
HR_MASTER(PartialRunSetup)
HR_MASTER(CloseSession)
HR_MASTER(Reset)
HR_MASTER(ListDevices)
HR_MASTER(MakeCallable)
HR_MASTER(RunCallable)
HR_MASTER(ReleaseCallable)

HR_WORKER(GetStatus)
HR_WORKER(CreateWorkerSession)
HR_WORKER(DeleteWorkerSession)
HR_WORKER(RegisterGraph)
HR_WORKER(DeregisterGraph)
HR_WORKER(RunGraph)
HR_WORKER(CleanupGraph)
HR_WORKER(CleanupAll)
HR_WORKER(RecvTensor)
HR_WORKER(MarkRecvFinished)
HR_WORKER(Logging)
HR_WORKER(Tracing)
HR_WORKER(RecvBuf)
HR_WORKER(CompleteGroup)
HR_WORKER(CompleteInstance)
HR_WORKER(GetStepSequence)

/// Of our own; TensorFlow's masters do not know it.
inline constexpr char kMasterHoldSession[] = "/headrace.MasterService/HoldSession";

#undef HR_MASTER
#undef HR_WORKER

}  // namespace headrace
