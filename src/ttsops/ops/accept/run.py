"""All gates of an engine, in the order in which they make sense: the first that fails ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ttsops.engines import registry
from ttsops.ops.accept.client import Client
from ttsops.ops.accept.disk import check_disk_full
from ttsops.ops.accept.gate import Failed, Finding, GateResult, Skipped, run_gate
from ttsops.ops.accept.hearing import Said, check_sound, check_synthesis, check_words, say_all
from ttsops.ops.accept.limits import device_of, limits_for
from ttsops.ops.accept.load import check_back_pressure, check_cancellation
from ttsops.ops.accept.serving import served, tiny
from ttsops.ops.accept.weights import check_models
from ttsops.ops.random_weights import RandomWeights, note_of
from ttsops.ops.recorded import check_recording, read_manifest
from ttsops.ops.recorded.speak import alone
from ttsops.settings import AcceptSettings, Settings

GATES = (
    "models",
    "golden",
    "ready",
    "synthesis",
    "audio",
    "words",
    "back_pressure",
    "cancellation",
    "disk_full",
)

TEST_SIGNALS = {"tone": "`tone` is a test signal, not speech"}
"""Engines that say no words, and what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is accepted."""

    engines: Sequence[str]
    url: str = ""
    """A running server; empty to start one for each engine."""

    api_key: str = ""
    golden: str = ""
    """Goes before `accept.golden` of the settings."""

    random_weights: RandomWeights = ""
    keeps_going: bool = False


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine."""

    engine: str
    device: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    gates: tuple[GateResult, ...]

    @property
    def is_ok(self) -> bool:
        """Nothing failed, and something was asked."""
        outcomes = {gate.outcome for gate in self.gates}
        return "passed" in outcomes and not outcomes & {"failed", "not_run"}


OnGate = Callable[[str, GateResult], None]


def accept(
    settings: Settings, plan: Plan, *, on_gate: OnGate = lambda engine, gate: None
) -> list[EngineResult]:
    """Every engine of the plan. Raises `UnknownEngine`, and `EngineUnavailable` for what is not installed."""
    if not plan.url:
        for engine in plan.engines:
            unavailable = registry.missing(engine)
            if unavailable is not None:
                raise unavailable
    return [_accept(settings, plan, engine, on_gate) for engine in plan.engines]


def _accept(settings: Settings, plan: Plan, engine: str, on_gate: OnGate) -> EngineResult:
    settings = alone(settings, engine, plan.random_weights)
    results: list[GateResult] = []
    with ExitStack() as stack:
        asked = _Asked(settings, plan, engine, stack)
        for name, gate in asked.gates():
            has_failed = any(one.outcome == "failed" for one in results)
            if has_failed and not plan.keeps_going:
                result = GateResult(name, "not_run", "a gate before it failed")
            else:
                result = run_gate(name, gate)
            results.append(result)
            on_gate(engine, result)
    note = note_of(settings.engine_settings(engine))
    return EngineResult(engine, device_of(settings, engine), note, tuple(results))


@dataclass(slots=True)
class _Asked:
    """One engine, and what the gates before have left for those after them."""

    settings: Settings
    plan: Plan
    engine: str
    stack: ExitStack
    client: Client | None = None
    said: list[Said] = field(default_factory=list)

    def gates(self) -> Iterator[tuple[str, Callable[[], Finding]]]:
        """In the order of `GATES`."""
        for name in GATES:
            yield name, getattr(self, name)

    @property
    def note(self) -> str:
        return note_of(self.settings.engine_settings(self.engine))

    def models(self) -> Finding:
        self._refuse_url("whose files are not here")
        return check_models(self.settings, self.engine)

    def golden(self) -> Finding:
        self._refuse_url("which cannot be asked for its parameters")
        folder = self.plan.golden or self.settings.accept.golden
        if not folder:
            raise Skipped("no recording is set: `ttsops golden record DIR`, then `accept.golden` or --golden")
        there = {one.engine for one in read_manifest(Path(folder)).recordings}
        if self.engine not in there:
            raise Skipped(f"`{folder}` has no recording of `{self.engine}`")
        (check,) = asyncio.run(check_recording(self.settings, Path(folder), engines=[self.engine]))
        if not check.is_ok:
            raise Failed("; ".join(check.reasons))
        return Finding(f"{len(check.takes)} takes as recorded ({check.rule})", {"takes": len(check.takes)})

    def ready(self) -> Finding:
        url = self.plan.url or self.stack.enter_context(served(tiny(self.settings)))
        client = Client(url, self.engine, api_key=self.plan.api_key)
        health = client.engine_health()
        if not health:
            raise Failed(f"{url} does not serve `{self.engine}`")
        if not health.get("ready"):
            raise Failed(f"{url}: `{self.engine}` is {health.get('state')}")
        self.client = client
        seconds = health.get("load_seconds") or 0.0
        return Finding(f"{url}, loaded in {seconds:.2f} s", {"load_seconds": seconds})

    def synthesis(self) -> Finding:
        self.said = say_all(self._client())
        return check_synthesis(self.said, self._limits(), has_words=not self.note)

    def audio(self) -> Finding:
        return check_sound(self._heard(), self._limits(), has_words=not self.note)

    def words(self) -> Finding:
        note = self.note or TEST_SIGNALS.get(self.engine, "")
        return check_words(self._heard(), self._limits(), language=self._language(), note=note)

    def back_pressure(self) -> Finding:
        self._refuse_url("which it would fill")
        return check_back_pressure(self._client(), self._limits(), max_chars=self._max_chars())

    def cancellation(self) -> Finding:
        return check_cancellation(self._client(), self._limits(), max_chars=self._max_chars())

    def disk_full(self) -> Finding:
        self._refuse_url("whose disk is not this one")
        return check_disk_full()

    def _client(self) -> Client:
        if self.client is None:
            raise Skipped("the server is not ready")
        return self.client

    def _heard(self) -> list[Said]:
        if not self.said or any(one.spoken.problem for one in self.said):
            raise Skipped("there is no speech to judge")
        return self.said

    def _limits(self) -> AcceptSettings:
        return limits_for(self.settings, self.engine)

    def _max_chars(self) -> int:
        return min(registry.card(self.engine).max_text_chars, self.settings.server.max_text_chars)

    def _language(self) -> str:
        """Of the voice that speaks when none is named; names of voices begin with their language."""
        card = registry.card(self.engine)
        voice = self.settings.engine_settings(self.engine).options.get("default_voice") or card.default_voice
        language, dash, _ = str(voice).partition("-")
        return language if dash else next(iter(card.languages), "")

    def _refuse_url(self, why: str) -> None:
        if self.plan.url:
            raise Skipped(f"not for a running server, {why}")
