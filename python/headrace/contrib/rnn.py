"""tf.contrib.rnn: the cells of tf.nn.rnn_cell and tf.nn.static_rnn under their older names."""

import importlib as _importlib


def __getattr__(name):
    for module in ("..rnn_cell", "..rnn"):
        found = getattr(_importlib.import_module(module, __package__), name, None)
        if found is not None and not name.startswith("_"):
            return found
    raise AttributeError(f"module 'headrace.contrib.rnn' has no attribute '{name}': the cells are those of tf.nn.rnn_cell")
