"""The trainings of bench/python: each under both modules, fed by feed_dict or from a tf.data pipeline, from equal initial values."""

import dataclasses
import typing

import numpy as np

IMAGES, EXAMPLES, CATEGORIES, BUCKETS = 10000, 20000, 26, 1000


@dataclasses.dataclass
class Built:
    """A training: the step, the loss of `check_feed`, how a step is fed, how many steps are measured."""
    train: typing.Any
    loss: typing.Any
    check_feed: dict
    feed_of: typing.Callable
    steps: int
    initializer: typing.Any = None
    initial_feeds: typing.Any = None


def images_and_labels():
    """Ten classes of 28 x 28 images: one blurred pattern each, under noise."""
    rng = np.random.RandomState(0)
    patterns = rng.rand(10, 784).astype(np.float32)
    labels = rng.randint(0, 10, IMAGES)
    images = patterns[labels] * 0.5 + rng.rand(IMAGES, 784).astype(np.float32) * 0.5
    return images, labels.astype(np.int64)


def initial(shape, seed, scale):
    return (np.random.RandomState(seed).randn(*shape) * scale).astype(np.float32)


def inputs(tf, task, feeds, arrays, batch):
    """(the batch's tensors, feed_of, initializer, its feeds): placeholders, or a shuffled pipeline over the same arrays."""
    holders = [tf.placeholder(a.dtype, [None] + list(a.shape[1:])) for a in arrays]
    if feeds:
        def feed_of(number):
            start = (number * batch) % (len(arrays[0]) - batch + 1)
            return {holder: array[start:start + batch] for holder, array in zip(holders, arrays)}

        return holders, holders, feed_of, None, None
    with tf.device(f"/job:worker/task:{task.index}" if task.hosts else None):
        dataset = tf.data.Dataset.from_tensor_slices(tuple(holders)).shuffle(1000, seed=1).repeat().batch(batch).prefetch(2)
        iterator = tf.data.make_initializable_iterator(dataset)
        batches = [tf.placeholder_with_default(t, [None] + list(a.shape[1:])) for t, a in zip(iterator.get_next(), arrays)]
    return batches, batches, lambda number: None, iterator.initializer, dict(zip(holders, arrays))


def classifier(tf, task, feeds, step, network, optimizer, batch, steps):
    images, labels = images_and_labels()
    (x, y), checked, feed_of, initializer, initial_feeds = inputs(tf, task, feeds, [images, labels], batch)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=network(x)))
    train = optimizer.minimize(loss, global_step=step)
    return Built(train, loss, dict(zip(checked, (images[:500], labels[:500]))), feed_of, steps, initializer, initial_feeds)


def dense(tf, x, name, width, seed):
    extent = int(x.shape[1])
    weights = tf.get_variable(name + "_w", initializer=initial([extent, width], seed, extent ** -0.5))
    return tf.nn.xw_plus_b(x, weights, tf.get_variable(name + "_b", initializer=np.zeros(width, np.float32)))


def softmax(tf, task, feeds, step):
    return classifier(tf, task, feeds, step, lambda x: dense(tf, x, "softmax", 10, 1),
                      tf.train.GradientDescentOptimizer(0.1), 100, 2000)


def mlp(tf, task, feeds, step):
    def network(x):
        return dense(tf, tf.nn.relu(dense(tf, x, "hidden", 100, 1)), "softmax", 10, 2)

    return classifier(tf, task, feeds, step, network, tf.train.AdamOptimizer(0.002), 100, 1500)


