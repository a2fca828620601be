"""What lies in the folder of a sweep, told by its `manifest.json`: who spoke, how, what, each file's hash.

The manifest is written anew, atomically, after every take: what it lists is whole. A take that it does not
list, or whose file is missing or another one, has not been made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from ttsops.audio import write_atomically
from ttsops.errors import InvalidValue
from ttsops.ops.quality.grid import Setting, joined
from ttsops.speech import OptionValue

FILE = "manifest.json"
KIND = "ttsops quality sweep"
VERSION = 1


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose speech it is, and where it was made: takes of two subjects are not compared."""

    engine: str
    summary: str
    licence: str
    note: str
    """What must be said with every figure; empty if it speaks as published."""

    is_deterministic: bool
    """False: the same request twice is not the same speech, so a distance is never 0."""

    device: str
    dtype: str
    setup: dict[str, OptionValue]
    voice: str
    """As asked for; empty for the engine's default."""

    language: str
    machine: str
    versions: dict[str, str]


class Text(msgspec.Struct, frozen=True):
    """What is said."""

    id: str
    """`t01`, `t02`, …"""

    text: str
    """As given."""

    spoken: str = ""
    """As it was sent to the engine, numbers and markup made speakable; empty before it was."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One text by one setting with one seed."""

    setting: str
    text: str
    seed: int
    file: str = ""
    """Below the folder, with `/`; empty if it failed."""

    sha256: str = ""
    audio_seconds: float = 0.0
    synthesis_seconds: float = 0.0
    error: str = ""
    """Why there is no file: code and message."""

    @property
    def key(self) -> tuple[str, str, int]:
        """Setting, text, seed."""
        return self.setting, self.text, self.seed


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep, complete or not."""

    kind: str = KIND
    version: int = VERSION
    subject: Subject
    settings: tuple[Setting, ...]
    reference: str
    """Name of the setting that the others are compared with."""

    texts: tuple[Text, ...]
    seeds: tuple[int, ...]
    voice: str = ""
    """Who spoke; empty before anybody did."""

    language: str = ""
    takes: tuple[Take, ...] = ()

    def wanted(self) -> Iterator[Take]:
        """Every take there should be, not yet made. Settings alternate: a busy minute slows all of them."""
        for text in self.texts:
            for seed in self.seeds:
                for setting in self.settings:
                    yield Take(setting=setting.name, text=text.id, seed=seed)

    def missing(self, folder: Path) -> list[Take]:
        """Those that were not made, failed, or whose file is not the one that was written."""
        whole = {one.key for one in self.takes if one.file and is_whole(folder, one)}
        return [one for one in self.wanted() if one.key not in whole]

    def setting(self, name: str) -> Setting:
        """By its name."""
        return next(one for one in self.settings if one.name == name)

    def text(self, text_id: str) -> Text:
        """By its id."""
        return next(one for one in self.texts if one.id == text_id)


def file_of(take: Take) -> str:
    """Where its audio is: setting names and text ids are made here, never taken from a request."""
    return f"{take.setting}/{take.text}-{take.seed}.wav"


def is_whole(folder: Path, take: Take) -> bool:
    """Whether its file is the one that was written."""
    try:
        return hashlib.sha256((folder / take.file).read_bytes()).hexdigest() == take.sha256
    except OSError:
        return False


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`; None if there is none. Raises `InvalidValue` for one that cannot be read."""
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidValue(f"`{path}` is no manifest of a sweep: {error}") from error
    if found.kind != KIND or found.version != VERSION:
        raise InvalidValue(f"`{path}` is no manifest of a sweep that this version reads")
    for take in found.takes:
        parts = PurePosixPath(take.file).parts
        if take.file and (len(parts) != 2 or ".." in parts or "\\" in take.file or parts[0] == "/"):
            raise InvalidValue(f"`{path}` names the file `{take.file}`, which is not below its folder")
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Into `folder`, whole or not at all. Raises `AudioError` if it cannot be written."""
    write_atomically(folder / FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def widened(before: Manifest, now: Manifest, folder: Path) -> Manifest:
    """`before` with the settings and seeds of `now` added.

    Raises `InvalidValue` if `folder` holds the sweep of another subject or of other texts.
    """
    was, wants = before.subject, now.subject
    others = [name for name in was.__struct_fields__ if getattr(was, name) != getattr(wants, name)]
    if [one.text for one in before.texts] != [one.text for one in now.texts]:
        others.append("texts")
    if others:
        name = others[0]
        told = "of other texts"
        if name != "texts":
            told = f"with another {name}: {getattr(was, name)!r}, not {getattr(wants, name)!r}"
        raise InvalidValue(
            f"`{folder}` holds a sweep {told}",
            hint="takes of two sweeps are not comparable: give another folder to `--out`",
        )
    return msgspec.structs.replace(
        before,
        settings=joined(before.settings, now.settings),
        seeds=tuple(dict.fromkeys([*before.seeds, *now.seeds])),
    )


def with_take(manifest: Manifest, take: Take) -> Manifest:
    """The manifest in which `take` replaces the one of the same key."""
    others = [one for one in manifest.takes if one.key != take.key]
    return msgspec.structs.replace(manifest, takes=_in_order(manifest, [*others, take]))


def _in_order(manifest: Manifest, takes: Sequence[Take]) -> tuple[Take, ...]:
    place = {one.key: number for number, one in enumerate(manifest.wanted())}
    return tuple(sorted(takes, key=lambda one: place.get(one.key, len(place))))
