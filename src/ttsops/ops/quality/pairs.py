"""Which recordings are heard against each other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ttsops.errors import InvalidValue
from ttsops.ops.quality.manifest import Manifest, Take, read_manifest

MAX_PAIRS = 24
"""A listener is tired after a quarter of an hour."""

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aiff", ".aif")


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording."""

    setting: str
    path: Path


@dataclass(frozen=True, slots=True)
class Pair:
    """Two recordings of one text."""

    id: str
    label: str
    """Which text: `t01, seed 1`, or the name of the file."""

    text: str
    """What is said; empty if unknown."""

    clips: tuple[Clip, Clip]


@dataclass(frozen=True, slots=True)
class Session:
    """What a page plays."""

    title: str
    note: str
    """What must be said of the recordings; empty if there is nothing."""

    pairs: tuple[Pair, ...]


def pairs_of_sweep(folder: Path, manifest: Manifest, *, limit: int = MAX_PAIRS, seed: int = 0) -> Session:
    """Each setting against the reference, text by text, with the first seed that both have.

    If there are more than `limit`, every setting keeps as many, or one more; `seed` draws which. Raises
    `InvalidValue` if there is no pair.
    """
    made = {take.key: take for take in manifest.takes if take.file}
    reference = manifest.reference
    groups: list[list[Take]] = []
    for setting in manifest.settings:
        group: dict[str, Take] = {}
        for take in made.values():
            if take.setting == setting.name != reference and (reference, take.text, take.seed) in made:
                group.setdefault(take.text, take)
        groups.append(list(group.values()))
    pairs = []
    for number, take in enumerate(_balanced(groups, limit, random.Random(seed)), 1):
        other = made[reference, take.text, take.seed]
        clips = Clip(take.setting, folder / take.file), Clip(reference, folder / other.file)
        text = manifest.text(take.text).text
        pairs.append(Pair(f"p{number:02d}", f"{take.text}, seed {take.seed}", text, clips))
    subject = manifest.subject
    return _session(f"{subject.engine}: settings against {reference}", subject.note, pairs)


def pairs_of_folders(one: Path, other: Path, *, limit: int = MAX_PAIRS, seed: int = 0) -> Session:
    """Files of the same name in two folders; their types may differ. Raises `InvalidValue` if there is none.

    Two settings of a sweep are two such folders: what is said is then read from its manifest.
    """
    names = _names(one, other)
    files = [_audio_files(folder) for folder in (one, other)]
    stems = [stem for stem in files[0] if stem in files[1]]
    manifests = [read_manifest(folder.absolute().parent) for folder in (one, other)]
    notes = dict.fromkeys(found.subject.note for found in manifests if found and found.subject.note)
    texts = _texts(manifests[0] or manifests[1])
    chosen = sorted(random.Random(seed).sample(stems, min(limit, len(stems))))
    pairs = [
        Pair(
            f"p{number:02d}",
            stem,
            texts.get(stem, ""),
            (Clip(names[0], files[0][stem]), Clip(names[1], files[1][stem])),
        )
        for number, stem in enumerate(chosen, 1)
    ]
    return _session(f"{names[0]} and {names[1]}", "; ".join(notes), pairs)


def _session(title: str, note: str, pairs: Sequence[Pair]) -> Session:
    if not pairs:
        raise InvalidValue("there is no pair to hear", hint="both sides need a recording of the same name")
    return Session(title, note, tuple(pairs))


def _balanced(groups: Sequence[Sequence[Take]], limit: int, rng: random.Random) -> list[Take]:
    """One of each group in turn, drawn without returning, until there are `limit` or none is left."""
    drawn = [rng.sample(group, len(group)) for group in groups]
    chosen: list[Take] = []
    while any(drawn) and len(chosen) < limit:
        for group in drawn:
            if group and len(chosen) < limit:
                chosen.append(group.pop())
    return sorted(chosen, key=lambda take: take.key)


def _audio_files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InvalidValue(f"there is no folder `{folder}`")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES}


def _names(one: Path, other: Path) -> tuple[str, str]:
    """Their last parts, or as much of both as tells them apart."""
    if one.absolute() == other.absolute():
        raise InvalidValue(f"`{one}` cannot be compared with itself")
    parts = one.absolute().parts, other.absolute().parts
    for n in range(1, max(map(len, parts)) + 1):
        names = "/".join(parts[0][-n:]), "/".join(parts[1][-n:])
        if names[0] != names[1]:
            return names
    return str(one), str(other)


def _texts(manifest: Manifest | None) -> dict[str, str]:
    """Stem of a take's file → what it says."""
    if manifest is None:
        return {}
    return {Path(take.file).stem: manifest.text(take.text).text for take in manifest.takes if take.file}
