"""Windows of a wave are exactly what the whole has there."""

import itertools

import pytest
import torch

from ttsops.engines.f5.config import VocosConfig
from ttsops.engines.f5.vocos import Vocos
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

HOP = 256
N_FRAMES = 120


@pytest.fixture(scope="module")
def vocos() -> Vocos:
    """As deep as the published one, so that frames see as far."""
    return Vocos(RandomWeights(3), VocosConfig(dim=32, intermediate_dim=64))


@pytest.fixture(scope="module")
def mel() -> torch.Tensor:
    return torch.randn(2, N_FRAMES, 100, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, 40), (1, 2), (30, 31), (40, 83), (100, N_FRAMES - 1), (0, N_FRAMES - 1)]
)
def test_a_window_has_the_samples_of_the_whole(vocos: Vocos, mel: torch.Tensor, start: int, end: int) -> None:
    whole = vocos(mel)
    assert whole.shape == (2, (N_FRAMES - 1) * HOP)
    window = vocos.decode(mel, start, end)
    torch.testing.assert_close(window, whole[:, start * HOP : end * HOP], rtol=0, atol=1e-6)


def test_windows_joined_are_the_whole(vocos: Vocos, mel: torch.Tensor) -> None:
    borders = [0, 3, 20, 77, N_FRAMES - 1]
    parts = [vocos.decode(mel, *pair) for pair in itertools.pairwise(borders)]
    torch.testing.assert_close(torch.cat(parts, dim=1), vocos(mel), rtol=0, atol=1e-6)


def test_frames_beyond_reach_are_not_looked_at(vocos: Vocos, mel: torch.Tensor) -> None:
    assert vocos.reach == 27
    changed = mel.clone()
    changed[:, : 60 - vocos.reach - 1] = torch.nan
    changed[:, 64 + vocos.reach + 2 :] = torch.nan
    assert torch.equal(vocos.decode(changed, 60, 64), vocos.decode(mel, 60, 64))


def test_one_frame_or_an_empty_window_is_no_sound(vocos: Vocos, mel: torch.Tensor) -> None:
    assert vocos(mel[:, :1]).shape == (2, 0)
    assert vocos.decode(mel, 7, 7).shape == (2, 0)


def test_a_loud_mel_stays_finite(vocos: Vocos, mel: torch.Tensor) -> None:
    assert bool(vocos(mel * 1e4).isfinite().all())
