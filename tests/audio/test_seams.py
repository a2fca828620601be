import numpy as np
import pytest
from hearing import speechlike
from hypothesis import given
from hypothesis import strategies as st

from ttsops.audio import crossfade
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit

shapes = st.sampled_from(["equal_power", "linear"])


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 400), shapes)
def test_only_the_overlap_is_touched(n_before: int, n_after: int, n_samples: int, shape: str) -> None:
    before, after = speechlike(n_before, seed=1), speechlike(n_after, seed=2)
    n_faded = min(n_samples, n_before, n_after)
    joined = crossfade(before, after, n_samples, shape)
    assert len(joined) == n_before + n_after - n_faded
    assert joined.dtype == np.float32
    np.testing.assert_array_equal(joined[: n_before - n_faded], before[: n_before - n_faded])
    np.testing.assert_array_equal(joined[n_before:], after[n_faded:])


def test_linear_gives_back_a_sound_that_is_the_same_on_both_sides() -> None:
    sound = speechlike(1000)
    np.testing.assert_allclose(crossfade(sound[:700], sound[300:], 400, "linear"), sound, atol=1e-6)


def test_equal_power_keeps_the_loudness_of_sounds_that_differ() -> None:
    rng = np.random.default_rng(0)
    before, after = (rng.standard_normal(48_000).astype(np.float32) for _ in range(2))
    middle = crossfade(before, after, 48_000)
    windows = np.sqrt(np.mean(middle.reshape(20, -1) ** 2, axis=1))
    assert np.abs(windows - 1).max() < 0.05


def test_a_seam_between_distant_levels_has_no_step() -> None:
    """The click this is for: a hard cut from +0.5 to -0.5."""
    before, after = np.full(500, 0.5, np.float32), np.full(500, -0.5, np.float32)
    for shape in ("equal_power", "linear"):
        assert np.abs(np.diff(crossfade(before, after, 240, shape))).max() < 0.01


def test_a_fade_of_less_than_nothing_is_refused() -> None:
    with pytest.raises(AudioError, match="-1 samples"):
        crossfade(np.zeros(3, np.float32), np.zeros(3, np.float32), -1)
