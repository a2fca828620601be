"""Predicted opinions with the real models: `make test-quality`."""

import numpy as np
import pytest

from ttsops.errors import AudioError
from ttsops.ops.quality.extra import missing
from ttsops.ops.quality.mos import MODULES, Predictor
from ttsops.speech import SAMPLE_RATE, Samples

ABSENT = missing(*MODULES)

pytestmark = [
    pytest.mark.dnsmos,
    pytest.mark.skipif(bool(ABSENT), reason=f"NOT TESTED: `{ABSENT}` of the extra `quality` is missing"),
    # What the package and those below it do is not ours to repair.
    pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning"),
]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor()


def test_noise_over_speech_lowers_every_opinion(predictor: Predictor, speech: tuple[Samples, ...]) -> None:
    clean = predictor.predict(speech[2], SAMPLE_RATE)
    hiss = np.random.default_rng(0).normal(0, 0.05, len(speech[2])).astype(np.float32)
    noisy = predictor.predict(speech[2] + hiss, SAMPLE_RATE)
    for name in ("overall", "background", "p808"):
        assert getattr(noisy, name) < getattr(clean, name) - 0.3
    assert 1 <= noisy.overall < clean.overall <= 5


def test_the_same_sound_has_the_same_opinion(predictor: Predictor, speech: tuple[Samples, ...]) -> None:
    assert predictor.predict(speech[0], SAMPLE_RATE) == predictor.predict(speech[0], SAMPLE_RATE)


def test_loud_samples_and_none_at_all_are_survived(predictor: Predictor) -> None:
    loud = np.random.default_rng(0).normal(0, 2, SAMPLE_RATE // 4).astype(np.float32)
    assert predictor.predict(loud, SAMPLE_RATE).overall < 2
    with pytest.raises(AudioError):
        predictor.predict(loud[:0], SAMPLE_RATE)
