"""Synchronous training: gradients of several workers are averaged before one update."""

from ..framework import dtypes
from ..framework.graph import GraphKeys, IndexedSlices, get_default_graph, name_scope
from ..framework.variables import Variable, global_variables, group, no_op, report_uninitialized_variables
from ..ops import array
from ..ops.queues import ConditionalAccumulator, FIFOQueue, SparseConditionalAccumulator
from .coordinator import QueueRunner
from .optimizer import Optimizer
from .session_run_hook import SessionRunHook


class SyncReplicasOptimizer(Optimizer):
    """Wraps an optimizer: an update uses the mean of `replicas_to_aggregate` workers' gradients of the same step.

    Gradients of an earlier step are dropped. Workers wait for a token before their next step; the chief gives out
    `total_num_replicas` tokens after each update.
    """

    def __init__(self, opt, replicas_to_aggregate, total_num_replicas=None, variable_averages=None,
                 variables_to_average=None, use_locking=False, name="sync_replicas"):
        total_num_replicas = total_num_replicas or replicas_to_aggregate
        super().__init__(use_locking, name)
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._total_num_replicas = total_num_replicas
        self._tokens_per_step = max(total_num_replicas, replicas_to_aggregate)
        self._variable_averages, self._variables_to_average = variable_averages, variables_to_average
        self._gradients_applied = False
        self._chief_queue_runner = None
        self._accumulator_list = []

    def compute_gradients(self, *args, **kwargs):
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """A worker's operation: hands its gradients over and waits for its token. Raises ValueError without a global step."""
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        graph = get_default_graph()
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        anchor = no_op(name="local_anchor")  # each worker counts on its own device, not on the parameter servers
        with graph.colocate_with(anchor), graph.name_scope(None):
            self._local_step = Variable(0, trainable=False, collections=[GraphKeys.LOCAL_VARIABLES],
                                        dtype=global_step.dtype, name="sync_rep_local_step")
        self.local_step_init_op = self._local_step.assign(global_step.value()).op
        self.chief_init_op = group(self.local_step_init_op)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(self._name):
            local_step = self._local_step.value()
            averages, handed_over = self._accumulate(graph, pairs, local_step)
            with graph.colocate_with(global_step.op):
                update = self._opt.apply_gradients(averages, global_step)
            self._sync_token_queue = self._make_queue(graph, global_step, "sync_token_q")
            with graph.colocate_with(global_step.op):
                with graph.control_dependencies(handed_over):
                    token = self._sync_token_queue.dequeue()
                train = self._local_step.assign(token).op
                with graph.control_dependencies([update]):
                    tokens = array.fill([self._tokens_per_step], global_step.value())
                    give_out = self._sync_token_queue.enqueue_many((tokens,))
                if self._variable_averages is not None:
                    with graph.control_dependencies([give_out]):
                        give_out = self._variable_averages.apply(self._variables_to_average)
                dummy = FIFOQueue(1, dtypes.bool_, shapes=[[]], name="dummy_queue", shared_name="dummy_queue")
            self._chief_queue_runner = QueueRunner(dummy, [give_out])
            self.chief_init_op = group(self.local_step_init_op,
                                       *[a.set_global_step(global_step.value(), name="SetGlobalStep")
                                         for a, _ in self._accumulator_list])
        self._gradients_applied = True
        return train

    def _make_queue(self, graph, global_step, name):
        with graph.colocate_with(global_step.op):
            return FIFOQueue(-1, global_step.dtype.base_dtype, shapes=[[]], name=name, shared_name=name)

    def _accumulate(self, graph, pairs, local_step):
        averages, handed_over = [], []
        for gradient, variable in pairs:
            with graph.device(variable.device or None):
                shared = f"{variable.op.name}/grad_accum"
                if isinstance(gradient, IndexedSlices):
                    accumulator = SparseConditionalAccumulator(gradient.dtype, shape=(), shared_name=shared)
                    handed_over.append(accumulator.apply_indexed_slices_grad(gradient, local_step))
                    averages.append((accumulator.take_indexed_slices_grad(self._replicas_to_aggregate), variable))
                else:
                    accumulator = ConditionalAccumulator(gradient.dtype, shape=variable.shape, shared_name=shared)
                    handed_over.append(accumulator.apply_grad(gradient, local_step))
                    averages.append((accumulator.take_grad(self._replicas_to_aggregate), variable))
            self._accumulator_list.append((accumulator, variable.device))
        return averages, handed_over

    def get_chief_queue_runner(self):
        """The runner that the chief starts: it applies updates. Raises ValueError before apply_gradients."""
        if not self._gradients_applied:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_slot(self, *args, **kwargs):
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args, **kwargs):
        return self._opt.get_slot_names(*args, **kwargs)

    def variables(self):
        return self._opt.variables()

    def get_init_tokens_op(self, num_tokens=-1):
        """An operation that gives the first tokens out; the chief runs it once."""
        if not self._gradients_applied:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        graph = get_default_graph()
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        with graph.colocate_with(self._global_step.op), name_scope(""):
            tokens = array.fill([num_tokens], self._global_step.value())
            return self._sync_token_queue.enqueue_many((tokens,))

    def make_session_run_hook(self, is_chief, num_tokens=-1):
        """The hook that a MonitoredTrainingSession needs for it."""
        return _SyncReplicasOptimizerHook(self, is_chief, num_tokens)


class _SyncReplicasOptimizerHook(SessionRunHook):

    def __init__(self, optimizer, is_chief, num_tokens):
        self._optimizer, self._is_chief, self._num_tokens = optimizer, is_chief, num_tokens

    def begin(self):
        optimizer = self._optimizer
        if not optimizer._gradients_applied:
            raise ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.")
        if self._is_chief:
            self._local_init_op = optimizer.chief_init_op
            self._ready_op = optimizer.ready_for_local_init_op
            self._runner = optimizer.get_chief_queue_runner()
            self._init_tokens_op = optimizer.get_init_tokens_op(self._num_tokens)
        else:
            self._local_init_op = optimizer.local_step_init_op
            self._ready_op = optimizer.ready_for_local_init_op
            self._runner = self._init_tokens_op = None

    def after_create_session(self, session, coord):
        missing = session.run(self._ready_op)
        if missing.size:
            raise RuntimeError("Init operations did not make model ready for local_init. Variables not initialized: "
                               + ", ".join(name.decode() for name in missing))
        session.run(self._local_init_op)
        if self._init_tokens_op is not None:
            session.run(self._init_tokens_op)
        if self._runner is not None:
            self._runner.create_threads(session, coord=coord, daemon=True, start=True)
