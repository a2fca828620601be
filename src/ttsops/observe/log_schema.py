"""What a log line holds: the fields of every line, those of an utterance, and the name of every event.

The text that is spoken is in none of them. `docs/reference/logs.md` is written from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

UTTERANCE = "utterance"
"""The event of `Utterance`."""


EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "consent_deleted": ("over the API a recorded consent was deleted", ("consent",)),
        "consent_recorded": ("over the API a consent was recorded", ("consent",)),
        "consent_unreadable": ("a recorded consent is left out of the list", ("consent", "reason")),
        "conversation_not_loaded": (
            "a conversation cannot be read from its file: it begins anew",
            ("reason",),
        ),
        "conversation_not_saved": ("a conversation cannot be kept in its file: it is in memory", ("reason",)),
        "llm_tried_again": (
            "a language model failed before its first word, and is asked again",
            ("provider", "code", "n_tries"),
        ),
        "draining": (
            "a signal came: after the lame-duck time new utterances are refused, and live ones may end",
            ("limit_seconds", "lame_duck_seconds"),
        ),
        "engine_not_ready": (
            "the default engine cannot speak; another stands in",
            ("engine", "code", "reason"),
        ),
        "engine_bug": ("an engine raised what no engine should; the traceback follows", ("error",)),
        "keys_not_reloaded": ("the key file changed and is bad: the keys stay", ("path", "reason")),
        "keys_reloaded": ("the key file changed and was read", ("n_keys",)),
        "model_not_here": (
            "an engine is set up with a model that was not fetched; nothing is fetched while serving",
            ("model", "hint"),
        ),
        "model_of_another_revision": (
            "an engine is set up with a model of which another revision is here than the catalogue's",
            ("model", "repo", "revision"),
        ),
        "reference_changed": (
            "over the API a voice was given another recording, or its own back",
            ("voice", "change", "sha256"),
        ),
        "render_failed": ("a render job ended with an error", ("job", "code")),
        "render_unreadable": ("a render job that is kept cannot be read, and is left out", ("job", "reason")),
        "turn": (
            "the agent answered a question, or broke off",
            (
                "request_id",
                "provider",
                "model",
                "engine",
                "outcome",
                "error_code",
                "interrupted",
                "answer_chars",
                "audio_seconds",
                "first_token_ms",
                "first_audio_ms",
                "total_ms",
            ),
        ),
        "voice_deleted": ("over the API a voice was deleted", ("voice",)),
        "voice_made": ("over the API a voice was made of a recording", ("voice", "warnings")),
        "voice_unreadable": ("a voice of the library is left out", ("voice", "reason")),
        "voices_unreadable": (
            "the folder of voices cannot be read: those that were known stay",
            ("folder", "reason"),
        ),
        "worker_down": (
            "an engine's worker ended or could not load; it is started again",
            ("engine", "code", "reason", "n_streams", "ready_in_seconds"),
        ),
        "worker_not_started": ("a machine of a cluster cannot speak lines of a batch", ("reason",)),
        "worker_ready": ("an engine is loaded and can speak", ("engine", "pid", "load_seconds")),
    }
)
"""Name of every other event of ours → what happened, and its fields. A test looks for events not listed."""


class Line(Struct, kw_only=True):
    """The fields of every line."""

    time: Annotated[str, Meta(description="UTC, ISO 8601, microseconds")]
    level: Annotated[str, Meta(description="`debug`, `info`, `warning`, `error` or `critical`")]
    event: Annotated[
        str, Meta(description="what happened: a fixed name, or the message of another library's line")
    ]
    logger: Annotated[str, Meta(description="the module that says so")]


class Utterance(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One utterance that ended, well or not: one line each, at `info`, or `warning` if that was our fault."""

    request_id: Annotated[str, Meta(description="as in the answer's `x-request-id`")]
    route: Annotated[str, Meta(description="the route's template; empty outside the server")] = ""
    engine: Annotated[str, Meta(description="the engine that spoke, or should have")]
    voice: Annotated[str, Meta(description="the voice's id at that engine")]
    format: Annotated[str, Meta(description="audio format of the answer")] = ""
    control_hash: Annotated[
        str | None,
        Meta(
            description="hash of every parameter that shapes the sound, and of no text: version, then 16 "
            "digits; null if no engine took it"
        ),
    ] = None
    text_chars: Annotated[int, Meta(description="length of the text, in characters")]
    success: Annotated[bool, Meta(description="its listener got all of it")]
    error_code: Annotated[str | None, Meta(description="code of the error; null on success")] = None
    duration_seconds: Annotated[float, Meta(description="playing time of the audio delivered")] = 0.0
    rtf: Annotated[
        float | None, Meta(description="synthesis seconds / audio seconds; null without audio")
    ] = None
    first_chunk_ms: Annotated[
        float | None, Meta(description="accepted to first audio, in milliseconds; null without audio")
    ] = None
    queue_ms: Annotated[float, Meta(description="wait for a place in the engine, in milliseconds")] = 0.0
    total_ms: Annotated[float, Meta(description="accepted to the end, in milliseconds")] = 0.0
    underruns: Annotated[int, Meta(description="stalls of a simulated player")] = 0
    underrun_seconds: Annotated[float, Meta(description="silence those stalls added")] = 0.0
    is_failover: Annotated[bool, Meta(description="another engine spoke than the one asked for")] = False
