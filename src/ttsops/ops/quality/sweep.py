"""The same texts and seeds at every setting, spoken by the engine as `ttsops say` speaks.

Utterances go one after the other, so that the real-time factor of each is its own. What has been made stays
made: a sweep that was interrupted goes on, and one that is wider makes only what is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from ttsops.audio import Format, create_encoder, synthetic_speech, write_atomically
from ttsops.engines import registry
from ttsops.errors import AudioError, EngineError, EngineUnavailable, InvalidValue, TextTooLong
from ttsops.ops.loadtest.corpus import TEXTS
from ttsops.ops.machine import machine, versions
from ttsops.ops.quality.grid import Axes, reference_of, settings_of
from ttsops.ops.quality.manifest import (
    Manifest,
    Subject,
    Take,
    Text,
    file_of,
    read_manifest,
    widened,
    with_take,
    write_manifest,
)
from ttsops.ops.random_weights import RandomWeights, note_of, with_random_weights
from ttsops.runtime import EngineService, Runtime
from ttsops.runtime.checks import check_request
from ttsops.settings import Settings
from ttsops.speech import SAMPLE_RATE, Samples, SpeechRequest
from ttsops.text import make_speakable
from ttsops.voices import resolve_voice

DEFAULT_TEXTS = TEXTS[3:9]
"""Sentences of three to eight seconds: long enough to judge a voice, short enough to keep it in the ear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is swept."""

    axes: Axes
    texts: Sequence[str] = DEFAULT_TEXTS
    seeds: Sequence[int] = (1,)
    voice: str = ""
    language: str = ""
    reference: str = ""
    """See `grid.reference_of`; empty for the highest setting."""

    random_weights: RandomWeights = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is."""

    done: int
    total: int
    take: Take
    """The last one made."""


OnTake = Callable[[Progress], None]


@dataclass(slots=True)
class _Work:
    """The manifest as it grows, and where it is kept."""

    folder: Path
    manifest: Manifest
    missing: list[Take] = field(default_factory=list)

    def keep(self, **changes: object) -> None:
        self.manifest = msgspec.structs.replace(self.manifest, **changes)
        write_manifest(self.folder, self.manifest)

    def add(self, take: Take) -> None:
        self.manifest = with_take(self.manifest, take)
        write_manifest(self.folder, self.manifest)


async def run_sweep(
    settings: Settings, plan: Plan, folder: Path, *, on_take: OnTake = lambda _: None
) -> Manifest:
    """Make every take that is not yet in `folder`; the complete manifest.

    A take that fails is in the manifest with its error, and is tried again next time. Raises `InvalidValue`
    if the folder holds another sweep, a `RequestError` for what the engine does not take, before anything is
    written, and what stops the engine from loading.
    """
    settings = _alone(settings, plan.random_weights)
    manifest = plan_sweep(settings, plan, folder)
    work = _Work(folder, manifest, manifest.missing(folder))
    if work.missing:
        async with Runtime(settings, in_process=True) as runtime:
            await _make(runtime, plan, work, on_take)
    elif read_manifest(folder) != manifest:
        write_manifest(folder, manifest)
    return work.manifest


def plan_sweep(settings: Settings, plan: Plan, folder: Path) -> Manifest:
    """The manifest of a sweep before its missing takes are made; nothing is loaded, nothing is written."""
    if not plan.texts or not plan.seeds:
        raise InvalidValue("a sweep needs a text and a seed")
    name = settings.engine
    card = registry.card(name)
    found = settings_of(plan.axes)
    for setting in found:
        check_request(SpeechRequest("text", options=setting.options), card, ())
    now = Manifest(
        subject=_subject(settings, plan),
        settings=found,
        reference="",
        texts=tuple(Text(f"t{i:02d}", text) for i, text in enumerate(plan.texts, 1)),
        seeds=tuple(dict.fromkeys(plan.seeds)),
    )
    before = read_manifest(folder)
    manifest = now if before is None else widened(before, now, folder)
    return msgspec.structs.replace(manifest, reference=reference_of(manifest.settings, plan.reference).name)


