"""The Saver's files: which there are, and what the state files say."""

import os
import tempfile
import unittest

import headrace as tf


class SaverTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_a_state_file_of_another_name_leaves_the_usual_one_alone(self):
        tf.get_variable("v", [2])
        every, best = tf.train.Saver(max_to_keep=2), tf.train.Saver(max_to_keep=1)
        with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
            session.run(tf.global_variables_initializer())
            every.save(session, os.path.join(folder, "model"), global_step=1)
            for step in (1, 2):
                best.save(session, os.path.join(folder, "best"), global_step=step, latest_filename="best_checkpoint")
            self.assertEqual(tf.train.latest_checkpoint(folder), os.path.join(folder, "model-1"))
            self.assertEqual(tf.train.latest_checkpoint(folder, "best_checkpoint"), os.path.join(folder, "best-2"))
            state = tf.train.get_checkpoint_state(folder, latest_filename="best_checkpoint")
            self.assertEqual(list(state.all_model_checkpoint_paths), [os.path.join(folder, "best-2")])
            self.assertFalse(tf.train.checkpoint_exists(os.path.join(folder, "best-1")))


if __name__ == "__main__":
    unittest.main()
