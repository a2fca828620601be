"""Everything that is judged of a file alone: how it sounds, predicted opinions, words heard."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from ttsops.audio import decode_audio, write_atomically
from ttsops.ops.quality.extra import INSTALL, missing
from ttsops.ops.quality.gaps import SoundReport, measure_sound
from ttsops.ops.quality.mos import MODULES as MOS_MODULES
from ttsops.ops.quality.mos import Mos, Predictor
from ttsops.ops.quality.words import MODULES as WORDS_MODULES
from ttsops.ops.quality.words import Heard, Recogniser, is_english, words

KEPT_FILE = "scores.json"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    sound: SoundReport
    mos: Mos | None = None
    """None if it was not asked for."""

    words: Heard | None = None
    """None if it was not asked for, or there is no text to compare with."""


class Scorer:
    """Judges files; each judge is loaded when it is needed first.

    `on_load` is told what is being loaded, because that takes long. Raises `NotInstalled` when something is
    judged for which the extra is missing.
    """

    def __init__(
        self, *, with_mos: bool, with_words: bool, on_load: Callable[[str], None] = lambda _: None
    ) -> None:
        self._with_mos = with_mos
        self._with_words = with_words
        self._on_load = on_load
        self._predictor: Predictor | None = None
        self._recogniser: Recogniser | None = None

    def score(self, source: Path | bytes, text: str = "", language: str = "") -> Score:
        """Of a file or its bytes that should say `text`. Raises `AudioError` if it cannot be read."""
        samples, rate = decode_audio(source)
        has_words = self._with_words and is_english(language) and bool(words(text))
        return Score(
            sound=measure_sound(samples, rate),
            mos=self._ready_predictor().predict(samples, rate) if self._with_mos else None,
            words=self._ready_recogniser().hear(samples, rate, text) if has_words else None,
        )

    def _ready_predictor(self) -> Predictor:
        if self._predictor is None:
            self._on_load("DNSMOS, which takes about half a minute")
            self._predictor = Predictor()
        return self._predictor

    def _ready_recogniser(self) -> Recogniser:
        if self._recogniser is None:
            self._on_load("PocketSphinx")
            self._recogniser = Recogniser()
        return self._recogniser


class KeptScores:
    """Scores of files in a folder, by their content and text, so that none is made twice.

    Kept in `scores.json` after every new one, atomically. One that cannot be read is begun anew: everything
    in it can be made again.
    """

    def __init__(self, folder: Path, scorer: Scorer, *, with_mos: bool, with_words: bool) -> None:
        self._path = folder / KEPT_FILE
        self._scorer = scorer
        self._kind = f"mos={with_mos} words={with_words}"
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Score])
        except (OSError, msgspec.MsgspecError):
            self._kept = {}

    def score(self, path: Path, text: str, language: str) -> Score:
        """As `Scorer.score`."""
        data = path.read_bytes()
        key = hashlib.sha256(b"\0".join([self._kind.encode(), text.encode(), language.encode(), data]))
        found = self._kept.get(key.hexdigest())
        if found is None:
            found = self._scorer.score(data, text, language)
            self._kept[key.hexdigest()] = found
            write_atomically(self._path, msgspec.json.encode(self._kept))
        return found


def what_is_missing() -> dict[str, str]:
    """What cannot be judged here (`mos`, `words`), and a sentence that says why."""
    found = {}
    for name, purpose, modules in (
        ("mos", "predicted opinions", MOS_MODULES),
        ("words", "words heard", WORDS_MODULES),
    ):
        if absent := missing(*modules):
            found[name] = f"no {purpose}: the package `{absent}` is not installed; {INSTALL}"
    return found
