"""Clusters: which tasks there are, the server of one, and the device setter."""

import json
import os
import threading
import weakref

from .._native import native
from ..framework.graph import DeviceSpec


class ClusterSpec:
    """The jobs of a cluster and their tasks' addresses.

    `cluster`: {job: [address, ...]} or {job: {index: address}}, another ClusterSpec, or a ClusterDef message.
    Raises TypeError or ValueError for anything else, for malformed and for duplicate addresses.
    """

    def __init__(self, cluster):
        if isinstance(cluster, ClusterSpec):
            jobs = cluster._jobs
        elif hasattr(cluster, "job") and not isinstance(cluster, dict):
            jobs = {job.name: dict(job.tasks) for job in cluster.job}
        elif isinstance(cluster, dict):
            jobs = {name: self._tasks(name, tasks) for name, tasks in cluster.items()}
        else:
            raise TypeError("`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a "
                            f"`ClusterDef` protocol buffer, not {type(cluster).__name__}")
        self._jobs = {name: dict(sorted(tasks.items())) for name, tasks in sorted(jobs.items())}
        if self._jobs:
            native.cluster_json(self._text())

    @staticmethod
    def _tasks(name, tasks):
        if isinstance(tasks, dict):
            return {int(index): address for index, address in tasks.items()}
        if isinstance(tasks, (list, tuple)):
            return dict(enumerate(tasks))
        if isinstance(tasks, int):
            return dict.fromkeys(range(tasks), "")
        raise TypeError(f"The tasks for job {name!r} must be a list or a dictionary from integers to strings.")

    def _text(self):
        return json.dumps({job: {str(i): a for i, a in tasks.items()} for job, tasks in self._jobs.items()})

    @property
    def jobs(self):
        return list(self._jobs)

    def as_dict(self):
        """{job: [address, ...]}, or {job: {index: address}} where indices have gaps."""
        return {job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks)
                for job, tasks in self._jobs.items()}

    def as_cluster_def(self):
        from ..protos import ClusterDef
        message = ClusterDef()
        for name, tasks in self._jobs.items():
            job = message.job.add(name=name)
            job.tasks.update(tasks)
        return message

    def _job(self, job_name):
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._jobs[job_name]

    def num_tasks(self, job_name):
        return len(self._job(job_name))

    def task_indices(self, job_name):
        return list(self._job(job_name))

    def task_address(self, job_name, task_index):
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name):
        """The addresses by index, None where an index is missing."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks) + 1)] if tasks else []

    def __bool__(self):
        return bool(self._jobs)

    def __eq__(self, other):
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __hash__(self):
        return hash(self._text())

    def __repr__(self):
        return f"ClusterSpec({self.as_dict()!r})"


_running = weakref.WeakSet()


class Server:
    """One task of a cluster, in this process: holds state, runs its part of steps, gives sessions to clients.

    Listens on the task's own address only. Addresses beyond the loopback are refused unless the environment says
    HEADRACE_INSECURE=1, since nothing on the wire is encrypted. Raises ValueError for a task that the cluster lacks,
    tf.errors.UnavailableError when the address cannot be bound.
    """

    def __init__(self, server_or_cluster_def, job_name=None, task_index=None, protocol=None, config=None, start=True):
        if protocol not in (None, "", "grpc"):
            raise ValueError(f"protocol {protocol!r} is not there: only 'grpc' is")
        definition = server_or_cluster_def
        if hasattr(definition, "cluster") and hasattr(definition, "job_name"):
            job_name = job_name or definition.job_name
            task_index = definition.task_index if task_index is None else task_index
            definition = definition.cluster
        self._cluster = ClusterSpec(definition)
        if not self._cluster.jobs:
            raise ValueError("the cluster has no tasks")
        if job_name is None:
            if len(self._cluster.jobs) != 1:
                raise ValueError("Must specify an explicit job_name.")
            job_name = self._cluster.jobs[0]
        if task_index is None:
            if self._cluster.num_tasks(job_name) != 1:
                raise ValueError("Must specify an explicit task_index.")
            task_index = self._cluster.task_indices(job_name)[0]
        self._job, self._task = job_name, int(task_index)
        self._config = config
        self._native = None
        if start:
            self.start()

    def start(self):
        if self._native is None:
            self._native = native.start_server(self._cluster._text(), self._job, self._task, "",
                                               os.environ.get("HEADRACE_INSECURE") == "1")
            _running.add(self)

    @property
    def target(self):
        """"grpc://host:port", for sessions."""
        return self._native.target

    @property
    def server_def(self):
        from ..protos import ServerDef
        return ServerDef(cluster=self._cluster.as_cluster_def(), job_name=self._job, task_index=self._task, protocol="grpc")

    def join(self):
        """Waits for the server's end, which only a signal or stop() brings."""
        waiter = threading.Thread(target=self._native.join, daemon=True, name="headrace-server-join")
        waiter.start()
        while waiter.is_alive():
            waiter.join(0.5)  # so that Ctrl-C is noticed

    def stop(self):
        """Ends its steps and sessions; clients that wait get UnavailableError at once."""
        self._native.stop()

    @staticmethod
    def create_local_server(config=None, start=True):
        """A cluster of one task on a free port of this machine."""
        import socket
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        return Server({"local": [address]}, "local", 0, config=config, start=start)


class _ReplicaDeviceSetter:

    def __init__(self, function):
        self._by_type = function

    def __call__(self, op):
        return self._by_type(op.type, op.device)


def replica_device_setter(ps_tasks=0, ps_device="/job:ps", worker_device="/job:worker", merge_devices=True, cluster=None,
                          ps_ops=None, ps_strategy=None):
    """A device function for `tf.device`: variables go to the parameter servers in turn, everything else to the worker.

    With `cluster`, its ps job counts the servers. `ps_strategy(op)` may choose the task instead. Without parameter servers
    the result is None: no device is asked for.
    """
    if cluster is not None:
        cluster = ClusterSpec(cluster).as_dict()
        job = DeviceSpec.from_string(ps_device).job
        if job not in cluster:
            return None
        ps_tasks = len(cluster[job])
    if ps_tasks == 0:
        return None
    if ps_strategy is not None:
        return _strategy_setter(ps_device, worker_device, ps_ops, ps_strategy)
    return _ReplicaDeviceSetter(native.replica_device_setter(ps_tasks, ps_device, worker_device or "", set(ps_ops or ())))


def _strategy_setter(ps_device, worker_device, ps_ops, strategy):
    if not callable(strategy):
        raise TypeError("ps_strategy must be callable")
    ps_ops = set(ps_ops or native.default_ps_ops())

    def choose(op):
        if op.type not in ps_ops:
            return native.merge_devices(worker_device or "", op.device)
        current = DeviceSpec.from_string(op.device) if op.device else DeviceSpec()
        chosen = DeviceSpec.from_string(ps_device)
        if chosen.task is None and not (current.job and current.job != chosen.job):
            chosen.task = strategy(op)
        return native.merge_devices(chosen.to_string(), op.device)

    return choose
