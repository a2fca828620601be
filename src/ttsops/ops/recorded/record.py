"""`ttsops golden record`: a standard set of texts with fixed seeds, and how it was said, in full."""

from __future__ import annotations

import hashlib
import platform
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ttsops.audio import Format, create_encoder, synthetic_speech, write_atomically
from ttsops.audio.files import sync_directory
from ttsops.engines import registry
from ttsops.engines.contract import GUARD, EngineCard
from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.machine import machine, versions
from ttsops.ops.random_weights import RandomWeights, note_of
from ttsops.ops.recorded.manifest import (
    FILE,
    Manifest,
    Recording,
    Take,
    Wish,
    facts_of,
    is_recording,
    samples_hash,
)
from ttsops.ops.recorded.speak import Speaker, alone, as_json, speaking
from ttsops.runtime.control import control_hash, unaccounted
from ttsops.settings import Settings
from ttsops.speech import OptionValue, Samples

STANDARD_TEXTS = (
    "The train to the city leaves in less than ten minutes.",
    "On 3 May 2026, **42 people** paid $7.50 each.",
    "Nobody knew what had happened to the money in the bank. It was raining, and the street was empty.",
)
"""Plain words; what the text rules change; more than one sentence."""

SPEED, PITCH = 1.25, 1.15
"""Of one more take, for engines that have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is recorded."""

    engines: Sequence[str]
    texts: Sequence[str] = STANDARD_TEXTS
    voice: str = ""
    options: dict[str, OptionValue] = field(default_factory=dict)
    random_weights: RandomWeights = ""

    def wishes(self, card: EngineCard) -> list[tuple[str, Wish]]:
        """Each text with a seed of its own, and the first once more, faster and higher if the engine can.

        What an engine would make again if it found fault with it is recorded as it comes.
        """
        unguarded = {GUARD: "off"} if any(spec.name == GUARD for spec in card.options) else {}
        found = [
            (text, Wish(voice=self.voice, seed=seed, options={**unguarded, **self.options}))
            for seed, text in enumerate(self.texts, 1)
        ]
        if card.has_speed or card.has_pitch:
            text, first = found[0]
            speed = SPEED if card.has_speed else 1.0
            pitch = PITCH if card.has_pitch else 1.0
            found.append((text, msgspec.structs.replace(first, speed=speed, pitch=pitch)))
        return found


async def record(
    settings: Settings,
    plan: Plan,
    folder: Path,
    *,
    replace: bool = False,
    on_take: Callable[[str, Take], None] = lambda engine, take: None,
) -> Manifest:
    """Speak everything and put it into `folder`, which appears when all of it is there.

    Raises `InvalidValue` for a folder that holds something else, or a recording unless `replace`;
    `AudioError` if it cannot be written, and what stops an engine from speaking: then nothing has changed.
    """
    refuse_unaccounted()
    if not plan.texts:
        raise InvalidValue("there is no text to record")
    _refuse_folder(folder, replace)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        with _clear_errors(folder):
            draft.mkdir(parents=True)
        recordings = [await _record(settings, plan, engine, draft, on_take) for engine in plan.engines]
        manifest = Manifest(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"), recordings=tuple(recordings)
        )
        write_atomically(draft / FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        with _clear_errors(folder):
            _move(draft, folder)
        return manifest
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def refuse_unaccounted() -> None:
    """Raises `InvalidValue` if there are parameters of which nobody has said whether they are heard."""
    unknown = unaccounted()
    if unknown:
        raise InvalidValue(
            f"these parameters are not in the control surface: {', '.join(unknown)}",
            hint="add each to `HEARD` or `NOT_HEARD` in ttsops/runtime/control.py",
        )


async def _record(
    settings: Settings, plan: Plan, engine: str, draft: Path, on_take: Callable[[str, Take], None]
) -> Recording:
    settings = alone(settings, engine, plan.random_weights)
    setup = settings.engine_settings(engine)
    takes: list[Take] = []
    with _clear_errors(draft):
        (draft / engine).mkdir()
    note = note_of(setup)
    async with speaking(settings) as speaker:
        for number, (text, wish) in enumerate(plan.wishes(registry.card(engine)), 1):
            take = await _take(speaker, f"t{number:02d}", text, wish, draft / engine, note)
            takes.append(take)
            on_take(engine, take)
    return Recording(
        engine=engine,
        note=note,
        machine=machine(),
        architecture=platform.machine(),
        device=setup.device,
        versions=versions(registry.spec(engine).requires),
        takes=tuple(takes),
    )


async def _take(speaker: Speaker, name: str, text: str, wish: Wish, folder: Path, note: str) -> Take:
    request = speaker.request(text, wish)
    surface = speaker.control(request)
    samples = await speaker.say(request)
    data = _wav(samples, ", ".join(filter(None, [folder.name, note])))
    write_atomically(folder / f"{name}.wav", data)
    return Take(
        id=name,
        text=text,
        wish=wish,
        control=dict(as_json(surface)),
        control_hash=control_hash(surface),
        file=f"{folder.name}/{name}.wav",
        file_sha256=hashlib.sha256(data).hexdigest(),
        samples_sha256=samples_hash(samples),
        facts=facts_of(samples),
    )


def _wav(samples: Samples, made_by: str) -> bytes:
    tags = synthetic_speech(made_by)
    with create_encoder(Format.WAV, total_samples=len(samples), tags=tags) as encoder:
        return encoder.encode(samples) + encoder.finish()


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot write into `{folder}`: {error.strerror}") from error


def _refuse_folder(folder: Path, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_recording(folder):
        raise InvalidValue(f"`{folder}` holds something else", hint="name a folder that is new or empty")
    if not replace:
        raise InvalidValue(
            f"`{folder}` holds a recording already", hint="`--replace` puts the new one in its place"
        )


def _move(draft: Path, folder: Path) -> None:
    """Into its place; what was there is moved aside first, and removed when the new one is in."""
    aside = draft.with_suffix(".old")
    if folder.is_dir() and any(folder.iterdir()):
        folder.rename(aside)
    try:
        draft.rename(folder)
    except OSError:
        if aside.is_dir():
            aside.rename(folder)
        raise
    with suppress(OSError):
        sync_directory(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)
