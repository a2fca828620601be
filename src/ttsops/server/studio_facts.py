"""What the page shows of the server: engines, and what an operator looks at. Never what is spoken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ttsops.models.cache import HubCache, Snapshot, cache_folder
from ttsops.models.catalogue import published
from ttsops.models.verify import verify
from ttsops.observe.log_tail import TAIL
from ttsops.runtime import EngineService
from ttsops.server.state import ServerState

N_PROBLEMS = 5
N_LOG_LINES = 100
N_RUNS = 50
"""Of the monitor's history."""

MAX_REPORT_BYTES = 4 << 20

REPORTS = ("accept", "golden", "models")
"""Files `accept.json`…: what `ttsops accept`, `golden check` and `models verify` print with `--json`."""


class EngineOption(BaseModel):
    """One option of a request that only this engine takes."""

    name: str
    kind: str
    help: str
    default: bool | int | float | str
    minimum: float | None
    maximum: float | None
    choices: list[str]


class EngineFacts(BaseModel):
    """An engine as a form needs it."""

    name: str
    summary: str
    licence: str
    is_ready: bool
    is_realtime: bool
    has_speed: bool
    has_pitch: bool
    gives_word_marks: bool
    clones_voices: bool
    default_voice: str
    max_text_chars: int
    options: list[EngineOption]


class StreamFacts(BaseModel):
    """An utterance that is open now."""

    engine: str
    is_live: bool
    voice: str
    audio_seconds: float
    buffered_seconds: float
    unread_seconds: float
    underruns: int


class ModelFacts(BaseModel):
    """Weights of the catalogue, and whether they are here."""

    name: str
    engine: str
    licence: str
    is_here: bool
    problems: list[str]
    """Files that are missing or cut short now. Checksums take minutes: see the report `models`."""


class Operate(BaseModel):
    """Everything an operator looks at, in one answer."""

    streams: list[StreamFacts]
    queued: dict[str, int]
    capacity: dict[str, int]
    has_agent: bool
    has_library: bool
    models: list[ModelFacts]
    reports: dict[str, Any]
    """Each of `REPORTS` as its command printed it; None where there is none."""

    reported_at: dict[str, str | None]
    """When each was written, ISO 8601 in UTC."""

    monitor: list[Any]
    """The last runs of `ttsops monitor run`, oldest first."""

    log: list[Any]
    """Lines, oldest first."""


def engine_facts(service: EngineService) -> EngineFacts:
    """Of one engine that is served."""
    card = service.card
    return EngineFacts(
        name=card.name,
        summary=card.summary,
        licence=card.licence,
        is_ready=service.is_ready,
        is_realtime=card.is_realtime,
        has_speed=card.has_speed,
        has_pitch=card.has_pitch,
        gives_word_marks=card.gives_word_marks,
        clones_voices=card.clones_voices,
        default_voice=card.default_voice,
        max_text_chars=card.max_text_chars,
        options=[
            EngineOption(
                name=one.name,
                kind=one.kind,
                help=one.help,
                default=one.default,
                minimum=one.minimum,
                maximum=one.maximum,
                choices=list(one.choices),
            )
            for one in card.options
        ],
    )


def live_streams(state: ServerState) -> list[StreamFacts]:
    """What is open in every engine. On the event loop."""
    return [
        StreamFacts(
            engine=service.name,
            is_live=stream.is_live,
            voice=stream.request.voice,
            audio_seconds=round(stream.stats.audio_seconds, 3),
            buffered_seconds=round(stream.buffered_seconds, 3),
            unread_seconds=round(stream.unread_seconds, 3),
            underruns=stream.stats.underruns,
        )
        for service in state.runtime.services.values()
        for stream in service.streams
    ]


def models_here(state: ServerState) -> list[ModelFacts]:
    """The catalogue against the cache. Looks at folders: not on the event loop."""
    cache = HubCache(cache_folder(state.settings))
    found = []
    for entry in published():
        snapshot = cache.find(entry)
        found.append(
            ModelFacts(
                name=entry.name,
                engine=entry.engine,
                licence=entry.licence,
                is_here=snapshot is not None,
                problems=_problems(snapshot) if snapshot else [],
            )
        )
    return found


def _problems(snapshot: Snapshot) -> list[str]:
    report = verify(snapshot, has_checksums=False)
    return [f"{problem.file} {problem.what}" for problem in report.problems[:N_PROBLEMS]]


def reports(state: ServerState) -> tuple[dict[str, Any], dict[str, str | None]]:
    """What was reported last, and when. Reads files: not on the event loop."""
    folder = Path(state.settings.studio.reports or ".")
    read = {name: _read_json(folder / f"{name}.json") for name in REPORTS}
    return {name: said for name, (said, _) in read.items()}, {name: at for name, (_, at) in read.items()}


def monitor_runs(state: ServerState) -> list[Any]:
    """The end of the monitor's history. Reads a file: not on the event loop."""
    try:
        lines = Path(state.settings.monitor.history).read_text(encoding="utf-8").splitlines()[-N_RUNS:]
    except OSError:
        return []
    return [run for run in map(_parsed, lines) if run is not None]


def log_lines() -> list[Any]:
    """The end of this process's log."""
    return [line for line in map(_parsed, TAIL.lines()[-N_LOG_LINES:]) if line is not None]


def _read_json(path: Path) -> tuple[Any, str | None]:
    try:
        facts = path.stat()
        if facts.st_size > MAX_REPORT_BYTES:
            return None, None
        said = _parsed(path.read_text(encoding="utf-8"))
    except OSError:
        return None, None
    at = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds")
    return said, at if said is not None else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
