"""tf.train: optimizers, savers, clusters, sessions that recover, input queues."""

import importlib as _importlib

from . import coordinator as queue_runner
from .coordinator import Coordinator, LooperThread, QueueRunner, add_queue_runner, start_queue_runners
from .global_step import (assert_global_step, create_global_step, get_global_step, get_or_create_global_step, global_step)
from .learning_rate import (cosine_decay, cosine_decay_restarts, exponential_decay, inverse_time_decay, linear_cosine_decay,
                            natural_exp_decay, noisy_linear_cosine_decay, piecewise_constant, piecewise_constant_decay,
                            polynomial_decay)
from .moving_averages import ExponentialMovingAverage
from .optimizer import (AdadeltaOptimizer, AdagradDAOptimizer, AdagradOptimizer, AdamOptimizer, FtrlOptimizer,
                        GradientDescentOptimizer, MomentumOptimizer, Optimizer, ProximalAdagradOptimizer,
                        ProximalGradientDescentOptimizer, RMSPropOptimizer)
from .saver import (CheckpointReader, NewCheckpointReader, Saver, checkpoint_exists, checkpoints_iterator, export_meta_graph,
                    get_checkpoint_mtimes, get_checkpoint_state, import_meta_graph, latest_checkpoint, list_variables,
                    load_checkpoint, load_variable, remove_checkpoint, update_checkpoint_state)
from .server import ClusterSpec, Server, replica_device_setter

# What is loaded when it is first used: name -> module.
_LAZY = {}
for _module, _names in {
        "..protos": ("Example", "Features", "Feature", "FeatureList", "FeatureLists", "SequenceExample", "BytesList",
                     "FloatList", "Int64List", "ClusterDef", "JobDef", "ServerDef", "SaverDef"),
        "..summary": ("summary_iterator",),
        ".input": ("batch", "batch_join", "input_producer", "limit_epochs", "match_filenames_once", "maybe_batch",
                   "range_input_producer", "shuffle_batch", "shuffle_batch_join", "slice_input_producer",
                   "string_input_producer"),
        ".hooks": ("CheckpointSaverHook", "CheckpointSaverListener", "FeedFnHook", "FinalOpsHook", "GlobalStepWaiterHook",
                   "LoggingTensorHook", "NanLossDuringTrainingError", "NanTensorHook", "ProfilerHook", "SecondOrStepTimer",
                   "StepCounterHook", "StopAtStepHook", "SummarySaverHook"),
        ".monitored_session": ("ChiefSessionCreator", "MonitoredSession", "MonitoredTrainingSession", "Scaffold",
                               "SessionCreator", "SingularMonitoredSession", "WorkerSessionCreator"),
        ".initial_values": ("init_from_checkpoint",),
        ".meta_graph": ("write_graph",),
        ".session_manager": ("SessionManager",), ".supervisor": ("Supervisor", "basic_train_loop"),
        ".session_run_hook": ("SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues"),
        ".sync_replicas": ("SyncReplicasOptimizer",),
}.items():
    _LAZY.update(dict.fromkeys(_names, _module))


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'headrace.train' has no attribute '{name}'")
    value = globals()[name] = getattr(_importlib.import_module(_LAZY[name], __name__), name)
    return value


def __dir__():
    return sorted(set(n for n in globals() if not n.startswith("_")) | set(_LAZY))
