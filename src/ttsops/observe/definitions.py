"""Every metric: its name, what it means, its unit, its labels, and why its buckets are where they are.

Only data: the objects that count are in `metrics`, the page for operators is `docs/reference/metrics.md`.
Times are seconds, sizes bytes. A label takes few values: never a request id, a voice or a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["counter", "gauge", "histogram", "info"]

ENGINE = {"engine": "the engine that speaks, such as `espeak`"}
FORMAT = {"format": "audio format of the answer: `wav`, `mp3`, `opus`, `aac`, `flac` or `pcm`"}
ROUTE = {"route": "the route's template, such as `/v1/audio/speech`; never the raw path"}
OUTCOME = {
    "outcome": "`ok`, `rejected` (caller's mistake), `busy` (full), `failed` (our fault) or `ended` (cut)"
}
DISK = {"disk": "what is kept there: `state` (working directory), `voices` or `models`"}
GPU = {"gpu": "index of the device"}

TO_TEN_MINUTES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric."""

    name: str
    """As it is scraped, with its unit as suffix."""

    kind: Kind
    help: str
    """One line for whoever reads a dashboard."""

    unit: str
    """`seconds`, `bytes`, `percent`, `ratio`, or what is counted."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Label name → what its values mean."""

    buckets: tuple[float, ...] = ()
    """Upper bounds, for histograms."""

    buckets_reason: str = ""
    """Why these bounds."""


