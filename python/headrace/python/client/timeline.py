"""Timeline: a traced step as a Chrome trace, for chrome://tracing or https://ui.perfetto.dev.

    metadata = tf.RunMetadata()
    session.run(train_op, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    with open("timeline.json", "w") as file:
        file.write(timeline.Timeline(metadata.step_stats).generate_chrome_trace_format())
"""

import collections
import itertools
import json
import re

AllocationMaximum = collections.namedtuple("AllocationMaximum", ["timestamp", "num_bytes", "tensors"])
StepStatsAnalysis = collections.namedtuple("StepStatsAnalysis", ["chrome_trace", "allocator_maximums"])

_ALLOCATORS_PID = 0
_Run = collections.namedtuple("_Run", ["stats", "op", "inputs", "start", "end", "pid", "lane"])


class _ChromeTrace:
    """Events in the Trace Event Format; times are in microseconds."""

    def __init__(self):
        self._names, self._events = [], []

    def name_process(self, pid, name):
        self._names.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": name}})

    def add(self, phase, category, name, pid, tid, time, **more):
        self._events.append({"ph": phase, "cat": category, "name": name, "pid": pid, "tid": tid, "ts": time, **more})

    def format_to_string(self, pretty=False):
        """The trace as JSON."""
        trace = {"traceEvents": self._names + self._events}
        return json.dumps(trace, indent=4) if pretty else json.dumps(trace, separators=(",", ":"))


def _op_and_inputs(stats):
    """("MatMul", ["x", "w"]) of the label "y = MatMul(x, w)"; the transfer between two tasks has a label of its own kind."""
    if stats.node_name == "RecvTensor":
        return "RecvTensor", []
    match = re.fullmatch(r".* = ([^ ()]+)\((.*)\)", stats.timeline_label, re.DOTALL)
    return (match[1], match[2].split(", ") if match[2] else []) if match else ("unknown", [])


def _runs_of(device, pid):
    """The runs on a device by their start, those at the same time in different lanes."""
    free_at = []
    for stats in sorted(device.node_stats, key=lambda s: s.all_start_micros):
        start, end = stats.all_start_micros, stats.all_start_micros + stats.all_end_rel_micros
        lane = next((i for i, time in enumerate(free_at) if time <= start), len(free_at))
        free_at[lane:lane + 1] = [end]
        yield _Run(stats, *_op_and_inputs(stats), start, end, pid, lane)


def _outputs_of(run):
    """The names under which others read the outputs of a run, with what is told of each."""
    for output in run.stats.output:
        yield run.stats.node_name + (f":{output.slot}" if output.slot else ""), output.tensor_description


class Timeline:
    """Shows where the time of a step went: each device a process, each operation a slice.

    `step_stats` is what RunMetadata has of a step that was run with trace_level=FULL_TRACE.
    """

    def __init__(self, step_stats, graph=None):
        self._step_stats = step_stats

    def generate_chrome_trace_format(self, show_dataflow=True, show_memory=False, op_time="schedule"):
        """The trace as JSON: slices, arrows from producers to consumers, and with `show_memory` the bytes that are alive."""
        return self.analyze_step_stats(show_dataflow, show_memory, op_time).chrome_trace.format_to_string(pretty=True)

    def analyze_step_stats(self, show_dataflow=True, show_memory=True, op_time="schedule"):
        """A StepStatsAnalysis: the trace, and by allocator the AllocationMaximum. There are no GPUs, so every `op_time` is one."""
        if op_time not in ("schedule", "gpu", "all"):
            raise ValueError(f"op_time is {op_time!r}; it must be 'schedule', 'gpu' or 'all'")
        trace, runs = _ChromeTrace(), []
        if show_memory:
            trace.name_process(_ALLOCATORS_PID, "Allocators")
        for pid, device in enumerate(self._step_stats.dev_stats, 1):
            trace.name_process(pid, f"{device.device} Compute")
            runs.extend(_runs_of(device, pid))
        for run in runs:
            arguments = {"name": run.stats.node_name, "op": run.op}
            arguments.update((f"input{i}", name) for i, name in enumerate(run.inputs))
            if run.op == "RecvTensor":
                arguments["what"] = run.stats.timeline_label
            trace.add("X", "Op", run.op, run.pid, run.lane, run.start, dur=run.end - run.start, args=arguments)
        if show_dataflow:
            _add_arrows(trace, runs)
        return StepStatsAnalysis(trace, _add_memory(trace, runs) if show_memory else {})


def _add_arrows(trace, runs):
    """An arrow to each run from those that made its inputs, where they are in another lane or, by a send, on another device."""
    producers = {}
    for run in runs:
        producers.update((name, run) for name, _ in _outputs_of(run))
        if run.op == "_Send":
            producers["sent:" + _edge(run)] = run
    ids = itertools.count()
    for run in runs:
        for name in ["sent:" + _edge(run)] if run.op == "_Recv" else run.inputs:
            producer = producers.get(name)
            if producer is None or (producer.pid, producer.lane) == (run.pid, run.lane):
                continue
            number, shown = next(ids), name.removeprefix("sent:")
            trace.add("s", "DataFlow", shown, producer.pid, producer.lane, producer.end, id=number)
            trace.add("t", "DataFlow", shown, run.pid, run.lane, run.start, id=number)


def _edge(run):
    """What a send or receive carries: its label is "name = _Send(edge @device)"."""
    return run.inputs[0].split(" @")[0] if run.inputs else ""


def _add_memory(trace, runs):
    """Counts the bytes of each allocator over time. A tensor lives from its operation's start to its last consumer's end."""
    made, ends = {}, {}
    for run in runs:
        for name, tensor in _outputs_of(run):
            if tensor.allocation_description.allocator_name:
                made[name], ends[name] = (run.start, tensor.allocation_description), run.end
    for run in runs:
        for name in run.inputs:
            if name in ends:
                ends[name] = max(ends[name], run.end)
    changes = collections.defaultdict(list)
    for name, (start, allocation) in made.items():
        changes[allocation.allocator_name] += [(start, True, allocation.requested_bytes, name),
                                               (ends[name], False, -allocation.requested_bytes, name)]
    maximums = {}
    for allocator, steps in changes.items():
        total, alive, most = 0, set(), AllocationMaximum(0, 0, set())
        for time, begins, change, name in sorted(steps):
            total += change
            (alive.add if begins else alive.discard)(name)
            trace.add("C", "Memory", allocator, _ALLOCATORS_PID, 0, time, args={allocator: total})
            if total > most.num_bytes:
                most = AllocationMaximum(time, total, set(alive))
        maximums[allocator] = most
    return maximums
