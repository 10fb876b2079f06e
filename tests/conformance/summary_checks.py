"""Summaries: a Headrace server computes the bytes that TensorFlow computes, and images of the same pixels."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
RANDOM = np.random.default_rng(3)


class Summaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def both(self, build):
        """What build() is in TensorFlow's own session and on the server."""
        results = []
        for target in "", self.cluster.target:
            with tf.Graph().as_default(), tf.Session(target) as session:
                results.append(session.run(build()))
        return results

    def test_scalars_and_histograms_have_the_same_bytes(self):
        for dtype in "float32", "float64", "float16", "int32", "int64", "uint8":
            values = (RANDOM.standard_normal((50, 7)) * 10.0 ** RANDOM.integers(-6, 4, (50, 7))).astype(dtype)

            def build():
                tf.summary.scalar("loss", tf.constant(values[0, 0]))
                tf.summary.histogram("values", tf.constant(values))
                tf.summary.text("text", tf.constant(["a", "b"]))
                return tf.summary.merge_all()
            expected, actual = self.both(build)
            self.assertEqual(expected, actual, dtype)

    def test_audio_has_the_same_bytes(self):
        clips = RANDOM.uniform(-1.2, 1.2, (4, 100, 2)).astype(np.float32)
        expected, actual = self.both(lambda: tf.summary.audio("clip", tf.constant(clips), tf.constant(8000.0)))
        self.assertEqual(expected, actual)

    def pixels(self, serialized):
        with tf.Graph().as_default(), tf.Session() as session:
            return {v.tag: (v.image.height, v.image.width, v.image.colorspace,
                            session.run(tf.image.decode_png(v.image.encoded_image_string)).tolist())
                    for v in tf.Summary.FromString(serialized).value}

    def test_images_have_the_same_pixels(self):
        for dtype in "uint8", "float32", "float16", "float64":
            for depth in 1, 3, 4:
                for low in 0, -3:
                    images = RANDOM.uniform(max(low, 0 if dtype == "uint8" else low) * 50, 250, (3, 5, 6, depth)).astype(dtype)
                    if dtype != "uint8":
                        images[0, 0, 0, 0], images[1, 2, 3, 0] = np.nan, np.inf
                    for most in 1, 2:
                        expected, actual = self.both(lambda: tf.summary.image("image", tf.constant(images), max_outputs=most))
                        self.assertEqual(self.pixels(expected), self.pixels(actual), (dtype, depth, low))


if __name__ == "__main__":
    unittest.main()
