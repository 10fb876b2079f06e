"""Runs the programs of this directory under TensorFlow and under Headrace, on clusters of processes, and compares what they reach.

    python tests/programs/run.py [PROGRAM ...] [--only headrace]

A program's module may say CLUSTER = {"ps": 1, "worker": 2} (the default), PHASES = [...] (runs one after the other in one
directory, each on new ports; CLUSTERS = {phase: cluster} where they differ), CROSSED = True (each module's last phase must also
work after the other's first ones, and reach the same), and prepare(directory), which writes data before.
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
DEADLINE_S = int(os.environ.get("PROGRAM_DEADLINE", 180))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start_tasks(program, module, cluster, directory, phase):
    """Starts all tasks; returns {(job, index): process} and where each writes its output."""
    hosts = {job: [f"127.0.0.1:{port}" for port in free_ports(count)] for job, count in cluster.items()}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    processes, outputs = {}, {}
    for job, addresses in hosts.items():
        for index in range(len(addresses)):
            command = [sys.executable, str(HERE / f"{program}.py"), "--tf", module, "--job_name", job, "--task_index", str(index),
                       "--ps_hosts", ",".join(hosts.get("ps", [])), "--worker_hosts", ",".join(hosts.get("worker", [])),
                       "--directory", directory, "--phase", phase]
            output = tempfile.TemporaryFile("w+")
            processes[job, index] = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            outputs[job, index] = output
    return processes, outputs


def text_of(output):
    output.seek(0)
    return output.read()


def run_phase(program, module, cluster, directory, phase):
    """Runs a cluster until its workers are done; returns their results, by index."""
    processes, outputs = start_tasks(program, module, cluster, directory, phase)
    workers = {key: process for key, process in processes.items() if key[0] != "ps"}
    deadline = time.monotonic() + DEADLINE_S
    try:
        for process in workers.values():
            process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        late = [key for key, process in workers.items() if process.poll() is None]
        for process in processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
    results, failures = [], []
    for key in sorted(workers):
        text = text_of(outputs[key])
        lines = [line for line in text.splitlines() if line.startswith("RESULT ")]
        if key in late or workers[key].returncode != 0 or not lines:
            why = "not done in time" if key in late else f"exit code {workers[key].returncode}"
            failures.append(f"{program} under {module}, {key[0]}:{key[1]}: {why}\n{text[-3000:]}")
        else:
            results.append(json.loads(lines[-1][len("RESULT "):]))
    if failures:
        raise RuntimeError("\n".join(failures))
    return results


def run_program(program, module, last_module=None):
    """All phases of a program under a module, the last one under `last_module` where that is given.

    Returns the last phase's results, and the seconds it took.
    """
    sys.path.insert(0, str(HERE))
    source = importlib.import_module(program)
    cluster = getattr(source, "CLUSTER", {"ps": 1, "worker": 2})
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        if hasattr(source, "prepare"):
            source.prepare(directory)
        phases = getattr(source, "PHASES", [""])
        for phase in phases:
            chosen = last_module if last_module and phase == phases[-1] else module
            results = run_phase(program, chosen, getattr(source, "CLUSTERS", {}).get(phase, cluster), directory, phase)
    return results, time.monotonic() - started


def check(program, found):
    """Compares what the modules reached; a crossed program's last phases also after the other module's first."""
    source = importlib.import_module(program)
    source.compare(found["headrace"], found["tensorflow"])
    if getattr(source, "CROSSED", False):
        for first, last in (("headrace", "tensorflow"), ("tensorflow", "headrace")):
            results, seconds = run_program(program, MODULES[first], MODULES[last])
            source.compare(results, found[last])
            print(f"{program:24} {last} after {first} {seconds:6.1f} s", flush=True)
    print(f"{program:24} agrees", flush=True)


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
            for name in [arguments.only] if arguments.only else MODULES:
                found[name], seconds = run_program(program, MODULES[name])
                print(f"{program:24} {name:12} {seconds:6.1f} s  {json.dumps(found[name])[:160]}", flush=True)
            if not arguments.only:
                check(program, found)
        except Exception:
            failed.append(program)
            print(f"{program:24} FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(arguments.programs) - len(failed)} of {len(arguments.programs)} programs passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