REQUESTS = Definition(
    "tts_requests_total",
    "counter",
    "Requests for speech that were answered or cut, by how they ended",
    "requests",
    ROUTE | ENGINE | OUTCOME,
)
ERRORS = Definition(
    "tts_errors_total",
    "counter",
    "Requests for speech that ended with an error, by the error's stable code",
    "errors",
    ENGINE | {"code": "the error's code, as clients see it, such as `overloaded`"},
)
REQUEST_DURATION = Definition(
    "tts_request_duration_seconds",
    "histogram",
    "From the request's first byte to the answer's last, waiting for the listener included",
    "seconds",
    ROUTE | ENGINE,
    TO_TEN_MINUTES,
    "a phrase from espeak takes 10 ms, a long recording minutes; a live stream lasts as long as its audio",
)
TIME_TO_FIRST_AUDIO = Definition(
    "tts_time_to_first_audio_seconds",
    "histogram",
    "From an accepted request to its first audio byte handed to the socket, queue and encoder included",
    "seconds",
    ENGINE | FORMAT,
    (
        0.0025,
        0.005,
        0.01,
        0.015,
        0.02,
        0.03,
        0.05,
        0.075,
        0.1,
        0.15,
        0.2,
        0.3,
        0.5,
        0.75,
        1.0,
        2.0,
        5.0,
        10.0,
    ),
    "dense below 30 ms, the embedded engine's goal, and around 200 ms, where a conversation starts to drag",
)
SYNTHESIS_DURATION = Definition(
    "tts_synthesis_duration_seconds",
    "histogram",
    "From an utterance's place in the engine to its last sample; the queue is not in it",
    "seconds",
    ENGINE,
    TO_TEN_MINUTES,
    "the same bounds as the request's duration, so that the two can be subtracted by eye",
)
RTF = Definition(
    "tts_rtf",
    "histogram",
    "Real-time factor of a finished utterance: synthesis seconds / audio seconds; below 1 keeps up",
    "ratio",
    ENGINE,
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 5.0),
    "dense towards 1, where playback starts to stall; from 0.001 because espeak is that fast",
)
AUDIO_SECONDS = Definition(
    "tts_audio_seconds_total", "counter", "Speech delivered, as playing time", "seconds", ENGINE
)
QUEUE_WAIT = Definition(
    "tts_queue_wait_seconds",
    "histogram",
    "From an accepted request to its place in the engine",
    "seconds",
    ENGINE,
    (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    "a free place costs under 1 ms; the default limit, after which 429 is answered, is 10 s",
)
LIVE_STREAMS = Definition("tts_live_streams", "gauge", "Utterances open in the engine now", "streams", ENGINE)
QUEUED_STREAMS = Definition(
    "tts_queued_streams", "gauge", "Utterances waiting for a place now", "streams", ENGINE
)
MAX_STREAMS = Definition(
    "tts_max_streams",
    "gauge",
    "Utterances the engine takes at once; live streams against it is the load",
    "streams",
    ENGINE,
)
UNDERRUNS = Definition(
    "tts_underruns_total",
    "counter",
    "Times a simulated player of a live stream ran dry: what its listener heard as a stall",
    "underruns",
    ENGINE,
)
UNDERRUN_SECONDS = Definition(
    "tts_underrun_seconds_total", "counter", "Silence those stalls added", "seconds", ENGINE
)
STEP_DURATION = Definition(
    "tts_step_duration_seconds",
    "histogram",
    "One step of the engine over its batch; cancelling waits for one step",
    "seconds",
    ENGINE,
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.133, 0.2, 0.5, 1.0, 5.0, 60.0),
    "0.133 s is one frame of a 7.5 Hz model: a longer step cannot keep up; after 60 s it counts as hung",
)
BATCH_SIZE = Definition(
    "tts_batch_size",
    "histogram",
    "Utterances that one step advanced together",
    "utterances",
    ENGINE,
    (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256),
    "powers of two, with steps between them where accelerators stop being free of charge",
)
CANCELS = Definition(
    "tts_cancels_total",
    "counter",
    "Utterances ended before their end",
    "utterances",
    ENGINE | {"reason": "`hangup`, `client`, `barge_in`, `deadline`, `shutdown`, `slow_reader` or `error`"},
)
SPEECH_FAULTS = Definition(
    "tts_speech_faults_total",
    "counter",
    "Faults that an engine noticed in its own speech while it was made",
    "faults",
    ENGINE
    | {
        "fault": "`silence`, `noise`, `sudden_end` or `endless`",
        "answer": "`again`: made again with another seed; `let_pass`: left as it is",
    },
)
FAILOVERS = Definition(
    "tts_failovers_total",
    "counter",
    "Utterances spoken by the fail-over engine because the one asked for was down",
    "utterances",
    {"engine": "the engine that was asked for", "used": "the engine that spoke"},
)
ENGINE_READY = Definition(
    "tts_engine_ready", "gauge", "1 while the engine can speak, else 0", "boolean", ENGINE
)
BREAKER_OPEN = Definition(
    "tts_breaker_open",
    "gauge",
    "1 while the engine's circuit breaker answers in its place, else 0",
    "boolean",
    ENGINE,
)
WORKER_RESTARTS = Definition(
    "tts_worker_restarts_total",
    "counter",
    "Times the engine's worker process was started again",
    "restarts",
    ENGINE,
)
MODEL_LOAD_TIME = Definition(
    "tts_model_load_time_seconds",
    "gauge",
    "How long the engine took to load and warm up, the last time",
    "seconds",
    ENGINE,
)
WORKER_MEMORY = Definition(
    "tts_worker_memory_bytes",
    "gauge",
    "Resident memory of the engine's worker process; absent while there is none",
    "bytes",
    ENGINE,
)
DISK_FREE = Definition(
    "tts_disk_free_bytes", "gauge", "Free space where this is kept, as the server may use it", "bytes", DISK
)
DISK_SIZE = Definition("tts_disk_size_bytes", "gauge", "Size of the disk where this is kept", "bytes", DISK)
MODEL_INTEGRITY = Definition(
    "tts_model_integrity_ok",
    "gauge",
    "1 if every byte of the weights was right when they were last verified, else 0; "
    "written by `ttsops models verify --prometheus FILE`, not by a server",
    "boolean",
    {"model": "its name in the catalogue"},
)
MODEL_VERIFIED_AT = Definition(
    "tts_model_verified_timestamp_seconds",
    "gauge",
    "When that was, since 1970; written beside it",
    "seconds",
    {"model": "its name in the catalogue"},
)
EVENT_LOOP_LAG = Definition(
    "tts_event_loop_lag_seconds",
    "histogram",
    "How late the server's event loop ran a timer: every listener's audio is late by as much",
    "seconds",
    {},
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
    "1 ms is an idle loop, 100 ms is an audible gap for a listener with little in hand",
)
GPU_UTILIZATION = Definition(
    "tts_gpu_utilization_percent",
    "gauge",
    "Share of the last sampling period in which the device ran a kernel; absent without NVML",
    "percent",
    GPU,
)
GPU_MEMORY_USED = Definition(
    "tts_gpu_memory_used_bytes",
    "gauge",
    "Device memory in use, by every process; absent without NVML",
    "bytes",
    GPU,
)
PROVIDER = {"provider": "who runs the language model: `openai`, `anthropic`, `local` or `echo`"}
TO_THREE_MINUTES = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    10.0,
    20.0,
    60.0,
    180.0,
)
CONVERSATION_REASON = (
    "dense from 100 ms to 2 s, in which an answer feels prompt or late; a long one is spoken for minutes"
)
AGENT_TURNS = Definition(
    "tts_agent_turns_total",
    "counter",
    "Questions to the agent that were answered or broken off, by how they ended",
    "questions",
    PROVIDER | OUTCOME,
)
AGENT_LLM_FIRST_TOKEN = Definition(
    "tts_agent_llm_first_token_seconds",
    "histogram",
    "From a question to the first piece of the language model's answer",
    "seconds",
    PROVIDER,
    TO_THREE_MINUTES,
    CONVERSATION_REASON,
)
AGENT_SPEECH_DELAY = Definition(
    "tts_agent_speech_delay_seconds",
    "histogram",
    "From the first piece of the language model's answer to the first audio handed to the socket",
    "seconds",
    PROVIDER,
    TO_THREE_MINUTES,
    CONVERSATION_REASON,
)
AGENT_FIRST_AUDIO = Definition(
    "tts_agent_first_audio_seconds",
    "histogram",
    "From a question to the first audio of its answer handed to the socket: what a listener waits",
    "seconds",
    PROVIDER,
    TO_THREE_MINUTES,
    CONVERSATION_REASON,
)
AGENT_TURN_DURATION = Definition(
    "tts_agent_turn_duration_seconds",
    "histogram",
    "From a question to the last audio of its answer handed to the socket",
    "seconds",
    PROVIDER,
    TO_THREE_MINUTES,
    CONVERSATION_REASON,
)
AGENT_LLM_ERRORS = Definition(
    "tts_agent_llm_errors_total",
    "counter",
    "Answers that the language model failed to give, by the error's stable code",
    "errors",
    PROVIDER | {"code": "`llm_failed`, `llm_refused`, `llm_unavailable` or `llm_timeout`"},
)
AGENT_LLM_BREAKER_OPEN = Definition(
    "tts_agent_llm_breaker_open",
    "gauge",
    "1 while the language model is left alone after failures, else 0",
    "boolean",
    PROVIDER,
)
AGENT_CONVERSATIONS = Definition(
    "tts_agent_conversations",
    "gauge",
    "Conversations that the agent holds in memory",
    "conversations",
)
BUILD = Definition(
    "tts_build_info",
    "info",
    "Always 1; its labels say what runs",
    "none",
    {"version": "of tts-ops", "python": "of the interpreter"},
)

ALL: tuple[Definition, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Definition)
)
"""In the order of this file."""
