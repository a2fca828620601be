from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ttsops.engines.nn.diffusion_head import DiffusionHead, HeadConfig
from ttsops.engines.nn.sampler import Sampler, Sampling
from ttsops.engines.nn.static_sampler import StaticSampler, padded_table, padded_times
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

HIDDEN, LATENT, N_STEPS = 32, 8, 20
CPU = torch.device("cpu")

MIXED = [
    Sampling(5, "dpmsolver++", 1.5),
    Sampling(12, "sde-dpmsolver++", 3.0),
    Sampling(1, "dpmsolver++", 1.0),
    Sampling(5, "sde-dpmsolver++", 1.0),
    Sampling(20, "dpmsolver++", 2.0),
]


def head() -> DiffusionHead:
    return DiffusionHead(RandomWeights(1), "head", HeadConfig(HIDDEN, 2, 3.0, LATENT, 1e-5))


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def sample(wanted: list[Sampling], n_rows: int, conditions: Tensor, first: Tensor, drawn: Tensor) -> Tensor:
    def stacked(arrays: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(arrays, axis=-1))

    return StaticSampler(head(), CPU)(
        conditions,
        times=stacked([padded_times(one.n_steps, n_rows) for one in wanted]),
        table=stacked([padded_table(one.n_steps, one.solver, n_rows) for one in wanted]),
        guidance=torch.tensor([one.cfg_scale - 1 for one in wanted]),
        noise=first,
        step_noise=drawn[:n_rows],
    )


def test_streams_with_other_steps_solvers_and_guidance_share_a_pass() -> None:
    n = len(MIXED)
    conditions, first, drawn = noise(2, n, HIDDEN), noise(n, LATENT), noise(N_STEPS, n, LATENT)
    expected = Sampler(head(), CPU)(conditions, MIXED, first, drawn)
    torch.testing.assert_close(
        sample(MIXED, N_STEPS, conditions, first, drawn), expected, atol=2e-5, rtol=1e-5
    )


def test_steps_beyond_a_streams_own_change_no_bit() -> None:
    wanted = [Sampling(5, "sde-dpmsolver++", 1.5), Sampling(3, "dpmsolver++", 2.0)]
    conditions, first, drawn = noise(2, 2, HIDDEN), noise(2, LATENT), noise(N_STEPS, 2, LATENT)
    few, many = (sample(wanted, n, conditions, first, drawn) for n in (5, N_STEPS))
    assert torch.equal(few, many)


def test_without_guidance_the_negative_branch_has_no_weight_at_all() -> None:
    wanted = [Sampling(5, "dpmsolver++", 1.0)]
    conditions, first, drawn = noise(2, 1, HIDDEN), noise(1, LATENT), noise(N_STEPS, 1, LATENT)
    changed = conditions * torch.tensor([1.0, -100.0])[:, None, None]
    assert torch.equal(sample(wanted, 5, conditions, first, drawn), sample(wanted, 5, changed, first, drawn))
