"""Training through TensorFlow's client: the same graph in TensorFlow's own session and on a Headrace cluster gives the same losses."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
STEPS = 20
RANDOM = np.random.default_rng(7)
X = RANDOM.standard_normal((64, 6)).astype(np.float32)
LABELS = (X @ RANDOM.standard_normal((6, 3))).argmax(1).astype(np.int32)
IDS = RANDOM.integers(0, 20, (64, 3)).astype(np.int32)
WEIGHTS = {name: RANDOM.uniform(-0.5, 0.5, shape).astype(np.float32)
           for name, shape in {"hidden": (6, 8), "out": (8, 3), "embedding": (20, 4), "head": (4, 3), "first": (3, 3, 2, 8),
                               "depthwise": (3, 3, 8, 1), "second": (3, 3, 8, 8), "dense": (32, 3)}.items()}
IMAGES = RANDOM.standard_normal((64, 8, 8, 2)).astype(np.float32)


def variable(name, value):
    return tf.get_variable(name, initializer=tf.constant(value))


def softmax_loss(logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=LABELS, logits=logits))


def mlp():
    hidden = tf.nn.relu(tf.matmul(X, variable("hidden", WEIGHTS["hidden"])) + variable("bias", np.zeros(8, np.float32)))
    return softmax_loss(tf.matmul(hidden, variable("out", WEIGHTS["out"])))


def embedding():
    rows = tf.nn.embedding_lookup(variable("embedding", WEIGHTS["embedding"]), IDS)
    return softmax_loss(tf.matmul(tf.reduce_mean(rows, 1), variable("head", WEIGHTS["head"])))


def convolutions():
    """A net of what image programs are made of: normalized, depthwise and plain convolutions, LRN, both kinds of pooling."""
    def normalized(x, name, training):
        return tf.raw_ops.FusedBatchNormV3(x=x, scale=variable(name + "/scale", np.ones(8, np.float32)),
                                           offset=variable(name + "/offset", np.zeros(8, np.float32)),
                                           mean=[] if training else np.zeros(8, np.float32),
                                           variance=[] if training else np.ones(8, np.float32), is_training=training).y
    x = tf.nn.relu6(normalized(tf.nn.conv2d(IMAGES, variable("first", WEIGHTS["first"]), 1, "SAME"), "norm1", True))
    x = tf.nn.lrn(tf.nn.max_pool2d(x, 3, 2, "SAME"), depth_radius=2, alpha=0.1)
    x = tf.nn.depthwise_conv2d(x, variable("depthwise", WEIGHTS["depthwise"]), [1, 1, 1, 1], "SAME")
    x = tf.nn.elu(normalized(tf.nn.conv2d(x, variable("second", WEIGHTS["second"]), 1, "SAME"), "norm2", False))
    x = tf.reshape(tf.nn.avg_pool2d(x, 2, 2, "VALID"), [64, 32])
    return softmax_loss(tf.matmul(x, variable("dense", WEIGHTS["dense"])))


def losses(target, model, optimizer, use_resource, steps=STEPS):
    """The loss before each of the steps, and the variables after the last."""
    with tf.Graph().as_default(), tf.variable_scope("", use_resource=use_resource):
        loss = model()
        with tf.control_dependencies([loss]):
            train = optimizer().minimize(loss)
        with tf.Session(target) as session:
            session.run(tf.global_variables_initializer())
            history = [session.run([loss, train])[0] for _ in range(steps)]
            return np.array(history), session.run({v.op.name: v for v in tf.trainable_variables()})


class Optimizers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def compare(self, model, optimizer):
        for use_resource in True, False:
            self.compare_variables(model, optimizer, use_resource)

    def compare_variables(self, model, optimizer, use_resource):
        expected, end = losses("", model, optimizer, use_resource)
        actual, ours = losses(self.cluster.target, model, optimizer, use_resource)
        np.testing.assert_allclose(actual, expected, rtol=1e-5)
        self.assertLess(actual[-1], actual[0])
        for name, value in end.items():
            np.testing.assert_allclose(ours[name], value, rtol=1e-4, atol=1e-6, err_msg=name)

    def test_gradient_descent(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.GradientDescentOptimizer(0.3))

    def test_convolutions(self):
        self.compare(convolutions, lambda: tf.train.GradientDescentOptimizer(0.05))

    def test_momentum(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True))

    def test_adam(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.AdamOptimizer(0.01))

    def test_adagrad(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.AdagradOptimizer(0.1))

    def test_ftrl(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.001))

    def test_rms_prop(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.RMSPropOptimizer(0.01, momentum=0.5))
            self.compare(model, lambda: tf.train.RMSPropOptimizer(0.01, centered=True, epsilon=1e-3))

    def test_adadelta(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.AdadeltaOptimizer(0.5, epsilon=1e-4))

    def test_proximal(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.ProximalGradientDescentOptimizer(0.1, 0.001, 0.001))
            self.compare(model, lambda: tf.train.ProximalAdagradOptimizer(0.1, 0.1, 0.001, 0.001))

    def test_dual_averaging(self):
        for model in mlp, embedding:
            self.compare(model, lambda: tf.train.AdagradDAOptimizer(0.1, tf.constant(3, tf.int64), 0.1, 0.0001, 0.001))


class ParameterServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=2, workers=2).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def softmax_regression(self, target, device):
        with tf.Graph().as_default(), tf.device(device):
            x, y = tf.placeholder(tf.float32, [None, 6]), tf.placeholder(tf.int32, [None])
            weights, bias = variable("weights", np.zeros((6, 3), np.float32)), variable("bias", np.zeros(3, np.float32))
            step = tf.train.get_or_create_global_step()
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=tf.matmul(x, weights) + bias))
            with tf.control_dependencies([loss]):
                train = tf.train.GradientDescentOptimizer(0.5).minimize(loss, global_step=step)
            if target:
                self.assertIn("/job:ps", weights.device)
                self.assertNotEqual(weights.device, bias.device)
            with tf.Session(target) as session:
                session.run(tf.global_variables_initializer())
                history = [session.run([loss, train], {x: X[i % 64:i % 64 + 16], y: LABELS[i % 64:i % 64 + 16]})[0]
                           for i in range(0, 1600, 16)]
                self.assertEqual(session.run(step), 100)
                return np.array(history), session.run(weights)

    def test_variables_on_parameter_servers(self):
        device = tf.train.replica_device_setter(cluster=tf.train.ClusterSpec(self.cluster.spec), worker_device="/job:worker/task:0")
        expected, expected_weights = self.softmax_regression("", None)
        actual, weights = self.softmax_regression(self.cluster.target, device)
        np.testing.assert_allclose(actual, expected, rtol=1e-4)
        np.testing.assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)
        self.assertLess(np.mean(actual[-4:]), 0.5 * np.mean(actual[:4]))

    def test_two_workers_share_the_variables(self):
        device = tf.train.replica_device_setter(cluster=tf.train.ClusterSpec(self.cluster.spec), worker_device="/job:worker/task:1")
        with tf.Graph().as_default(), tf.device(device):
            shared = variable("shared", np.zeros(2, np.float32))
            add = shared.assign_add([1.0, 2.0], read_value=False)
            with tf.Session(self.cluster.targets["worker", 0]) as first, tf.Session(self.cluster.targets["worker", 1]) as second:
                first.run(tf.global_variables_initializer())
                for session in first, second, first:
                    session.run(add)
                np.testing.assert_array_equal(second.run(shared), [3, 6])


if __name__ == "__main__":
    unittest.main()
