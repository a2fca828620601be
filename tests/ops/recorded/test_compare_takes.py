"""Which rule holds for whom, and what each of them lets pass."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from ttsops.audio import float_to_s16, s16_to_float
from ttsops.engines import registry
from ttsops.engines.tone.signal import render
from ttsops.ops.recorded.compare import Rule, compare_take, rule_for, spectrum_distance
from ttsops.ops.recorded.manifest import Recording, Take, Wish, facts_of, samples_hash
from ttsops.speech import SAMPLE_RATE, Samples

pytestmark = pytest.mark.unit

SPOKEN = render("The train to the city leaves in ten minutes.")
RECORDED = s16_to_float(float_to_s16(SPOKEN))


def take(samples: Samples = SPOKEN) -> Take:
    return Take(
        id="t01",
        text="",
        wish=Wish(seed=1),
        control={},
        control_hash="",
        file="tone/t01.wav",
        file_sha256="",
        samples_sha256=samples_hash(samples),
        facts=facts_of(samples),
    )


def recording(**changes: Any) -> Recording:
    made = Recording(
        engine="f5",
        note="",
        machine="2 x CPU",
        architecture="x86_64",
        device="cpu",
        versions={"tts-ops": "1", "python": "3.11", "torch": "2.13", "espeakng_loader": "0.2"},
        takes=(),
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("engine", "changes", "rule"),
    [
        ("tone", {"machine": "another", "architecture": "arm64"}, "exact"),
        ("espeak", {"machine": "another"}, "exact"),
        ("espeak", {"versions": {"espeakng_loader": "0.3"}}, "alike"),
        ("espeak", {"architecture": "arm64"}, "alike"),
        ("f5", {}, "close"),
        ("f5", {"versions": recording().versions | {"tts-ops": "2", "python": "3.13"}}, "close"),
        ("f5", {"versions": recording().versions | {"torch": "2.14"}}, "alike"),
        ("f5", {"machine": "another"}, "alike"),
        ("f5", {"device": "cuda"}, "alike"),
    ],
)
def test_the_rule_is_as_strict_as_the_engine_allows(engine: str, changes: dict[str, Any], rule: Rule) -> None:
    assert rule_for(registry.card(engine), recording(), recording(**changes)) == rule


def test_an_engine_that_draws_its_noise_afresh_is_never_held_to_its_samples() -> None:
    card = replace(registry.card("f5"), deterministic=False)
    assert rule_for(card, recording(), recording()) == "alike"


def test_exact_lets_nothing_pass() -> None:
    assert all(one.ok for one in compare_take("exact", take(), RECORDED, SPOKEN))
    other = SPOKEN.copy()
    other[1000] += np.float32(1e-7)
    assert not all(one.ok for one in compare_take("exact", take(), RECORDED, other))
    assert not all(one.ok for one in compare_take("exact", take(), RECORDED, SPOKEN[:-1]))


def test_close_lets_rounding_pass_and_no_more() -> None:
    def is_ok(samples: Samples) -> bool:
        return all(one.ok for one in compare_take("close", take(), RECORDED, samples))

    assert is_ok(SPOKEN + np.float32(5e-4))
    assert not is_ok(SPOKEN + np.float32(2e-3))
    assert not is_ok(SPOKEN[:-1])
    assert not is_ok(np.full_like(SPOKEN, np.nan))


def test_alike_lets_timing_pass_but_not_pitch_level_or_length() -> None:
    def far(samples: Samples) -> set[str]:
        return {one.name for one in compare_take("alike", take(), RECORDED, samples) if not one.ok}

    later = np.concatenate([np.zeros(2400, np.float32), SPOKEN])
    assert far(later) == set()
    assert far(SPOKEN * np.float32(0.5)) == {"level_db"}
    assert far(SPOKEN[: len(SPOKEN) // 2]) >= {"length"}
    assert "spectrum_db" in far(render("The train to the city leaves in ten minutes.", pitch=1.5))
    assert far(np.zeros(0, np.float32)) == {"length"}


def test_a_spectrum_has_no_distance_from_itself_at_another_level() -> None:
    assert spectrum_distance(SPOKEN, SPOKEN) == 0
    assert spectrum_distance(SPOKEN * np.float32(0.5), SPOKEN) < 0.5


def test_facts_say_where_the_sound_lies() -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    facts = facts_of((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32))
    assert facts.centroid_hz == pytest.approx(1000, abs=30)
    assert facts.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert facts.seconds == 1.0
