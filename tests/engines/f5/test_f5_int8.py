import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.f5.config import DiTConfig, F5Config, VocosConfig
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import SMALL, random_model
from ttsops.engines.f5.sampler import Flow, advance, start_flow, velocity
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.nn.devices import pick_many_rows_layer
from ttsops.engines.nn.linear import Linear
from ttsops.engines.nn.many_rows import RoundedRows, make_rounded, weight_levels

pytestmark = pytest.mark.unit

WIDE = F5Config(
    dit=DiTConfig(dim=512, depth=2, heads=8, text_dim=32, conv_layers=1, n_tokens=256),
    vocos=VocosConfig(dim=64, intermediate_dim=128, num_layers=1),
)
"""Small, but for layers that are large enough to be rounded."""


@pytest.fixture(scope="module")
def models() -> tuple[F5Model, F5Model]:
    """In fp32 and rounded, of the same weights."""
    if not weight_levels():
        pytest.skip("nothing is rounded on this machine")
    return random_model(WIDE, 3), random_model(WIDE, 3, layer=make_rounded)


def flow(model: F5Model, n_frames: int = 60, seed: int = 0) -> Flow:
    reference = torch.randn(20, 100, generator=torch.Generator().manual_seed(seed))
    return start_flow(model, reference, range(1, 31), n_frames, Schedule(7), cfg_strength=2.0, seed=seed)


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_a_rounded_velocity_is_near_that_of_fp32(models: tuple[F5Model, F5Model]) -> None:
    expected, found = (torch.cat(velocity(model, [flow(model)])) for model in models)
    assert 1e-4 < relative_error(found, expected) < 0.02


def test_a_rounded_flow_ends_near_that_of_fp32(models: tuple[F5Model, F5Model]) -> None:
    flows = [flow(model) for model in models]
    for model, one in zip(models, flows, strict=True):
        while not one.is_done:
            advance(model, [one])
    expected, found = (one.speech() for one in flows)
    assert 0 < relative_error(found, expected) < 0.02


def test_neighbours_change_nothing_in_a_rounded_flow(models: tuple[F5Model, F5Model]) -> None:
    _, rounded = models
    alone, beside, neighbour = flow(rounded), flow(rounded), flow(rounded, 47, seed=1)
    advance(rounded, [alone], together=True)
    advance(rounded, [beside, neighbour], together=True)
    torch.testing.assert_close(beside.x, alone.x, rtol=0, atol=1e-3)


def test_only_layers_of_blocks_are_rounded(models: tuple[F5Model, F5Model]) -> None:
    _, rounded = models
    for block in rounded.dit._blocks:
        of_block = (block._attention._qkv, block._attention._out, block._in, block._out)
        assert all(isinstance(layer, RoundedRows) for layer in of_block)
    others = [
        rounded.dit._input,
        rounded.dit._output,
        rounded.modulations._time_in,
        *rounded.modulations._layers,
        *(layer for block in rounded.text._blocks for layer in (block._in, block._out)),
    ]
    assert all(isinstance(layer, Linear) for layer in others)


def test_time_and_text_are_those_of_fp32_to_the_last_bit(models: tuple[F5Model, F5Model]) -> None:
    exact, rounded = (flow(model) for model in models)
    assert torch.equal(exact.modulations, rounded.modulations)
    assert torch.equal(exact.text, rounded.text)


def test_a_small_model_is_not_rounded_at_all() -> None:
    expected, found = (
        torch.cat(velocity(model, [flow(model)]))
        for model in (random_model(SMALL, 3), random_model(SMALL, 3, layer=make_rounded))
    )
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("dtype", "device", "is_rounded"),
    [("int8", "cpu", True), ("fp32", "cpu", False), ("auto", "cpu", False), ("fp16", "cuda", False)],
)
def test_eight_bits_are_what_int8_on_a_cpu_means(dtype: str, device: str, is_rounded: bool) -> None:
    layer = pick_many_rows_layer(EngineConfig(dtype=dtype), torch.device(device))
    assert layer is (make_rounded if is_rounded else Linear)
