"""Runs every check of this directory: the unittest modules *_checks.py and the scripts below. ./run calls it.

The last line says 'N passed, N failed'; each test method, each script and each op of op_conformance.py counts as one.
"""
import pathlib
import re
import subprocess
import sys
import time
import unittest

import servers

HERE = pathlib.Path(__file__).resolve().parent


def run_modules(wanted):
    """Runs the test methods whose name `wanted` finds; returns (passed, failed)."""
    def methods(suite):
        for test in suite:
            yield from methods(test) if isinstance(test, unittest.TestSuite) else [test]
    found = unittest.defaultTestLoader.discover(str(HERE), pattern="*_checks.py")
    chosen = unittest.TestSuite(test for test in methods(found) if re.search(wanted, test.id()))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(chosen)
    broken = {test.id() for test, _ in result.failures + result.errors} | {test.id() for test in result.unexpectedSuccesses}
    return max(0, result.testsRun - len(broken)), len(broken)


def run_script(name, arguments, environment=None):
    """Runs one script to its end; returns (its exit code, its standard output)."""
    begin = time.monotonic()
    done = subprocess.run([sys.executable, str(HERE / name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False)
    print(f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name} ({time.monotonic() - begin:.0f} s)", flush=True)
    if done.returncode != 0:
        print(done.stdout[-8000:], flush=True)
    return done.returncode, done.stdout


def run_ops():
    """Runs op_conformance.py on a server of its own; each op counts as one."""
    with servers.Cluster(workers=1, ps=0) as cluster:
        environment = servers.environment() | {"HEADRACE_TARGET": cluster.target}
        code, output = run_script("op_conformance.py", ["--rounds", "1"], environment)
    passed, failed = len(re.findall(r"^ok  ", output, re.M)), len(re.findall(r"^FAIL", output, re.M))
    return passed, failed if code == 0 else max(1, failed)


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    totals = [run_modules(wanted)]
    binary = ["--binary", str(servers.BINARY)]
    for name, arguments in (("proto_fields.py", []), ("io_ops.py", binary), ("cluster.py", binary)):
        if re.search(wanted, name) and (HERE / name).exists():
            code, _ = run_script(name, arguments)
            totals.append((int(code == 0), int(code != 0)))
    if re.search(wanted, "op_conformance.py"):
        totals.append(run_ops())
    passed, failed = (sum(column) for column in zip(*totals))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
