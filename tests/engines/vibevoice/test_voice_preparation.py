"""From a recording to rows of the prompt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dialogues import HOP, recording

from ttsops.engines.vibevoice import voices
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.voices import (
    VoiceNoise,
    blur,
    encode_voice,
    level,
    prepare_voice,
    seeded_voice_noise,
    whole_frames,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("loudness", [1e-3, 0.1, 1.0])
def test_recordings_are_brought_to_one_level(loudness: float) -> None:
    levelled = level(loudness * recording(0, 20_000))
    assert 20 * np.log10(np.sqrt(np.mean(levelled**2))) == pytest.approx(-25, abs=0.1)
    assert levelled.dtype == np.float32


def test_a_peak_is_brought_to_one_and_silence_stays_silent() -> None:
    click = np.zeros(24_000, np.float32)
    click[100] = 1.0
    assert np.abs(level(click)).max() == pytest.approx(1, abs=1e-5)
    assert not level(np.zeros(100, np.float32)).any()


@pytest.mark.parametrize(
    ("n_samples", "n_kept"), [(1, HOP), (HOP, HOP), (HOP + 1, HOP), (3 * HOP - 1, 2 * HOP)]
)
def test_a_last_frame_that_is_not_full_is_cut(n_samples: int, n_kept: int) -> None:
    samples = recording(1, n_samples)
    kept = whole_frames(samples, HOP)
    assert len(kept) == n_kept
    n_both = min(n_samples, n_kept)
    assert np.array_equal(kept[:n_both], samples[:n_both])
    assert not kept[n_samples:].any()


def test_a_long_voice_is_encoded_in_pieces_as_at_once(
    model: VibeVoiceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = torch.from_numpy(recording(2, 7 * HOP))
    whole = encode_voice(model, samples)
    monkeypatch.setattr(voices, "CHUNK_FRAMES", 2)
    torch.testing.assert_close(encode_voice(model, samples), whole, atol=1e-5, rtol=1e-5)
    assert whole.shape == (7, model.config.latent_size)


def test_noise_has_one_random_amount_for_the_whole_voice(model: VibeVoiceModel) -> None:
    latents = torch.randn(5, model.config.latent_size, generator=torch.Generator().manual_seed(0))
    direction = torch.ones_like(latents)
    blurred = blur(model, latents, VoiceNoise(torch.tensor(-2.0), direction))
    torch.testing.assert_close(blurred, latents - 2 * 0.625)
    assert blur(model, latents, None) is latents


def test_a_voice_is_the_same_for_a_seed_and_another_for_another(model: VibeVoiceModel) -> None:
    samples = recording(3, 10_000)
    one, again, other = (prepare_voice(model, samples, seed) for seed in (5, 5, 6))
    assert torch.equal(one, again)
    assert (one - other).abs().max() > 1e-3
    assert one.shape == (3, model.config.language_model.hidden_size)


def test_the_noise_of_a_voice_is_drawn_once_for_its_amount_and_then_for_each_number() -> None:
    noise = seeded_voice_noise(4, 8, seed=1)
    generator = torch.Generator().manual_seed(1)
    assert torch.equal(noise.scale, torch.randn(1, generator=generator))
    assert torch.equal(noise.direction, torch.randn(4, 8, generator=generator))
