"""The examples and the notebook run, alone and as a cluster; type checkers accept them; the reference is current."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/python"
PROGRAM = os.environ.get("HEADRACE_PROGRAM") or shutil.which("headrace")
IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist")


def run(*command, **environment):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=200, cwd=ROOT,
                          env={**os.environ, **environment})


def on_free_ports(program):
    """The text of a program with free ports instead of its own, so that tests can run side by side."""
    sockets = {port: socket.socket() for port in sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", program)))}
    for holder in sockets.values():
        holder.bind(("127.0.0.1", 0))
    for port, holder in sockets.items():
        program = program.replace(f":{port}", f":{holder.getsockname()[1]}")
        holder.close()
    return program


class ExamplesTest(unittest.TestCase):

    def output(self, *command, **environment):
        done = run(*command, **environment)
        self.assertEqual(done.returncode, 0, done.stdout[-1500:] + done.stderr[-3000:])
        return done.stdout

    def cluster(self, *program, workers=2):
        if PROGRAM is None:
            self.skipTest("the program headrace is not installed")
        return self.output(PROGRAM, "local", "--ps", 1, "--workers", workers, "--", sys.executable, *program)

    def test_the_founding_program_trains_in_one_process_until_the_data_ends(self):
        text = self.output(sys.executable, "-c", on_free_ports((EXAMPLES / "founding.py").read_text()))
        self.assertLess(float(re.search(r"trained 50 batches, last loss ([\d.]+)", text)[1]), 0.2)

    def test_the_founding_program_trains_on_a_parameter_server_and_two_workers(self):
        text = self.cluster(EXAMPLES / "founding.py")
        losses = re.findall(r"worker (\d) trained 50 batches, last loss ([\d.]+)", text)
        self.assertEqual(sorted(worker for worker, _ in losses), ["0", "1"], text)
        self.assertLess(max(float(loss) for _, loss in losses), 0.2)

    def test_lines_of_text_give_the_line_they_were_made_from(self):
        self.assertIn("y = 3.0", self.output(sys.executable, EXAMPLES / "text_lines.py").replace("2.99", "3.0"))

    @unittest.skipUnless(IMAGES.exists(), "dataset-fashion-mnist is not installed")
    def test_the_image_classifier_learns_on_a_cluster_and_leaves_a_checkpoint(self):
        with tempfile.TemporaryDirectory() as folder:
            text = self.cluster(EXAMPLES / "mnist_cluster.py", "--steps", 400, "--checkpoint_dir", folder)
            self.assertGreater(float(re.search(r"accuracy on 10000 test images: ([\d.]+)", text)[1]), 0.7)
            self.assertTrue((pathlib.Path(folder) / "checkpoint").exists())

    def test_the_notebook_runs_from_top_to_bottom(self):
        cells = json.loads((ROOT / "docs/notebooks/quickstart.ipynb").read_text())["cells"]
        program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        self.output(sys.executable, "-c", program)

    def test_the_programs_in_the_documents_run(self):
        for page in ("README.md", "docs/quickstart.md"):
            blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
            self.assertTrue(blocks, page)
            with tempfile.TemporaryDirectory() as folder:
                for block in blocks:
                    done = subprocess.run([sys.executable, "-c", on_free_ports(block)], capture_output=True, text=True, timeout=120, cwd=folder)
                    self.assertEqual(done.returncode, 0, f"{page}:\n{block}\n{done.stderr[-2000:]}")

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
    def test_type_checkers_accept_the_examples(self):
        import headrace
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder) / "headrace"
            shutil.copytree(os.path.dirname(headrace.__file__), package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
            self.output(sys.executable, "-B", ROOT / "tools/make_stubs.py", folder)
            self.output(sys.executable, "-m", "mypy", "--follow-imports=silent", "--cache-dir", f"{folder}/cache",
                        *sorted(EXAMPLES.glob("*.py")), MYPYPATH=folder)

    def test_the_reference_is_what_the_docstrings_say(self):
        self.output(sys.executable, "-B", ROOT / "tools/make_api_docs.py", "--check")


if __name__ == "__main__":
    unittest.main()
