"""Headrace clusters for the checks: `headrace server` processes on free ports of this machine, each ended by its process id."""
import json
import os
import pathlib
import socket
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEADRACE_BUILD", ROOT / "build/release")) / "headrace"


def environment():
    """This process's environment, with TensorFlow's chatter off."""
    return dict(os.environ) | {"TF_CPP_MIN_LOG_LEVEL": "3"}


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Cluster:
    """A cluster with the given number of tasks; `target` is worker 0, `targets` maps (job, task) to grpc:// targets.

    After `limit` seconds its processes are killed: a client that waits for an answer that never comes then fails instead of hanging.
    """

    def __init__(self, ps=1, workers=1, limit=300):
        ports = iter(free_ports(ps + workers))
        jobs = {"ps": ps, "worker": workers}
        self.spec = {job: [f"127.0.0.1:{next(ports)}" for _ in range(count)] for job, count in jobs.items() if count}
        self.targets = {(job, i): f"grpc://{address}" for job, tasks in self.spec.items() for i, address in enumerate(tasks)}
        self.target = self.targets["worker", 0]
        self.processes = []
        self.watchdog = threading.Timer(limit, self.kill)
        self.watchdog.daemon = True

    def __enter__(self):
        try:
            for job, task in self.targets:
                self.processes.append(subprocess.Popen(
                    [str(BINARY), "server", "--cluster", json.dumps(self.spec), "--job", job, "--task", str(task)],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
            for process in self.processes:
                if not process.stdout.readline():  # "... serves on ...", or the end
                    raise RuntimeError(f"headrace server ended with {process.wait()}: {' '.join(process.args)}")
        except BaseException:
            self.stop()
            raise
        self.watchdog.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def kill(self):
        for process in self.processes:
            process.kill()

    def stop(self):
        """Ends the processes; one that does not stop on SIGTERM is killed, and that is an error."""
        self.watchdog.cancel()
        stuck = []
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                stuck.append(process.args)
            process.stdout.close()
        self.processes = []
        if stuck:
            raise RuntimeError(f"did not stop on SIGTERM: {stuck}")
