"""`ttsops golden check` on a folder that `ttsops golden record` made.

First the parameters: one that was changed, added or taken away is named, and nothing is spoken. Then the same
texts with the same seeds from a fresh process, held against the recorded sound.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ttsops.audio import decode_audio
from ttsops.engines import registry
from ttsops.errors import AudioError, ConfigError, EngineError, EngineUnavailable, InvalidValue, RequestError
from ttsops.ops.machine import machine, versions
from ttsops.ops.random_weights import RandomWeights
from ttsops.ops.recorded.compare import Measure, Rule, compare_take, rule_for
from ttsops.ops.recorded.manifest import Manifest, Recording, Take, read_manifest
from ttsops.ops.recorded.record import refuse_unaccounted
from ttsops.ops.recorded.speak import Speaker, alone, as_json, speaking
from ttsops.runtime.control import ControlSurface, control_hash, differences
from ttsops.settings import Settings
from ttsops.speech import Samples


@dataclass(frozen=True, slots=True)
class TakeCheck:
    """What became of one take."""

    take: str
    control_hash: str
    """As recorded."""

    changed: tuple[str, ...] = ()
    """Parameters that are not what they were, each with both values."""

    measures: tuple[Measure, ...] = ()
    failure: str = ""
    """Why there was nothing to compare."""

    @property
    def is_ok(self) -> bool:
        """The same parameters, and near enough."""
        is_near = bool(self.measures) and all(one.ok for one in self.measures)
        return is_near and not self.changed and not self.failure


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """One engine of a folder."""

    folder: Path
    engine: str
    rule: Rule
    note: str
    takes: tuple[TakeCheck, ...]

    @property
    def is_ok(self) -> bool:
        """Something was compared, and all of it is as recorded."""
        return bool(self.takes) and all(take.is_ok for take in self.takes)

    @property
    def reasons(self) -> list[str]:
        """What is wrong, a line each, every parameter once."""
        changed = dict.fromkeys(change for take in self.takes for change in take.changed)
        far = [
            f"{take.take}: {one.name} {one.value:.3g}, tolerated {one.tolerance:g}"
            for take in self.takes
            for one in take.measures
            if not one.ok
        ]
        return [*changed, *(f"{take.take}: {take.failure}" for take in self.takes if take.failure), *far]


async def check_recording(
    settings: Settings,
    folder: Path,
    *,
    engines: Sequence[str] = (),
    random_weights: RandomWeights = "",
    on_engine: Callable[[EngineCheck], None] = lambda check: None,
) -> list[EngineCheck]:
    """Every engine of the folder, or those named.

    Raises `InvalidValue` for a folder that is no recording or has no such engine, and `EngineUnavailable` for
    one that cannot be had here.
    """
    refuse_unaccounted()
    manifest = read_manifest(folder)
    checks = []
    for recording in _chosen(manifest, engines, folder):
        unavailable = registry.missing(recording.engine)
        if unavailable is not None:
            raise unavailable
        check = await _check(settings, folder, recording, random_weights)
        checks.append(check)
        on_engine(check)
    return checks


def _chosen(manifest: Manifest, engines: Sequence[str], folder: Path) -> list[Recording]:
    there = {recording.engine: recording for recording in manifest.recordings}
    for name in engines:
        if name not in there:
            raise InvalidValue(
                f"`{folder}` has no recording of `{name}`", hint=f"it has: {', '.join(there) or 'none'}"
            )
    return [recording for name, recording in there.items() if not engines or name in engines]


async def _check(
    settings: Settings, folder: Path, recording: Recording, random_weights: RandomWeights
) -> EngineCheck:
    engine = recording.engine
    settings = alone(settings, engine, random_weights)
    here = msgspec.structs.replace(
        recording,
        machine=machine(),
        architecture=platform.machine(),
        device=settings.engine_settings(engine).device,
        versions=versions(registry.spec(engine).requires),
    )
    rule = rule_for(registry.card(engine), recording, here)
    async with speaking(settings) as speaker:
        checks = [_parameters(speaker, take) for take in recording.takes]
        if not any(check.changed or check.failure for check in checks):
            checks = [await _sound(speaker, take, rule, folder) for take in recording.takes]
    return EngineCheck(folder, engine, rule, recording.note, tuple(checks))


def _parameters(speaker: Speaker, take: Take) -> TakeCheck:
    """Its recorded control surface against the one it would have now."""
    try:
        now = as_json(speaker.control(speaker.request(take.text, take.wish)))
    except (RequestError, ConfigError) as error:
        return TakeCheck(
            take.id, take.control_hash, changed=(f"{error.param or 'request'}: {error.message}",)
        )
    changed = tuple(differences(take.control, now))
    if not changed and _hash_of(take) != take.control_hash:
        failure = "its hash is not that of its parameters: the manifest was changed by hand"
        return TakeCheck(take.id, take.control_hash, failure=failure)
    return TakeCheck(take.id, take.control_hash, changed=changed)


def _hash_of(take: Take) -> str:
    return control_hash(msgspec.convert(take.control, ControlSurface))


async def _sound(speaker: Speaker, take: Take, rule: Rule, folder: Path) -> TakeCheck:
    try:
        recorded = _read(folder, take)
        samples = await speaker.say(speaker.request(take.text, take.wish))
    except EngineUnavailable:
        raise
    except (AudioError, EngineError) as error:
        return TakeCheck(take.id, take.control_hash, failure=error.message)
    return TakeCheck(take.id, take.control_hash, measures=compare_take(rule, take, recorded, samples))


def _read(folder: Path, take: Take) -> Samples:
    try:
        data = (folder / take.file).read_bytes()
    except OSError as error:
        raise AudioError(f"`{take.file}` cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != take.file_sha256:
        raise AudioError(f"`{take.file}` is not the file that was recorded: it was changed or damaged")
    return decode_audio(data)[0]