async def _make(runtime: Runtime, plan: Plan, work: _Work, on_take: OnTake) -> None:
    service = runtime.service()
    voice = resolve_voice(plan.voice, service.card, service.voices)
    language = plan.language or _language(service, voice)
    texts = tuple(Text(one.id, one.text, make_speakable(one.text, language)) for one in work.manifest.texts)
    for one in texts:
        if len(one.spoken) > service.card.max_text_chars:
            raise TextTooLong(f"text {one.id} has more characters than one utterance of `{service.name}`")
        check_request(SpeechRequest(one.spoken, voice=voice), service.card, service.voices)
    _make_folder(work.folder)
    work.keep(texts=texts, voice=voice, language=language)
    await _warm_up(runtime, work)
    for number, wanted in enumerate(work.missing, 1):
        take = await _take(runtime, work, wanted)
        work.add(take)
        on_take(Progress(number, len(work.missing), take))


async def _warm_up(runtime: Runtime, work: _Work) -> None:
    """What an engine does only once (kernels, caches) is nobody's RTF. A failure is told with its take."""
    try:
        await _speak(runtime, _request(work, work.missing[0]))
    except EngineUnavailable:
        raise
    except EngineError:
        return


async def _take(runtime: Runtime, work: _Work, wanted: Take) -> Take:
    try:
        samples, synthesis_seconds = await _speak(runtime, _request(work, wanted))
    except EngineUnavailable:
        raise
    except EngineError as error:
        return msgspec.structs.replace(wanted, error=f"{error.code}: {error.message}")
    data = _wav(samples, work.manifest.subject)
    take = msgspec.structs.replace(
        wanted,
        file=file_of(wanted),
        sha256=hashlib.sha256(data).hexdigest(),
        audio_seconds=len(samples) / SAMPLE_RATE,
        synthesis_seconds=synthesis_seconds,
    )
    path = work.folder / take.file
    _make_folder(path.parent)
    write_atomically(path, data)
    return take


def _wav(samples: Samples, subject: Subject) -> bytes:
    """At the level the engine made it: levels are compared."""
    tags = synthetic_speech(", ".join([subject.engine, *([subject.note] if subject.note else [])]))
    with create_encoder(Format.WAV, total_samples=len(samples), tags=tags) as encoder:
        return encoder.encode(samples) + encoder.finish()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"cannot write into `{folder}`: {error.strerror}") from error


def _request(work: _Work, take: Take) -> SpeechRequest:
    return SpeechRequest(
        work.manifest.text(take.text).spoken,
        voice=work.manifest.voice,
        language=work.manifest.subject.language,
        seed=take.seed,
        options=work.manifest.setting(take.setting).options,
    )


async def _speak(runtime: Runtime, request: SpeechRequest) -> tuple[Samples, float]:
    """Samples [N] at 24 kHz, as the engine made them, and the seconds it took."""
    async with await runtime.open(request, is_live=False) as stream:
        parts = [chunk.samples async for chunk in stream]
    return np.concatenate(parts), stream.stats.synthesis_seconds or 0.0


def _language(service: EngineService, voice: str) -> str:
    """Of the voice; a variant (`en-us+f3`) speaks as its base does."""
    ids = (voice, voice.partition("+")[0])
    return next((one.language for one in service.voices if one.id in ids), "")


def _alone(settings: Settings, random_weights: RandomWeights) -> Settings:
    """The default engine alone: nobody stands in for what is measured."""
    name = settings.engine
    setup = with_random_weights(name, settings.engine_settings(name), random_weights)
    runtime = msgspec.structs.replace(settings.runtime, failover="")
    return msgspec.structs.replace(settings, engines={name: setup}, runtime=runtime)


def _subject(settings: Settings, plan: Plan) -> Subject:
    setup = settings.engine_settings(settings.engine)
    card = registry.card(settings.engine)
    return Subject(
        engine=settings.engine,
        summary=card.summary,
        licence=card.licence,
        note=note_of(setup),
        is_deterministic=card.deterministic,
        device=setup.device,
        dtype=setup.dtype,
        setup=dict(setup.options),
        voice=plan.voice,
        language=plan.language,
        machine=machine(),
        versions=versions(registry.spec(settings.engine).requires),
    )
