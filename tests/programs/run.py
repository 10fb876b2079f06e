"""Runs the programs of this directory under TensorFlow and under Headrace, on clusters of processes, and compares what they reach.

    python tests/programs/run.py [PROGRAM ...] [--only headrace]

A program's module may say CLUSTER = {"ps": 1, "worker": 2} (the default), PHASES = [...] (runs one after the other in one
directory, each on new ports; CLUSTERS = {phase: cluster} where they differ), READ_BACK = "..." (a phase of one worker, run
last under either module on what the program has written), and prepare(directory), which writes data before.
"""

import argparse
import importlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).parent
MODULES = {"headrace": "headrace", "tensorflow": "tensorflow.compat.v1"}
DEADLINE_S = int(os.environ.get("PROGRAM_DEADLINE", 300))
GRACE_S = 20  # for the others, once a task has failed


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    """The processes of one phase, by (job, index)."""

    def __init__(self, program, module, counts, directory, phase):
        self.program, self.module, self.directory, self.phase = program, module, pathlib.Path(directory), phase
        self.hosts = {job: [f"127.0.0.1:{port}" for port in free_ports(count)] for job, count in counts.items()}
        self.tasks = [(job, index) for job, addresses in self.hosts.items() for index in range(len(addresses))]
        self.awaited = sorted(task for task in self.tasks if task[0] != "ps")
        for left in [*self.directory.glob("mark_*"), *self.directory.glob("restart_*")]:
            left.unlink()  # of the phase before
        self.outputs = {task: tempfile.TemporaryFile("w+") for task in self.tasks}
        self.processes = {}
        for task in self.tasks:
            self.start(task)

    def start(self, task):
        job, index = task
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, str(HERE / f"{self.program}.py"), "--tf", self.module, "--job_name", job,
                   "--task_index", str(index), "--ps_hosts", ",".join(self.hosts.get("ps", [])),
                   "--worker_hosts", ",".join(self.hosts.get("worker", [])), "--directory", str(self.directory),
                   "--phase", self.phase]
        self.processes[task] = subprocess.Popen(command, stdout=self.outputs[task], stderr=subprocess.STDOUT, env=environment)

    def restart_those_asked_for(self):
        """Kills and starts again the tasks for which a program has called Task.restart."""
        for job, index in self.tasks:
            asked = self.directory / f"restart_{job}_{index}"
            if asked.exists():
                asked.unlink()
                self.kill((job, index))
                self.start((job, index))
                (self.directory / f"mark_restarted_{job}_{index}").touch()

    def kill(self, task):
        self.processes[task].kill()
        self.processes[task].wait()

    def wait(self, seconds):
        """Waits until all but the parameter servers are done; returns those that are not in time."""
        deadline = time.monotonic() + seconds
        while True:
            late = [task for task in self.awaited if self.processes[task].poll() is None]
            failed = any(self.processes[task].returncode for task in self.awaited)
            if not late or time.monotonic() > deadline:
                return late
            if failed:  # the others may wait for it in vain
                deadline = min(deadline, time.monotonic() + GRACE_S)
            self.restart_those_asked_for()
            time.sleep(0.02)

    def results(self, late):
        """What the tasks have reported. Raises RuntimeError, with the output of those that failed."""
        results, failures = [], []
        for task in self.awaited:
            self.outputs[task].seek(0)
            text = self.outputs[task].read()
            lines = [line for line in text.splitlines() if line.startswith("RESULT ")]
            if task in late or self.processes[task].returncode != 0 or not lines:
                why = "not done in time" if task in late else f"exit code {self.processes[task].returncode}"
                failures.append(f"{self.program} under {self.module}, {task[0]}:{task[1]}: {why}\n{text[-3000:]}")
            else:
                results.append(json.loads(lines[-1][len("RESULT "):]))
        if failures:
            raise RuntimeError("\n".join(failures))
        return results


def run_phase(program, module, counts, directory, phase):
    """Runs a cluster until its workers are done; returns their results, by job and index."""
    cluster = Cluster(program, module, counts, directory, phase)
    try:
        late = cluster.wait(DEADLINE_S)
    finally:
        for task in cluster.tasks:
            cluster.kill(task)
    return cluster.results(late)


def run_program(program, module, readers):
    """All phases of a program under a module; returns the results of the last one, and the seconds they took.

    To these it adds those of the phase READ_BACK under each of `readers`.
    """
    sys.path.insert(0, str(HERE))
    source = importlib.import_module(program)
    cluster = getattr(source, "CLUSTER", {"ps": 1, "worker": 2})
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        if hasattr(source, "prepare"):
            source.prepare(directory)
        for phase in getattr(source, "PHASES", [""]):
            results = run_phase(program, module, getattr(source, "CLUSTERS", {}).get(phase, cluster), directory, phase)
        seconds = time.monotonic() - started
        if hasattr(source, "READ_BACK"):
            for reader in readers:
                results += run_phase(program, reader, {"worker": 1}, directory, source.READ_BACK)
    return results, seconds


def main():
    parser = argparse.ArgumentParser()
    programs = sorted(p.stem for p in HERE.glob("*.py") if p.stem not in ("run", "harness"))
    parser.add_argument("programs", nargs="*", default=programs)
    parser.add_argument("--only", choices=list(MODULES), help="run under one module, without comparing")
    arguments = parser.parse_args()
    failed = []
    for program in arguments.programs:
        try:
            found = {}
            names = [arguments.only] if arguments.only else list(MODULES)
            for name in names:
                found[name], seconds = run_program(program, MODULES[name], [MODULES[n] for n in names])
                print(f"{program:24} {name:12} {seconds:6.1f} s  {json.dumps(found[name])[:160]}", flush=True)
            if not arguments.only:
                importlib.import_module(program).compare(found["headrace"], found["tensorflow"])
                print(f"{program:24} agrees", flush=True)
        except Exception:
            failed.append(program)
            print(f"{program:24} FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(arguments.programs) - len(failed)} of {len(arguments.programs)} programs passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
