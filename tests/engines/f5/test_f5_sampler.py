"""Flows in flight: batched equals single, and nobody is harmed by a neighbour."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import SMALL, random_model
from ttsops.engines.f5.sampler import MAX_FRAMES, Flow, advance, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.errors import InvalidValue

pytestmark = pytest.mark.unit

TOLERANCE = 1e-4

# frames, schedule, guidance
SETTINGS = (
    (120, Schedule(7), 2.0),
    (153, Schedule(8, sway=0.0), 0.0),
    (95, Schedule(5, sway=-0.5), 3.0),
    (186, Schedule(16, is_pruned=False), 0.5),
    (153, Schedule(7, sway=0.4), 1e-6),
)


def reference(n_frames: int, seed: int = 0) -> Tensor:
    return torch.randn(n_frames, 100, generator=torch.Generator().manual_seed(seed))


def flow(model: F5Model, i: int, *, n_frames: int | None = None, seed: int | None = None) -> Flow:
    frames, schedule, strength = SETTINGS[i]
    return start_flow(
        model,
        reference(30 + 7 * i, seed=i),
        list(range(i, 20 + 3 * i)),
        n_frames or frames,
        schedule,
        cfg_strength=strength,
        seed=i if seed is None else seed,
    )


def finished(model: F5Model, flows: Sequence[Flow], *, together: bool = True) -> list[Tensor]:
    while not all(one.is_done for one in flows):
        advance(model, flows, together=together)
    return [one.mel() for one in flows]


@pytest.fixture(scope="module")
def alone(model: F5Model) -> list[Tensor]:
    """Each of `SETTINGS`, sampled on its own."""
    with torch.inference_mode():
        return [finished(model, [flow(model, i)])[0] for i in range(len(SETTINGS))]


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("together", [True, False])
def test_a_batch_of_all_lengths_steps_sways_and_guidances_equals_each_alone(
    model: F5Model, alone: list[Tensor], together: bool
) -> None:
    flows = [flow(model, i) for i in range(len(SETTINGS))]
    for found, expected in zip(finished(model, flows, together=together), alone, strict=True):
        assert_near(found, expected)


def test_flows_of_one_length_need_no_mask_and_equal_each_alone(model: F5Model) -> None:
    flows = [flow(model, i, n_frames=150) for i in (0, 1, 2)]
    single = [finished(model, [flow(model, i, n_frames=150)])[0] for i in (0, 1, 2)]
    for found, expected in zip(finished(model, flows), single, strict=True):
        assert_near(found, expected)


def test_flows_that_join_and_leave_midway_change_nobody(model: F5Model, alone: list[Tensor]) -> None:
    first, second, dropped, late = (flow(model, i) for i in (0, 1, 2, 3))
    advance(model, [first, dropped], together=True)
    advance(model, [dropped, second, first], together=True)
    advance(model, [second, first, late], together=True)  # `dropped` was cancelled
    finished(model, [late, first, second])
    for found, expected in ((first, alone[0]), (second, alone[1]), (late, alone[3])):
        assert_near(found.mel(), expected)


@pytest.mark.parametrize("place", ["x", "cond", "text"])
def test_a_flow_that_is_not_finite_is_marked_and_harms_no_neighbour(
    model: F5Model, alone: list[Tensor], place: str
) -> None:
    flows = [flow(model, i) for i in range(3)]
    advance(model, flows, together=True)
    getattr(flows[1], place)[..., 3, 2] = torch.nan
    finished(model, flows)
    assert [one.is_finite for one in flows] == [True, False, True]
    assert flows[1].index == 2, "it was not moved on"
    assert_near(flows[0].mel(), alone[0])
    assert_near(flows[2].mel(), alone[2])


def test_a_seed_gives_the_same_speech_again_and_another_seed_another(model: F5Model) -> None:
    first, again, other = (finished(model, [flow(model, 0, seed=seed)])[0] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.1


def test_global_random_numbers_are_neither_used_nor_moved(model: F5Model) -> None:
    before = torch.get_rng_state()
    finished(model, [flow(model, 0)])
    assert torch.equal(before, torch.get_rng_state())


def test_reference_frames_come_out_as_they_went_in(model: F5Model) -> None:
    one = flow(model, 0)
    (mel,) = finished(model, [one])
    assert torch.equal(mel[:30], reference(30, seed=0))
    assert torch.equal(one.speech(), mel[29:])


def test_weak_guidance_is_none_and_strong_guidance_is_heard(model: F5Model, alone: list[Tensor]) -> None:
    assert not flow(model, 4).is_guided
    unguided = flow(model, 0)
    unguided.text, unguided.cfg_strength = unguided.text[:1], 0.0
    (mel,) = finished(model, [unguided])
    assert (mel - alone[0]).abs().max() > 0.1


def test_a_chunk_gets_room_for_every_token_and_one_frame_of_speech(model: F5Model) -> None:
    def n_frames(n_ref: int, n_tokens: int, wanted: int) -> int:
        one = start_flow(model, reference(n_ref), [1] * n_tokens, wanted, Schedule(5), cfg_strength=0)
        return one.n_frames

    assert n_frames(50, 20, 60) == 60
    assert n_frames(50, 20, 10) == 51
    assert n_frames(50, 80, 60) == 81
    with pytest.raises(InvalidValue, match="8193 frames"):
        n_frames(50, 20, MAX_FRAMES + 1)


def test_noise_that_is_given_is_used_and_must_fit(model: F5Model) -> None:
    noise = torch.randn(120, 100, generator=torch.Generator().manual_seed(0))
    given = start_flow(model, reference(30), [1, 2], 120, Schedule(5), cfg_strength=2.0, noise=noise)
    drawn = start_flow(model, reference(30), [1, 2], 120, Schedule(5), cfg_strength=2.0, seed=0)
    assert torch.equal(given.x, drawn.x)
    with pytest.raises(InvalidValue, match="noise of shape"):
        start_flow(model, reference(30), [1, 2], 121, Schedule(5), cfg_strength=2.0, noise=noise)


def test_without_the_weights_of_modulations_prepared_schedules_only_are_sampled() -> None:
    model = random_model(SMALL, seed=1)
    (before,) = finished(model, [flow(model, 0)])
    model.prepare([Schedule(7), Schedule(32)])
    model.drop_modulation_weights()
    (after,) = finished(model, [flow(model, 0)])
    assert torch.equal(before, after)
    with pytest.raises(InvalidValue, match="16 steps with sway -1 are not prepared") as e:
        flow(model, 3)
    assert "7 steps with sway -1" in str(e.value.hint)


def test_tables_of_many_schedules_do_not_pile_up() -> None:
    model = random_model(SMALL, seed=1)
    held = flow(model, 0)
    for i in range(100):
        model.modulations.table(Schedule(5, sway=-i / 100))
    assert len(model.modulations) <= 32
    finished(model, [held])
    assert held.is_finite


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_nearly_the_same_speech_and_the_state_stays_fp32(
    alone: list[Tensor], dtype: torch.dtype
) -> None:
    half = random_model(SMALL, seed=1, dtype=dtype)
    flows = [flow(half, 0), flow(half, 2)]
    for mel, expected in zip(finished(half, flows), (alone[0], alone[2]), strict=True):
        assert mel.dtype == torch.float32
        assert (mel - expected).abs().mean() < (0.05 if dtype == torch.bfloat16 else 0.01)
