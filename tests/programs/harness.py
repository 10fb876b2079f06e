"""What the programs here share: each is one source for two modules, TensorFlow's and ours.

A program defines `main(tf, task)` and `compare(ours, theirs)`, and ends with `harness.start(main)`. Every task of its cluster is a
process; the workers print their results as one line `RESULT {...}`. run.py starts them and compares.
"""

import argparse
import importlib
import json
import pathlib
import time


class Task:
    """Which task this process is: job, index, hosts, and a directory that all tasks share."""

    def __init__(self, arguments):
        self.job, self.index = arguments.job_name, arguments.task_index
        self.ps_hosts = arguments.ps_hosts.split(",") if arguments.ps_hosts else []
        self.worker_hosts = arguments.worker_hosts.split(",") if arguments.worker_hosts else []
        self.directory = arguments.directory
        self.is_chief = self.index == 0
        self.phase = arguments.phase

    @property
    def jobs(self):
        return {job: hosts for job, hosts in (("ps", self.ps_hosts), ("worker", self.worker_hosts)) if hosts}

    def server(self, tf):
        """This task's server; a parameter server never returns from here."""
        server = tf.train.Server(tf.train.ClusterSpec(self.jobs), job_name=self.job, task_index=self.index)
        if self.job == "ps":
            server.join()
        return server

    def device(self, tf):
        """The device function that spreads variables over the parameter servers."""
        return tf.device(tf.train.replica_device_setter(
            worker_device=f"/job:worker/task:{self.index}", cluster=tf.train.ClusterSpec(self.jobs)))

    def mark(self, name):
        """Tells the other tasks, by a file in the shared directory, that this one has got to `name`."""
        pathlib.Path(self.directory, f"mark_{name}_{self.job}_{self.index}").touch()

    def wait_for(self, name, job="worker", index=0, seconds=120):
        """Waits until a task has marked `name`; False when it does not in time."""
        path = pathlib.Path(self.directory, f"mark_{name}_{job}_{index}")
        deadline = time.monotonic() + seconds
        while not path.exists():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def wait_for_all(self, name):
        """Marks `name` and waits until every worker has; False when one does not in time."""
        self.mark(name)
        return all([self.wait_for(name, index=index) for index in range(len(self.worker_hosts))])

    def restart(self, job, index):
        """Asks run.py to kill a task and to start it again on its port; then wait_for("restarted", job, index)."""
        pathlib.Path(self.directory, f"restart_{job}_{index}").touch()


def report(result):
    """Prints a task's result for run.py."""
    print("RESULT " + json.dumps(result), flush=True)


def load(name):
    """The module that stands for `tf`."""
    module = importlib.import_module(name)
    if name.startswith("tensorflow"):
        module.disable_v2_behavior()
        module.logging.set_verbosity(module.logging.ERROR)
    return module


def module_name(argv):
    """What stands after --tf: for programs that read their command line themselves."""
    return argv[argv.index("--tf") + 1] if "--tf" in argv else "headrace"


def start(main):
    """Reads the command line, runs main, prints what it returns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tf", default="headrace", help="the module: headrace or tensorflow.compat.v1")
    parser.add_argument("--job_name", default="worker")
    parser.add_argument("--task_index", type=int, default=0)
    parser.add_argument("--ps_hosts", default="")
    parser.add_argument("--worker_hosts", default="")
    parser.add_argument("--directory", default="", help="shared by all tasks: data, checkpoints, summaries")
    parser.add_argument("--phase", default="", help="which part of a program that runs in several")
    arguments = parser.parse_args()
    result = main(load(arguments.tf), Task(arguments))
    if result is not None:
        report(result)
