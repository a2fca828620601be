from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ttsops.engines.nn.diffusion_head import DiffusionHead, HeadConfig
from ttsops.engines.nn.sampler import Sampler, Sampling
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

HIDDEN, LATENT, MAX_STEPS = 32, 8, 20


def sampler() -> Sampler:
    head = DiffusionHead(RandomWeights(1), "head", HeadConfig(HIDDEN, 2, 3.0, LATENT, 1e-5))
    return Sampler(head, torch.device("cpu"))


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


MIXED = [
    Sampling(5, "dpmsolver++", 1.5),
    Sampling(12, "sde-dpmsolver++", 3.0),
    Sampling(1, "dpmsolver++", 1.0),
    Sampling(5, "sde-dpmsolver++", 1.0),
    Sampling(20, "dpmsolver++", 2.0),
]


def test_utterances_sampled_together_get_what_each_gets_alone() -> None:
    sample, n = sampler(), len(MIXED)
    conditions, first, steps = noise(2, n, HIDDEN), noise(n, LATENT), noise(MAX_STEPS, n, LATENT)
    together = sample(conditions, MIXED, first, steps)
    for b, wanted in enumerate(MIXED):
        at = slice(b, b + 1)
        alone = sample(conditions[:, at], [wanted], first[at], steps[:, at])
        torch.testing.assert_close(together[at], alone, atol=2e-5, rtol=1e-5)


def test_without_guidance_the_negative_branch_has_no_weight_at_all() -> None:
    sample, plain = sampler(), [Sampling(5, "dpmsolver++", 1.0)]
    conditions, first = noise(2, 1, HIDDEN), noise(1, LATENT)
    changed = conditions.clone()
    changed[1] *= -100
    assert torch.equal(sample(conditions, plain, first, None), sample(changed, plain, first, None))
    torch.testing.assert_close(
        sample(conditions, plain, first, None),
        sample(conditions[:1], plain, first, None),
        atol=1e-6,
        rtol=1e-6,
    )


def test_guidance_moves_the_result() -> None:
    sample = sampler()
    conditions, first = noise(2, 1, HIDDEN), noise(1, LATENT)
    weak, strong = (
        sample(conditions, [Sampling(5, "dpmsolver++", scale)], first, None) for scale in (1.5, 3.0)
    )
    assert (weak - strong).abs().max() > 1e-3


def test_nothing_is_kept_from_call_to_call() -> None:
    sample = sampler()
    conditions, first = noise(2, 1, HIDDEN), noise(1, LATENT)
    wanted = [Sampling(7, "dpmsolver++", 1.5)]
    once = sample(conditions, wanted, first, None)
    sample(conditions * 2, [Sampling(5, "sde-dpmsolver++", 2.0)], first, noise(5, 1, LATENT))
    assert torch.equal(once, sample(conditions, wanted, first, None))
