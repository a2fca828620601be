import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.decoder_cpu import TAPS, feed_forward, mix
from ttsops.engines.nn.few_rows import Bits, PackedLinear
from ttsops.engines.nn.native import native_part

pytestmark = pytest.mark.unit

EPS = 1e-5
N_SLOTS = 4


@pytest.fixture(autouse=True)
def needs_native_part() -> None:
    if native_part() is None:
        pytest.skip("no native part on this machine")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Mixer:
    """Parameters of a mixer, and the same computed plainly."""

    def __init__(self, channels: int) -> None:
        self.norm, self.taps, self.bias = (
            noise(channels),
            noise(TAPS, channels, seed=1),
            noise(channels, seed=2),
        )

    def native(self, x: Tensor, state: Tensor, slots: list[int]) -> Tensor:
        return mix(x, state, torch.tensor(slots), self.norm, EPS, self.taps, self.bias)

    def plain(self, x: Tensor, state: Tensor, slots: list[int]) -> Tensor:
        joined = torch.cat((state[slots], functional.rms_norm(x, x.shape[-1:], self.norm, EPS)), dim=1)
        state[slots] = joined[:, 1 - TAPS :]
        return x + self.bias + (joined.unfold(1, TAPS, 1) * self.taps.t()).sum(-1)


@pytest.mark.parametrize("n_steps", [1, 2, 6, 7, 31, 33, 100])
@pytest.mark.parametrize("channels", [32, 5])
def test_mixing_goes_on_where_each_slot_was(n_steps: int, channels: int) -> None:
    mixer = Mixer(channels)
    states = [noise(N_SLOTS, TAPS - 1, channels, seed=3) for _ in range(2)]
    for step, slots in enumerate(([2, 0, 3], [3], [1, 2])):
        x = noise(len(slots), n_steps, channels, seed=step)
        found, expected = mixer.native(x, states[0], slots), mixer.plain(x, states[1], slots)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(*states, atol=1e-5, rtol=1e-5)


def test_mixing_in_pieces_is_mixing_at_once() -> None:
    mixer, x = Mixer(16), noise(1, 90, 16)
    states = [torch.zeros(1, TAPS - 1, 16) for _ in range(2)]
    pieces = [mixer.native(piece.contiguous(), states[0], [0]) for piece in x.split([1, 40, 3, 46], dim=1)]
    assert torch.equal(torch.cat(pieces, dim=1), mixer.native(x, states[1], [0]))
    assert torch.equal(*states)


@pytest.mark.parametrize("bits", [32, 8])
@pytest.mark.parametrize("n_rows", [1, 3, 50, 500])
def test_feed_forward_equals_its_parts(n_rows: int, bits: Bits) -> None:
    library = native_part()
    assert library is not None
    up = PackedLinear(library, noise(256, 64) / 8, noise(256, seed=1), bits)
    down = PackedLinear(library, noise(64, 256, seed=2) / 16, noise(64, seed=3), bits)
    norm, x = noise(64, seed=4), noise(1, n_rows, 64, seed=5)
    inner = functional.gelu(up(functional.rms_norm(x, (64,), norm, EPS)))
    expected = x + down(inner)
    found = feed_forward(x.clone(), norm, EPS, up, down)
    torch.testing.assert_close(found, expected, atol=1e-5 if bits == 32 else 1e-3, rtol=1e-5)


@pytest.mark.parametrize("bits", [32, 8])
def test_a_row_is_the_same_among_few_and_among_many(bits: Bits) -> None:
    library = native_part()
    assert library is not None
    up = PackedLinear(library, noise(256, 64), None, bits)
    down = PackedLinear(library, noise(64, 256, seed=2), None, bits)
    norm, x = noise(64, seed=4), noise(1, 500, 64, seed=5)
    many = feed_forward(x.clone(), norm, EPS, up, down)
    for n_rows in (1, 2, 13, 100):
        few = feed_forward(x[:, :n_rows].clone(), norm, EPS, up, down)
        assert torch.equal(few, many[:, :n_rows]), n_rows


def test_gelu_is_the_exact_one_over_its_whole_range() -> None:
    """An identity on both sides leaves what the activation alone does."""
    library = native_part()
    assert library is not None
    width = 32
    identity = PackedLinear(library, torch.eye(width), None, 32)
    x = torch.linspace(-9, 9, 1 << 14).view(1, -1, width)
    scale = x.pow(2).mean(-1, keepdim=True).sqrt()
    found = feed_forward(x.clone(), torch.ones(width), 0.0, identity, identity) - x
    torch.testing.assert_close(found, functional.gelu(x / scale), atol=2e-6, rtol=1e-5)
