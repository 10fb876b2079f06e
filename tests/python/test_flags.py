"""Flags: read when a value is first asked for, and by tf.app.run, which passes on what nobody defined."""

import subprocess
import sys
import textwrap
import unittest


class FlagsTest(unittest.TestCase):

    def run_program(self, text, *arguments, without_absl=False):
        hidden = "import sys; sys.modules['absl'] = None\n" if without_absl else ""
        done = subprocess.run([sys.executable, "-c", hidden + textwrap.dedent(text), *arguments], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_values_are_there_before_main(self):
        program = """
            import headrace as tf
            tf.app.flags.DEFINE_string("job", "", "")
            tf.app.flags.DEFINE_integer("index", default_value=1, docstring="")
            FLAGS = tf.app.flags.FLAGS
            print(FLAGS.job, FLAGS.index)
        """
        for without_absl in (False, True):
            self.assertEqual(self.run_program(program, "--job=ps", without_absl=without_absl), ["ps", "1"])

    def test_main_gets_what_nobody_defined(self):
        program = """
            import headrace as tf
            tf.flags.DEFINE_bool("fast", False, "")
            def main(argv):
                print(tf.flags.FLAGS.fast, *argv[1:])
            tf.app.run()
        """
        for without_absl in (False, True):
            self.assertEqual(self.run_program(program, "--fast", "--other=3", without_absl=without_absl), ["True", "--other=3"])


if __name__ == "__main__":
    unittest.main()
