"""Silence is cut as the published pipeline cuts it, sample for sample."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ttsops.audio import decode_audio, float_to_s16
from ttsops.voices.silence import Pcm, trim_reference

pytestmark = pytest.mark.unit

RECORDED = Path(__file__).parents[1] / "golden" / "f5" / "preprocess_ref"
ROWS = [
    row
    for row in json.loads((RECORDED / "preprocess.json").read_text())["rows"]
    if (RECORDED / f"{row['case']}.in.wav").exists()
]


def read(path: Path) -> tuple[Pcm, int]:
    samples, rate = decode_audio(path)
    return np.frombuffer(float_to_s16(samples), np.int16), rate


def noise(seconds: float, level: float, rate: int) -> Pcm:
    rng = np.random.default_rng(1)
    return (rng.uniform(-1, 1, int(seconds * rate)) * level * 32767).astype(np.int16)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_what_is_left_is_what_the_reference_leaves(row: dict[str, Any]) -> None:
    trimmed, rate = trim_reference(*read(RECORDED / f"{row['case']}.in.wav"))
    expected, expected_rate = read(RECORDED / f"{row['case']}.out.wav")
    assert rate == expected_rate
    np.testing.assert_array_equal(trimmed, expected)


def test_speech_without_a_pause_is_cut_at_twelve_seconds() -> None:
    spoken = noise(14, 0.3, 16_000)
    trimmed, rate = trim_reference(spoken, 16_000)
    assert rate == 16_000
    np.testing.assert_array_equal(trimmed[: 12 * rate], spoken[: 12 * rate])
    assert len(trimmed) / rate == pytest.approx(12.05, abs=0.001)
    assert not trimmed[12 * rate :].any()


def test_channels_stay_beside_each_other() -> None:
    left = np.concatenate([np.zeros(3000, np.int16), noise(1, 0.3, 24_000)])
    stereo = np.stack([left, left // 2], axis=1)
    trimmed, _ = trim_reference(stereo, 24_000)
    assert trimmed.shape == (24_000 + 120 + 1198, 2), "cut in steps of 10 ms, so 120 samples stay"
    np.testing.assert_array_equal(trimmed[:, 1], trimmed[:, 0] // 2)


def test_a_low_rate_is_raised_by_straight_lines() -> None:
    ramp = np.arange(-8000, 8000, dtype=np.int16)
    trimmed, rate = trim_reference(ramp, 8000)
    assert rate == 11_025
    np.testing.assert_array_equal(
        np.diff(trimmed[100:11_000].astype(int)).round(), np.diff(trimmed[100:11_000])
    )
    np.testing.assert_allclose(trimmed[:22_000], -8000 + np.arange(22_000) * 8000 / 11_025, atol=1)


@pytest.mark.parametrize("n_samples", [0, 1, 5, 100])
def test_next_to_nothing_is_no_error(n_samples: int) -> None:
    trimmed, rate = trim_reference(np.full(n_samples, 9000, np.int16), 24_000)
    assert rate == 24_000
    assert len(trimmed) <= n_samples + 1198 + 24
