"""What lies in a folder of recordings: `manifest.json`, and below it a WAV file for each take.

The manifest says of every take with which parameters it was made, in full, and what it sounded like. It is
written once, with its files, and the folder appears when all of it is there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np

from ttsops.audio import check_audio
from ttsops.errors import InvalidValue
from ttsops.ops.quality.distances import N_FFT
from ttsops.speech import SAMPLE_RATE, OptionValue, Samples

FILE = "manifest.json"
KIND = "ttsops golden recording"
VERSION = 1


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was asked for; what it left open was filled in by the engine's defaults."""

    voice: str = ""
    language: str = ""
    speed: float = 1.0
    pitch: float = 1.0
    seed: int
    options: dict[str, OptionValue] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a take sounded like."""

    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    dc_offset: float
    silent_share: float
    centroid_hz: float
    """Mean frequency, weighted by power: where the sound lies."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One text, spoken."""

    id: str
    """`t01`, `t02`, …"""

    text: str
    """As given, before numbers and markup were made speakable."""

    wish: Wish
    control: dict[str, Any]
    """Its control surface, in full: see `ttsops.runtime.control`."""

    control_hash: str
    file: str
    """Below the folder, with `/`: 24 kHz, 16 bit, at the level the engine made it."""

    file_sha256: str
    samples_sha256: str
    """Of the engine's samples at 24 kHz as float32, before they were rounded to 16 bits."""

    facts: Facts


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One engine."""

    engine: str
    note: str
    """What must be said with every take; empty if it speaks as published."""

    machine: str
    architecture: str
    device: str
    """As set up."""

    versions: dict[str, str]
    takes: tuple[Take, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of recordings."""

    kind: str = KIND
    version: int = VERSION
    created_at: str
    """ISO 8601, UTC."""

    recordings: tuple[Recording, ...]


def is_recording(folder: Path) -> bool:
    """Whether the folder says of itself that it is one; whether it can be read is not looked at."""
    try:
        tree = msgspec.json.decode((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return False
    return isinstance(tree, dict) and tree.get("kind") == KIND


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises `InvalidValue` for one that is missing or cannot be read."""
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise InvalidValue(
            f"there is no recording in `{folder}`: {error.strerror}", hint="`ttsops golden record` makes one"
        ) from error
    except msgspec.MsgspecError as error:
        raise InvalidValue(f"`{path}` is no manifest of a recording: {error}") from error
    if found.kind != KIND or found.version != VERSION:
        raise InvalidValue(f"`{path}` is no manifest of a recording that this version reads")
    for recording in found.recordings:
        for take in recording.takes:
            _refuse_path(path, take.file)
    return found


def _refuse_path(path: Path, file: str) -> None:
    parts = PurePosixPath(file).parts
    if len(parts) != 2 or ".." in parts or "\\" in file or parts[0] == "/":
        raise InvalidValue(f"`{path}` names the file `{file}`, which is not below its folder")


def facts_of(samples: Samples) -> Facts:
    """Of samples [N] at 24 kHz. Raises `AudioError` if there are none."""
    report = check_audio(samples, SAMPLE_RATE)
    return Facts(
        seconds=report.seconds,
        # JSON has no infinity; nothing of 16 bits is quieter than this.
        peak_dbfs=max(-100.0, report.peak_dbfs),
        rms_dbfs=max(-100.0, report.rms_dbfs),
        dc_offset=report.dc_offset,
        silent_share=report.silent_share,
        centroid_hz=_centroid(samples),
    )


def samples_hash(samples: Samples) -> str:
    """SHA-256 of samples [N] as little-endian float32."""
    return hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest()


def _centroid(samples: Samples) -> float:
    padded = np.pad(samples, (0, -len(samples) % N_FFT))
    power = np.square(np.abs(np.fft.rfft(padded.reshape(-1, N_FFT), axis=1))).sum(axis=0)
    total = float(power.sum())
    return float(power @ np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)) / total if total else 0.0
