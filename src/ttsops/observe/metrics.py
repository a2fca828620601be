"""The objects that count, one for each definition, in a registry of their own.

`metrics.LIVE_STREAMS.labels(engine="espeak").set(3)`. They count in the API process; a worker tells its
figures over its socket. Names, labels and buckets are in `definitions`.
"""

from __future__ import annotations

import platform

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

import ttsops
from ttsops.observe import definitions
from ttsops.observe.definitions import Definition
from ttsops.observe.gpu import GpuReader
from ttsops.observe.machine import Machine

# Halves the series. The library has this switch for the whole process only, and this module is its only user.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry(auto_describe=True)
"""Everything tts-ops exposes, and nothing that another library registers."""


def _counter(definition: Definition) -> Counter:
    return Counter(definition.name, definition.help, tuple(definition.labels), registry=REGISTRY)


def _gauge(definition: Definition) -> Gauge:
    return Gauge(definition.name, definition.help, tuple(definition.labels), registry=REGISTRY)


def _histogram(definition: Definition) -> Histogram:
    return Histogram(
        definition.name,
        definition.help,
        tuple(definition.labels),
        buckets=definition.buckets,
        registry=REGISTRY,
    )


REQUESTS = _counter(definitions.REQUESTS)
ERRORS = _counter(definitions.ERRORS)
REQUEST_DURATION = _histogram(definitions.REQUEST_DURATION)
TIME_TO_FIRST_AUDIO = _histogram(definitions.TIME_TO_FIRST_AUDIO)
SYNTHESIS_DURATION = _histogram(definitions.SYNTHESIS_DURATION)
RTF = _histogram(definitions.RTF)
AUDIO_SECONDS = _counter(definitions.AUDIO_SECONDS)
QUEUE_WAIT = _histogram(definitions.QUEUE_WAIT)
LIVE_STREAMS = _gauge(definitions.LIVE_STREAMS)
QUEUED_STREAMS = _gauge(definitions.QUEUED_STREAMS)
MAX_STREAMS = _gauge(definitions.MAX_STREAMS)
UNDERRUNS = _counter(definitions.UNDERRUNS)
UNDERRUN_SECONDS = _counter(definitions.UNDERRUN_SECONDS)
STEP_DURATION = _histogram(definitions.STEP_DURATION)
BATCH_SIZE = _histogram(definitions.BATCH_SIZE)
CANCELS = _counter(definitions.CANCELS)
SPEECH_FAULTS = _counter(definitions.SPEECH_FAULTS)
FAILOVERS = _counter(definitions.FAILOVERS)
ENGINE_READY = _gauge(definitions.ENGINE_READY)
BREAKER_OPEN = _gauge(definitions.BREAKER_OPEN)
WORKER_RESTARTS = _counter(definitions.WORKER_RESTARTS)
MODEL_LOAD_TIME = _gauge(definitions.MODEL_LOAD_TIME)
EVENT_LOOP_LAG = _histogram(definitions.EVENT_LOOP_LAG)
MODEL_INTEGRITY = _gauge(definitions.MODEL_INTEGRITY)
MODEL_VERIFIED_AT = _gauge(definitions.MODEL_VERIFIED_AT)
WORKER_MEMORY = _gauge(definitions.WORKER_MEMORY)
DISK_FREE = _gauge(definitions.DISK_FREE)
DISK_SIZE = _gauge(definitions.DISK_SIZE)
GPU_UTILIZATION = _gauge(definitions.GPU_UTILIZATION)
GPU_MEMORY_USED = _gauge(definitions.GPU_MEMORY_USED)
AGENT_TURNS = _counter(definitions.AGENT_TURNS)
AGENT_LLM_FIRST_TOKEN = _histogram(definitions.AGENT_LLM_FIRST_TOKEN)
AGENT_SPEECH_DELAY = _histogram(definitions.AGENT_SPEECH_DELAY)
AGENT_FIRST_AUDIO = _histogram(definitions.AGENT_FIRST_AUDIO)
AGENT_TURN_DURATION = _histogram(definitions.AGENT_TURN_DURATION)
AGENT_LLM_ERRORS = _counter(definitions.AGENT_LLM_ERRORS)
AGENT_LLM_BREAKER_OPEN = _gauge(definitions.AGENT_LLM_BREAKER_OPEN)
AGENT_CONVERSATIONS = _gauge(definitions.AGENT_CONVERSATIONS)
BUILD = Info(definitions.BUILD.name.removesuffix("_info"), definitions.BUILD.help, registry=REGISTRY)
BUILD.info({"version": ttsops.__version__, "python": platform.python_version()})
PROCESS = ProcessCollector(registry=REGISTRY)
"""CPU, resident memory, open files of the API process (`process_*`), where the system has /proc."""

MACHINE = Machine()
"""What of this machine is looked at when somebody scrapes."""

_gpu_reader = GpuReader()


def render() -> tuple[bytes, str]:
    """The exposition text and its content type.

    Asks the GPU driver first, which may take milliseconds: call it from a thread where an event loop runs.
    """
    GPU_UTILIZATION.clear()
    GPU_MEMORY_USED.clear()
    for sample in _gpu_reader.read():
        if sample.utilization_percent is not None:
            GPU_UTILIZATION.labels(gpu=sample.index).set(sample.utilization_percent)
        GPU_MEMORY_USED.labels(gpu=sample.index).set(sample.memory_used_bytes)
    WORKER_MEMORY.clear()
    for engine, n_bytes in MACHINE.worker_bytes():
        WORKER_MEMORY.labels(engine=engine).set(n_bytes)
    for disk, (n_free, size) in MACHINE.disks():
        DISK_FREE.labels(disk=disk).set(n_free)
        DISK_SIZE.labels(disk=disk).set(size)
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4
