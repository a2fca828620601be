"""What a report on a recording says is what was put into the recording."""

from collections.abc import Sequence

import numpy as np
import pytest
from speech_like import babble, talk

from ttsops.speech import Samples
from ttsops.voices.quality import (
    CLIPPED_SHARE,
    GOOD_SNR_DB,
    STEADY_SHARE,
    VoiceQuality,
    measure_voice,
)

pytestmark = pytest.mark.unit

RATE = 24_000


def codes(quality: VoiceQuality) -> list[str]:
    return [finding.code for finding in quality.findings]


def mixed(voice: Samples, other: np.ndarray, db: float) -> Samples:
    """`other` so many dB below where somebody speaks."""
    spoken = np.abs(voice) > 0
    rms = np.sqrt(np.mean(voice[spoken] ** 2))
    return (voice + other * rms / np.sqrt(np.mean(other**2)) * 10 ** (-db / 20)).astype(np.float32)


def notes(n_samples: int, notes_hz: Sequence[Sequence[float]], seconds: float) -> np.ndarray:
    """Chords of three partials each, one after another."""
    times = np.arange(n_samples) / RATE
    which = (times / seconds).astype(int) % len(notes_hz)
    made = np.zeros(n_samples)
    for index, chord in enumerate(notes_hz):
        tone = sum(np.sin(2 * np.pi * k * hz * times) / k for hz in chord for k in (1, 2, 3))
        made += np.where(which == index, tone, 0)
    return made


def test_clean_speech_is_found_clean() -> None:
    quality = measure_voice(talk(), RATE)
    assert codes(quality) == []
    assert quality.snr_db > 60
    assert quality.seconds == 6.0
    assert quality.speech_dbfs == pytest.approx(-14, abs=2)
    assert quality.steady_tone_share == quality.clipped_share == 0


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("snr", [5, 10, 15, 20, 25, 30, 40])
def test_the_signal_to_noise_ratio_is_that_of_the_mixture(snr: int, seed: int) -> None:
    voice = talk(8.0, seed=seed)
    noise = np.random.default_rng(100 + seed).standard_normal(len(voice))
    quality = measure_voice(mixed(voice, noise, snr), RATE)
    assert quality.snr_db == pytest.approx(snr, abs=3.5)
    if abs(snr - GOOD_SNR_DB) > 4:
        assert ("noisy" in codes(quality)) == (snr < GOOD_SNR_DB)


def test_noise_alone_is_no_voice_in_silence() -> None:
    quality = measure_voice(np.random.default_rng(0).normal(0, 0.1, RATE * 4).astype(np.float32), RATE)
    assert quality.snr_db < 1
    assert "noisy" in codes(quality)
    assert "silence" not in codes(quality)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 6.0], ids=["eighths", "halves", "held"])
@pytest.mark.parametrize("db", [0, 6, 10])
def test_chords_behind_a_voice_are_noticed(db: int, seconds: float) -> None:
    voice = talk(8.0)
    chords = notes(len(voice), [(220, 277.2, 329.6), (196, 246.9, 293.7), (174.6, 220, 261.6)], seconds)
    quality = measure_voice(mixed(voice, chords, db), RATE)
    assert quality.steady_tone_share > STEADY_SHARE
    assert "music" in codes(quality)


@pytest.mark.parametrize("seed", range(5))
def test_voices_and_noises_are_no_music(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for samples in (
        talk(8.0, pitch=90 + 30 * seed, seed=seed),
        babble(8.0, seed=seed),
        rng.normal(0, 0.1, 8 * RATE).astype(np.float32),
    ):
        assert measure_voice(samples, RATE).steady_tone_share <= STEADY_SHARE


@pytest.mark.parametrize("level", [1.0, 0.3], ids=["at full scale", "and turned down afterwards"])
def test_clipping_is_found_wherever_the_ceiling_is(level: float) -> None:
    loud = np.clip(talk(4.0, level=0.5), -1, 1) * np.float32(level)
    quality = measure_voice(loud, RATE)
    n_cut = np.mean(np.abs(loud) >= np.float32(level))
    assert 0.6 * n_cut < quality.clipped_share < 1.01 * n_cut, (
        "tops of three samples and fewer are not counted"
    )
    assert quality.clipped_share > CLIPPED_SHARE
    assert "clipped" in codes(quality)
    assert measure_voice(talk(4.0, level=0.1), RATE).clipped_share == 0


def test_a_quiet_sine_has_no_flat_tops() -> None:
    """In 16 bit its peaks are several equal samples long, and yet nothing was cut off."""
    sine = 0.02 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    assert measure_voice((np.rint(sine * 32768) / 32768).astype(np.float32), RATE).clipped_share == 0


def test_silence_between_words_is_measured() -> None:
    voice = np.concatenate([talk(1.5), np.zeros(4 * RATE, np.float32), talk(1.5)])
    quality = measure_voice(voice, RATE)
    assert quality.silent_share > 0.6
    assert "silence" in codes(quality)


def test_a_telephone_is_dull() -> None:
    voice = talk(4.0)
    spectrum = np.fft.rfft(voice)
    spectrum[np.fft.rfftfreq(len(voice), 1 / RATE) > 3_400] = 0
    quality = measure_voice(np.fft.irfft(spectrum, len(voice)).astype(np.float32), RATE)
    assert quality.bandwidth_hz == pytest.approx(3_400, abs=100)
    assert "dull" in codes(quality)


@pytest.mark.parametrize("pitch", [90.0, 140.0, 220.0, 330.0])
def test_the_pitch_is_the_one_it_was_spoken_at(pitch: float) -> None:
    assert measure_voice(talk(6.0, pitch=pitch), RATE).pitch_hz == pytest.approx(pitch, rel=0.08)


def test_what_has_no_pitch_gets_none() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32)
    assert measure_voice(noise, RATE).pitch_hz is None


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (talk(4.0, level=0.004), "quiet"),
        (talk(4.0) + np.float32(0.05), "offset"),
        (talk(1.5), "short"),
    ],
)
def test_other_flaws_are_named(samples: Samples, code: str) -> None:
    assert code in codes(measure_voice(samples, RATE))


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 96_000])
def test_the_rate_changes_no_figure_but_the_bandwidth(rate: int) -> None:
    quality = measure_voice(talk(4.0, rate=rate), rate)
    assert quality.sample_rate == rate
    assert quality.pitch_hz == pytest.approx(140, rel=0.08)
    assert quality.speech_dbfs == pytest.approx(-14, abs=2)
    assert quality.steady_tone_share == 0


@pytest.mark.parametrize("n_samples", [1, 10, 500, 9_600])
def test_very_short_sounds_are_measured_without_fault(n_samples: int) -> None:
    quality = measure_voice(np.full(n_samples, 0.1, np.float32), RATE)
    assert quality.seconds == round(n_samples / RATE, 3)
