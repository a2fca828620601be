"""Opinion scores as DNSMOS predicts them, with the models that the package `speechmos` carries.

DNSMOS P.835 (https://arxiv.org/abs/2110.01763) was trained on noisy calls that were cleaned: it hears noise,
muffling and artefacts. It does not hear wrong words, a wrong speaker or flat prosody, hardly hears a dropout
(one of 40 ms cost 0.06 on the mean of twelve sentences, four of which scored the same or more), and was not
trained on synthetic speech. PLCMOS of the same package is not used: alone it gives digital silence 3.4.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from ttsops.audio import resample
from ttsops.errors import AudioError
from ttsops.ops.quality.extra import require
from ttsops.speech import Samples

MODULES = ("speechmos", "librosa", "onnxruntime", "requests")
"""`speechmos` does not declare what it imports."""

RATE = 16_000


class Mos(msgspec.Struct, frozen=True):
    """Predicted opinions, 1 (bad) to 5 (excellent)."""

    overall: float
    signal: float
    """Of the speech alone."""

    background: float
    """Of what is not speech: 5 where nothing is heard."""

    p808: float
    """A second predictor of the overall opinion, trained on listening tests after ITU-T P.808."""


class Predictor:
    """Loads its models once, which takes about half a minute the first time. Raises `NotInstalled`."""

    def __init__(self) -> None:
        require("predicting opinion scores", *MODULES)
        from speechmos import dnsmos

        self._dnsmos: Any = dnsmos
        self._dnsmos.run(
            np.zeros(RATE, np.float32) + 1e-4, sr=RATE
        )  # the models are loaded by the first call

    def predict(self, samples: Samples, sample_rate: int) -> Mos:
        """Of samples [N], N > 0. What is shorter than 9 s is repeated, as the models want that much."""
        if not len(samples):
            raise AudioError("there are no samples to score")
        at_16k = np.clip(resample(samples, sample_rate, RATE), -1, 1)
        found = self._dnsmos.run(at_16k, sr=RATE)
        return Mos(
            overall=float(found["ovrl_mos"]),
            signal=float(found["sig_mos"]),
            background=float(found["bak_mos"]),
            p808=float(found["p808_mos"]),
        )
