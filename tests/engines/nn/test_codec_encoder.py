from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.codec_blocks import CausalConv, ConvSlots, Places
from ttsops.engines.nn.codec_encoder import CodecEncoder, Downsample, EncoderConfig
from ttsops.engines.nn.few_rows import pack
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

CONFIG = EncoderConfig(latent_size=6, n_filters=3, ratios=(2, 5, 4), depths=(1, 1, 1, 2), norm_eps=1e-5)
HOP = 40


@pytest.fixture(params=[None, pack], ids=["plain", "packed"])
def encoder(request: pytest.FixtureRequest) -> CodecEncoder:
    layer = {} if request.param is None else {"layer": request.param}
    return CodecEncoder(RandomWeights(3, **layer), "encoder", CONFIG)


def samples(n_utterances: int, n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(n_frames)
    return torch.randn(n_utterances, n_frames * HOP, generator=generator)


def test_sizes_follow_from_ratios_and_depths() -> None:
    assert CONFIG.channels == (3, 6, 12, 24)
    assert CONFIG.hop_length == HOP


@pytest.mark.parametrize("sizes", [[1] * 9, [2, 3, 4], [8, 1]])
def test_streaming_equals_encoding_at_once(encoder: CodecEncoder, sizes: list[int]) -> None:
    x, slot = samples(1, 9), torch.tensor([0])
    whole = encoder(x, encoder.new_slots(1), slot)
    state = encoder.new_slots(1)
    parts = [encoder(part, state, slot) for part in x.split([HOP * n for n in sizes], dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=1e-4)
    assert whole.shape == (1, 9, 6)


def test_utterances_encoded_together_get_what_each_gets_alone(encoder: CodecEncoder) -> None:
    x = samples(3, 4)
    alone = torch.cat([encoder(x[i : i + 1], encoder.new_slots(1), torch.tensor([0])) for i in range(3)])
    state, slots = encoder.new_slots(5), torch.tensor([4, 0, 2])
    first = encoder(x[:2, :HOP], state, slots[:2])
    # The last one joins a frame later.
    second = encoder(torch.cat((x[:2, HOP : 3 * HOP], x[2:, : 2 * HOP])), state, slots)
    torch.testing.assert_close(torch.cat((first[0], second[0])), alone[0, :3], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.cat((first[1], second[1])), alone[1, :3], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(second[2], alone[2, :2], atol=1e-5, rtol=1e-4)


def test_a_cleared_slot_begins_anew(encoder: CodecEncoder) -> None:
    x, state, slot = samples(1, 2), encoder.new_slots(1), torch.tensor([0])
    first = encoder(x[:, :HOP], state, slot)
    state.clear(0)
    torch.testing.assert_close(encoder(x[:, :HOP], state, slot), first)


@pytest.mark.parametrize("ratio", [2, 5])
def test_downsampling_is_a_causal_convolution(ratio: int) -> None:
    places = Places()
    down = Downsample(RandomWeights(2), "down", 6, 12, ratio, places)
    weight, bias = (
        RandomWeights(2).take("down.weight", 12, 6, 2 * ratio),
        RandomWeights(2).take("down.bias", 12),
    )
    x = torch.randn(1, 4 * ratio, 6, generator=torch.Generator().manual_seed(0))
    # As published: the left is filled up by kernel - 1 less stride - 1.
    padded = functional.pad(x.transpose(1, 2), (2 * ratio - 1 - (ratio - 1), 0))
    expected = functional.conv1d(padded, weight, bias, stride=ratio)
    state = ConvSlots(places.shapes, 1, x.device, x.dtype)
    found = down(x, state, torch.tensor([0]))
    torch.testing.assert_close(found.transpose(1, 2), expected, atol=1e-5, rtol=1e-5)


def test_a_dense_convolution_looks_back_only() -> None:
    places = Places()
    conv = CausalConv(RandomWeights(2), "conv", 3, 5, places)
    weight, bias = RandomWeights(2).take("conv.weight", 5, 3, 7), RandomWeights(2).take("conv.bias", 5)
    x = torch.randn(1, 9, 3, generator=torch.Generator().manual_seed(0))
    expected = functional.conv1d(functional.pad(x.transpose(1, 2), (6, 0)), weight, bias)
    state = ConvSlots(places.shapes, 1, x.device, x.dtype)
    torch.testing.assert_close(
        conv(x, state, torch.tensor([0])).transpose(1, 2), expected, atol=1e-5, rtol=1e-5
    )


def test_8_bit_weights_are_near() -> None:
    """A network large enough that its last stages are rounded."""
    config = EncoderConfig(latent_size=8, n_filters=128, ratios=(2, 4), depths=(1, 1, 1), norm_eps=1e-5)
    x, slot = samples(1, 8)[:, : 8 * 24], torch.tensor([0])
    exact, rounded = (
        CodecEncoder(RandomWeights(3, layer=partial(pack, bits=bits)), "encoder", config) for bits in (32, 8)
    )
    expected, found = (one(x, one.new_slots(1), slot) for one in (exact, rounded))
    error = (found - expected).norm() / expected.norm()
    assert 0 < error < 0.02