def cnn(tf, task, feeds, step):
    def convolution(x, name, width, seed):
        shape = [5, 5, int(x.shape[3]), width]
        kernel = tf.get_variable(name + "_w", initializer=initial(shape, seed, np.prod(shape[:3]) ** -0.5))
        bias = tf.get_variable(name + "_b", initializer=np.zeros(width, np.float32))
        made = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, [1, 1, 1, 1], "SAME"), bias))
        return tf.nn.max_pool(made, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")

    def network(x):
        pooled = convolution(convolution(tf.reshape(x, [-1, 28, 28, 1]), "conv1", 16, 1), "conv2", 32, 2)
        flat = tf.reshape(pooled, [-1, 7 * 7 * 32])
        return dense(tf, tf.nn.relu(dense(tf, flat, "hidden", 128, 3)), "softmax", 10, 4)

    return classifier(tf, task, feeds, step, network, tf.train.AdamOptimizer(0.001), 50, 100)


def clicks():
    """Rows of 26 categories and 13 numbers with a label that follows from some of them."""
    rng = np.random.RandomState(1)
    ids = (rng.rand(EXAMPLES, CATEGORIES) ** 2 * BUCKETS).astype(np.int64)
    numbers = rng.rand(EXAMPLES, 13).astype(np.float32)
    chance = (ids[:, 0] % 7 < 3) * 0.5 + (ids[:, 1] < 100) * 0.3 + numbers[:, 0] * 0.2
    return ids, numbers, (rng.rand(EXAMPLES) < chance).astype(np.float32)


def write_clicks(tf, path):
    """The same rows as Examples in a TFRecord file."""
    def feature(**kind):
        return tf.train.Feature(**kind)

    with tf.python_io.TFRecordWriter(path) as writer:
        for ids, numbers, label in zip(*clicks()):
            writer.write(tf.train.Example(features=tf.train.Features(feature={
                "ids": feature(int64_list=tf.train.Int64List(value=ids)),
                "numbers": feature(float_list=tf.train.FloatList(value=numbers)),
                "label": feature(float_list=tf.train.FloatList(value=[label]))})).SerializeToString())


def wide_deep(tf, task, feeds, step):
    arrays, batch = clicks(), 256
    if feeds:
        tensors, checked, feed_of, initializer, initial_feeds = inputs(tf, task, True, arrays, batch)
    else:
        with tf.device(f"/job:worker/task:{task.index}" if task.hosts else None):
            records = tf.data.TFRecordDataset(task.data + "/clicks.tfrecord").shuffle(1000, seed=1).repeat().batch(batch)
            parsed = records.map(lambda rows: tf.parse_example(rows, {
                "ids": tf.FixedLenFeature([CATEGORIES], tf.int64), "numbers": tf.FixedLenFeature([13], tf.float32),
                "label": tf.FixedLenFeature([], tf.float32)}), num_parallel_calls=2).prefetch(2)
            iterator = tf.data.make_initializable_iterator(parsed)
            element = iterator.get_next()
            tensors = [tf.placeholder_with_default(element[key], shape) for key, shape in (
                ("ids", [None, CATEGORIES]), ("numbers", [None, 13]), ("label", [None]))]
        checked, feed_of, initializer, initial_feeds = tensors, lambda number: None, iterator.initializer, None
    ids, numbers, label = tensors
    flat = ids + np.arange(CATEGORIES, dtype=np.int64) * BUCKETS
    table = tf.get_variable("table", initializer=initial([CATEGORIES * BUCKETS, 16], 1, 0.05))
    weights = tf.get_variable("wide", initializer=np.zeros([CATEGORIES * BUCKETS, 1], np.float32))
    embedded = tf.reshape(tf.nn.embedding_lookup(table, flat), [-1, CATEGORIES * 16])
    hidden = tf.nn.relu(dense(tf, tf.concat([embedded, numbers], 1), "hidden1", 128, 2))
    hidden = tf.nn.relu(dense(tf, hidden, "hidden2", 64, 3))
    deep = dense(tf, hidden, "out", 1, 4)
    wide = tf.reduce_sum(tf.nn.embedding_lookup(weights, flat), 1)
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=tf.squeeze(deep + wide, [1])))
    others = [v for v in tf.trainable_variables() if v is not weights]
    train = tf.group(tf.train.AdagradOptimizer(0.05).minimize(loss, var_list=others, global_step=step),
                     tf.train.FtrlOptimizer(0.05, l1_regularization_strength=0.001).minimize(loss, var_list=[weights]))
    return Built(train, loss, dict(zip(checked, (a[:1000] for a in arrays))), feed_of, 300, initializer, initial_feeds)


MODELS = {"softmax": softmax, "mlp": mlp, "cnn": cnn, "wide_deep": wide_deep}
