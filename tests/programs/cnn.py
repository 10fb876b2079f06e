"""A convolutional network with dropout, weight decay, a decaying rate, clipped gradients and moving averages: two workers take turns.

Whose turn it is, and the batch, follow from the global step, so every run has the same losses.
"""

import time

import harness
import numpy as np

STEPS = 24
BATCH = 16


def batch_of(step):
    rng = np.random.RandomState(step)
    labels = rng.randint(0, 4, BATCH)
    images = rng.rand(BATCH, 12, 12, 3).astype(np.float32) * 0.3
    for image, label in zip(images, labels):
        image[(label // 2) * 6:(label // 2) * 6 + 6, (label % 2) * 6:(label % 2) * 6 + 6] += 0.6
    return images, labels.astype(np.int32)


def decayed_variable(tf, name, shape, stddev, decay):
    variable = tf.get_variable(name, shape, initializer=tf.truncated_normal_initializer(stddev=stddev, seed=5))
    if decay:
        tf.add_to_collection("losses", tf.multiply(tf.nn.l2_loss(variable), decay, name="weight_loss"))
    return variable


def inference(tf, images, keep_prob):
    with tf.variable_scope("conv1") as scope:
        kernel = decayed_variable(tf, "weights", [3, 3, 3, 8], 0.3, None)
        biases = tf.get_variable("biases", [8], initializer=tf.constant_initializer(0.1))
        conv1 = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, kernel, [1, 1, 1, 1], padding="SAME"), biases), name=scope.name)
    pool1 = tf.nn.max_pool(conv1, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME", name="pool1")
    norm1 = tf.nn.lrn(pool1, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name="norm1")
    with tf.variable_scope("conv2"):
        kernel = decayed_variable(tf, "weights", [5, 5, 8, 8], 0.1, None)
        biases = tf.get_variable("biases", [8], initializer=tf.zeros_initializer())
        conv2 = tf.nn.relu(tf.nn.conv2d(norm1, kernel, strides=[1, 1, 1, 1], padding="VALID") + biases)
    pool2 = tf.nn.avg_pool(conv2, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    flat = tf.reshape(pool2, [-1, int(np.prod(pool2.get_shape().as_list()[1:]))])
    with tf.variable_scope("local3"):
        weights = decayed_variable(tf, "weights", [flat.get_shape()[1], 24], 0.3, 0.004)
        biases = tf.get_variable("biases", [24], initializer=tf.constant_initializer(0.1))
        local3 = tf.nn.dropout(tf.nn.relu(tf.matmul(flat, weights) + biases), keep_prob, seed=11)
    with tf.variable_scope("softmax_linear"):
        weights = decayed_variable(tf, "weights", [24, 4], 1 / 24, 0.001)
        biases = tf.get_variable("biases", [4], initializer=tf.constant_initializer(0.0))
        return tf.add(tf.matmul(local3, weights), biases, name="logits")


def main(tf, task):
    server = task.server(tf)
    tf.get_variable_scope().set_use_resource(True)  # TensorFlow's old kind may be read before the update that the averages wait for
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        images = tf.placeholder(tf.float32, [None, 12, 12, 3], name="images")
        labels = tf.placeholder(tf.int32, [None], name="labels")
        keep_prob = tf.placeholder(tf.float32, name="keep_prob")
        logits = inference(tf, images, keep_prob)
        entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="entropy")
        tf.add_to_collection("losses", entropy)
        loss = tf.add_n(tf.get_collection("losses"), name="total_loss")
        rate = tf.train.exponential_decay(0.2, global_step, 8, 0.7, staircase=True)
        optimizer = tf.train.MomentumOptimizer(rate, 0.9)
        gradients, variables = zip(*optimizer.compute_gradients(loss))
        clipped, norm = tf.clip_by_global_norm(gradients, 1.0)
        applied = optimizer.apply_gradients(zip(clipped, variables))
        averages = tf.train.ExponentialMovingAverage(0.9, global_step)
        with tf.control_dependencies([applied]):
            averaged = averages.apply(tf.trainable_variables())
        with tf.control_dependencies([averaged]):  # the other worker's turn begins when all is done
            train = tf.assign_add(global_step, 1).op
        accuracy = tf.reduce_mean(tf.cast(tf.nn.in_top_k(logits, labels, 1), tf.float32))
    supervisor = tf.train.Supervisor(is_chief=task.is_chief, logdir=task.directory + "/train", global_step=global_step,
                                     recovery_wait_secs=1, save_model_secs=0, summary_op=None)
    losses, workers = {}, len(task.worker_hosts)
    with supervisor.managed_session(server.target) as session:
        step = 0
        while step < STEPS:
            step = session.run(global_step)
            if step >= STEPS or step % workers != task.index:
                time.sleep(0.002)
                continue
            pixels, truth = batch_of(step)
            feed = {images: pixels, labels: truth, keep_prob: 0.5 if step >= STEPS - 4 else 1.0}
            _, value, length, speed = session.run([train, loss, norm, rate], feed_dict=feed)
            losses[int(step)] = [float(value), float(length), float(speed)]
        pixels, truth = batch_of(1000)
        result = {"losses": losses, "accuracy": float(session.run(accuracy, {images: pixels, labels: truth, keep_prob: 1.0})),
                  "averages": [float(np.sum(np.abs(session.run(averages.average(v))))) for v in tf.trainable_variables()],
                  "names": sorted(v.op.name for v in tf.global_variables())}
    return result


def compare(ours, theirs):
    curves = [{int(s): v for result in results for s, v in result["losses"].items()} for results in (ours, theirs)]
    assert sorted(curves[0]) == sorted(curves[1]) == list(range(STEPS)), curves
    np.testing.assert_allclose([curves[0][s] for s in range(STEPS)], [curves[1][s] for s in range(STEPS)], rtol=2e-3)
    np.testing.assert_allclose(ours[0]["averages"], theirs[0]["averages"], rtol=1e-3)
    assert ours[0]["names"] == theirs[0]["names"], (ours[0]["names"], theirs[0]["names"])
    assert ours[0]["accuracy"] > 0.9


if __name__ == "__main__":
    harness.start(main)
