"""Which words an offline recogniser hears: PocketSphinx with the American English model in its package.

It is far weaker than people and than large recognisers: it mistakes words of clear speech, too. Its word
error rate compares renderings of the same texts; it is no measure of how much a listener understands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ttsops.audio import resample
from ttsops.errors import InvalidValue
from ttsops.ops.quality.extra import require
from ttsops.speech import Samples
from ttsops.text import make_speakable

MODULES = ("pocketsphinx",)
RATE = 16_000
DITHER = 30 / 32768
"""Standard deviation of the noise that is added: the recogniser divides by the energy of a frame, and digital
silence breaks it."""


class Heard(msgspec.Struct, frozen=True):
    """One file against what it should say."""

    said: int
    """Words of the text."""

    errors: int
    """Words put in, left out or changed."""

    wer: float
    """Errors per word said; above 1 if more was heard than said."""

    text: str
    """What was heard."""


class Recogniser:
    """Loads its model once. Raises `NotInstalled` without the extra."""

    def __init__(self) -> None:
        require("hearing words", *MODULES)
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(samprate=RATE, loglevel="FATAL")

    def hear(self, samples: Samples, sample_rate: int, text: str) -> Heard:
        """Samples [N] against `text`, in English. Raises `InvalidValue` if there is no word in it."""
        said = words(make_speakable(text, "en"))  # numbers are heard as words
        if not said:
            raise InvalidValue("there is no word in the text that should be heard")
        heard = self._words(samples, sample_rate)
        errors = n_errors(said, heard)
        return Heard(said=len(said), errors=errors, wer=errors / len(said), text=" ".join(heard))

    def _words(self, samples: Samples, sample_rate: int) -> list[str]:
        at_16k = resample(samples, sample_rate, RATE)
        # The same noise every time: the same file gets the same score.
        noisy = at_16k + np.random.default_rng(0).normal(0, DITHER, len(at_16k))
        pcm = (np.clip(noisy, -1, 1) * 32767).astype("<i2").tobytes()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return words(hypothesis.hypstr) if hypothesis else []


def is_english(language: str) -> bool:
    """Whether the recogniser knows the language; an unknown one is taken to be English."""
    return language.lower().partition("-")[0] in ("en", "")


def words(text: str) -> list[str]:
    """Lower case, without punctuation and hyphens; apostrophes stay within words."""
    plain = text.lower().replace("\u2019", "'")
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", plain)


def n_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest words to put in, leave out or change (Levenshtein) that make `said` from `heard`."""
    costs = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, costs[0] = costs[0], i
        for j, other in enumerate(heard, 1):
            change = diagonal + (word != other)
            diagonal = costs[j]
            costs[j] = min(change, costs[j] + 1, costs[j - 1] + 1)
    return costs[-1]
