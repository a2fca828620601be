"""Two real voices: no false alarm, and every flaw that is put into them is heard."""

from pathlib import Path

import numpy as np
import pytest

from ttsops.audio import decode_audio
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.quality import measure_voice
from ttsops.voices.recording import SPEECH_DBFS, prepare_recording, recording_samples

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[1] / "golden" / "voices"
VOICES = {"en-Alice_woman": (180, 240), "en-Frank_man": (95, 130)}
"""Id → where its pitch is, in hertz."""


def heard(name: str) -> tuple[Samples, int]:
    return decode_audio(FOLDER / f"{name}.ogg")


def with_below(samples: Samples, other: np.ndarray, db: float) -> Samples:
    """`other` so many dB below the voice."""
    scale = np.sqrt(np.mean(samples**2) / np.mean(other**2)) * 10 ** (-db / 20)
    return (samples + scale * other).astype(np.float32)


def codes(samples: Samples, rate: int) -> set[str]:
    return {finding.code for finding in measure_voice(samples, rate).findings}


@pytest.mark.parametrize("name", VOICES)
def test_a_good_recording_gets_no_warning(name: str) -> None:
    prepared = prepare_recording(*heard(name))
    low, high = VOICES[name]
    assert prepared.quality.findings == ()
    assert prepared.quality.snr_db > 30
    assert low < (prepared.quality.pitch_hz or 0) < high
    again = measure_voice(recording_samples(prepared.pcm), SAMPLE_RATE)
    assert again.speech_dbfs == pytest.approx(SPEECH_DBFS, abs=0.5)


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize("snr", [6, 12])
def test_noise_is_heard_as_what_it_is(name: str, snr: int) -> None:
    samples, rate = heard(name)
    noise = np.random.default_rng(0).standard_normal(len(samples))
    assert codes(with_below(samples, noise, snr), rate) == {"noisy"}


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize("db", [5, 10])
def test_music_behind_it_is_heard(name: str, db: int) -> None:
    samples, rate = heard(name)
    times = np.arange(len(samples)) / rate
    roots = np.array([220.0, 174.6, 261.6, 196.0])[(times / 0.75).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(roots) / rate
    chords = np.sin(phase) + np.sin(1.25 * phase) + np.sin(1.5 * phase) + 0.3 * np.sin(2 * phase)
    assert "music" in codes(with_below(samples, chords, db), rate)


@pytest.mark.parametrize("name", VOICES)
def test_clipping_is_heard(name: str) -> None:
    samples, rate = heard(name)
    loud = np.clip(samples * np.float32(8 / np.abs(samples).max()), -1, 1)
    assert "clipped" in codes(loud, rate)


@pytest.mark.parametrize("name", VOICES)
def test_it_becomes_a_voice_for_every_engine(tmp_path: Path, name: str) -> None:
    library = VoiceLibrary(tmp_path)
    manifest = library.add(name, FOLDER / f"{name}.ogg", "What is said.", consent="For these tests.")
    assert manifest.active is not None
    assert 8 < len(library.recording(name)) / SAMPLE_RATE < 12.1
    assert 8 < library.reference(name).seconds <= 12.1
