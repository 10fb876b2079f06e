"""The small part of TensorFlow 1's tf.contrib that programs touch most. For everything else an error says what to use."""

import importlib as _importlib

_MODULES = {
    "data": "..data.experimental", "framework": ".framework", "layers": ".layers", "lookup": "..lookup", "rnn": ".rnn",
    "staging": ".staging",
}

_INSTEAD = {
    "batching": "tf.data.Dataset.batch", "cluster_resolver": "tf.train.ClusterSpec of the hosts",
    "crf": "a loss of your own with tf.while_loop", "distribute": "tf.train.replica_device_setter and tf.train.Server",
    "distributions": "tf.random_normal and its kin", "eager": "graphs and sessions", "estimator":
    "tf.train.MonitoredTrainingSession", "feature_column": "tf.feature_column", "image": "tf.image", "keras": "tf.layers",
    "learn": "tf.train.MonitoredTrainingSession and tf.feature_column", "legacy_seq2seq": "tf.nn.dynamic_rnn",
    "losses": "tf.losses", "metrics": "tf.metrics", "opt": "the optimizers of tf.train", "predictor": "tf.Session",
    "saved_model": "tf.train.Saver", "seq2seq": "tf.nn.dynamic_rnn", "slim": "tf.layers and tf.losses",
    "summary": "tf.summary", "tensorboard": "tf.summary",
    "training": "tf.train", "util": "plain Python",
}


def __getattr__(name):
    if name in _MODULES:
        value = globals()[name] = _importlib.import_module(_MODULES[name], __name__)
        return value
    if name.startswith("__"):
        raise AttributeError(name)
    instead = _INSTEAD.get(name)
    raise AttributeError(f"module 'headrace.contrib' has no attribute '{name}'" + (
        f": use {instead}" if instead else f"; it has {', '.join(sorted(_MODULES))}"))


def __dir__():
    return sorted(_MODULES)
