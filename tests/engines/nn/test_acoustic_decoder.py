from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.acoustic_decoder import AcousticDecoder, DecoderConfig, Upsample
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit

CONFIG = DecoderConfig(latent_size=6, n_filters=3, ratios=(4, 5, 2), depths=(2, 1, 1, 1), norm_eps=1e-5)


@pytest.fixture
def decoder() -> AcousticDecoder:
    return AcousticDecoder(RandomWeights(2), "decoder", CONFIG)


def latents(n_utterances: int, n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(n_frames)
    return torch.randn(n_utterances, n_frames, CONFIG.latent_size, generator=generator)


def test_sizes_follow_from_ratios_and_depths() -> None:
    assert CONFIG.channels == (24, 12, 6, 3)
    assert CONFIG.hop_length == 40


@pytest.mark.parametrize("sizes", [[1] * 9, [2, 3, 4], [8, 1]])
def test_streaming_equals_decoding_at_once(decoder: AcousticDecoder, sizes: list[int]) -> None:
    x, slot = latents(1, 9), torch.tensor([0])
    whole = decoder(x, decoder.new_slots(1), slot)
    state = decoder.new_slots(1)
    parts = [decoder(part, state, slot) for part in x.split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=1e-4)
    assert whole.shape == (1, 9 * 40)


def test_utterances_decoded_together_get_what_each_gets_alone(decoder: AcousticDecoder) -> None:
    x = latents(3, 4)
    alone = torch.cat([decoder(x[i : i + 1], decoder.new_slots(1), torch.tensor([0])) for i in range(3)])
    state = decoder.new_slots(5)
    slots = torch.tensor([4, 0, 2])
    # The last one joins a frame later and the first one leaves a frame earlier.
    first = decoder(x[:2, :1], state, slots[:2])
    middle = torch.cat((x[:2, 1:3], x[2:, :2]))
    second = decoder(middle, state, slots)
    third = decoder(torch.stack((x[1, 3:], x[2, 2:3])), state, slots[1:])
    torch.testing.assert_close(torch.cat((first[0], second[0])), alone[0, :120], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.cat((first[1], second[1], third[0])), alone[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.cat((second[2], third[1])), alone[2, :120], atol=1e-5, rtol=1e-4)


def test_a_cleared_slot_begins_anew_and_leaves_its_neighbour_alone(decoder: AcousticDecoder) -> None:
    x, state, both = latents(2, 3), decoder.new_slots(2), torch.tensor([0, 1])
    first = decoder(x[:, :1], state, both)
    state.clear(0)
    again = decoder(torch.stack((x[0, :1], x[1, 1:2])), state, both)
    torch.testing.assert_close(again[0], first[0])
    whole = decoder(x[1:], decoder.new_slots(1), torch.tensor([0]))[0]
    torch.testing.assert_close(again[1], whole[40:80], atol=1e-5, rtol=1e-4)


def test_upsampling_is_a_transposed_convolution() -> None:
    """torch's own, whose first outputs are kept and whose tail belongs to frames to come."""
    decoder = AcousticDecoder(RandomWeights(2), "decoder", CONFIG)
    up = decoder.ups[1]
    assert isinstance(up, Upsample)
    weights, name = RandomWeights(2), "decoder.upsample_layers.1.0.convtr.convtr"
    weight, bias = weights.take(f"{name}.weight", 24, 12, 8, fan_in=48), weights.take(f"{name}.bias", 12)
    x = torch.randn(1, 5, 24, generator=torch.Generator().manual_seed(0))
    expected = functional.conv_transpose1d(x.transpose(1, 2), weight, bias, stride=4)[:, :, :20]
    found = up(x, decoder.new_slots(1), torch.tensor([0]))
    torch.testing.assert_close(found.transpose(1, 2), expected, atol=1e-5, rtol=1e-5)


def test_bytes_per_slot_count_every_buffer(decoder: AcousticDecoder) -> None:
    state = decoder.new_slots(1)
    assert state.bytes_per_slot == sum(buffer.numel() for buffer in state.buffers) * 4
