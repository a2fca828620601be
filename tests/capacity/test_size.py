"""How many servers are enough: the search, the measured figures, and the prices."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.capacity import page
from benchmarks.capacity.arrivals import OfTexts, Poisson
from benchmarks.capacity.check import SCENES, SECONDS_PER_CHAR, TOLERATED, apart
from benchmarks.capacity.devices import devices
from benchmarks.capacity.examples import EXAMPLES, answer, server_of
from benchmarks.capacity.figures import Figures, of_simulated
from benchmarks.capacity.simulate import Server, simulate
from benchmarks.capacity.size import MOST_LISTENERS, Targets, Traffic, size
from benchmarks.capacity.steps import StepModel, linear
from benchmarks.fresh_process import ROOT

pytestmark = pytest.mark.unit

QUICK = linear(step_seconds=0.02, utterance_seconds=0.02, chunk_seconds=0.4)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.capacity", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_as_many_servers_as_are_needed_and_no_more() -> None:
    traffic = Traffic(Poisson(4.0), OfTexts(), 60.0)
    server = Server(QUICK, max_streams=4)
    targets = Targets(first_audio_p95=0.3)
    found = size(traffic, server, targets, n_runs=5)
    assert found.n_servers > 1
    assert targets.keeps(found.worst)
    assert found.too_few is not None
    assert not targets.keeps(found.too_few)
    for seed in range(5):
        enough = of_simulated(simulate(*traffic.draw(seed), [server] * found.n_servers))
        assert targets.keeps(enough)
    assert found.keeps_probability == pytest.approx(0.05**0.2)


def test_a_stricter_promise_or_more_traffic_never_takes_fewer() -> None:
    server = Server(QUICK, max_streams=4)

    def n_servers(rate: float, p95: float) -> int:
        traffic = Traffic(Poisson(rate), OfTexts(), 60.0)
        return size(traffic, server, Targets(p95), n_runs=3).n_servers

    assert n_servers(2.0, 0.3) <= n_servers(4.0, 0.3) < n_servers(8.0, 0.3)
    assert n_servers(4.0, 2.0) <= n_servers(4.0, 0.3)


def test_each_part_of_a_promise_counts() -> None:
    kept = Figures(100, refused_share=0.0, first_audio_p50=0.1, first_audio_p95=0.2, underrun_share=0.0)
    assert Targets(0.2).keeps(kept)
    assert not Targets(0.19).keeps(kept)
    assert not Targets(0.2).keeps(Figures(100, 0.01, 0.1, 0.2, 0.0))
    assert not Targets(0.2).keeps(Figures(100, 0.0, 0.1, 0.2, 0.01))


def test_a_web_process_has_its_own_limit() -> None:
    """However fast the engine is."""
    server = Server(StepModel({1: 1e-3}, 0.4), max_streams=64)
    traffic = Traffic(Poisson(2.5 * MOST_LISTENERS / OfTexts().mean_seconds), OfTexts(), 2.0)
    assert size(traffic, server, Targets(1.0), n_runs=1).n_servers == 3


def test_too_few_to_be_had_is_said() -> None:
    traffic = Traffic(Poisson(50.0), OfTexts(), 20.0)
    with pytest.raises(ValueError, match="2 servers are not enough"):
        size(traffic, Server(QUICK, max_streams=64), Targets(1e-6), n_runs=1, most=2)


def test_a_step_model_says_what_was_measured() -> None:
    """Frames per second, 7.5 of which are a second of speech."""
    device = devices()["h100-realtime"]
    assert device.steps is not None
    assert device.steps(64) == pytest.approx(64 / 5965.945300567557)
    assert device.speech_per_second == pytest.approx(6506.752230684864 / 7.5)
    assert device.live_listeners == 64


def test_a_price_is_shared_by_those_who_listen() -> None:
    device = devices()["h100-realtime"]
    assert device.listener_price(3.0, 0.5) == pytest.approx(3.0 / 32)
    assert device.file_price(3.0) == pytest.approx(3.0 / device.speech_per_second)
    assert devices()["cpu2-realtime-fp32"].listener_price(1.0, 1.0) is None


def test_who_was_not_measured_live_is_not_sized() -> None:
    with pytest.raises(ValueError, match="no live listeners"):
        server_of(devices()["h100-vibevoice-large"])


def test_a_wrong_idea_of_a_server_would_be_noticed() -> None:
    """The check against real servers can fail: a place less, less patience, slower steps are beyond it."""
    scene = SCENES["one server, a short line"]
    rng = np.random.default_rng(1)
    times = scene.arrivals.times(40.0, rng)
    speech = OfTexts(SECONDS_PER_CHAR).draw(len(times), rng)

    def figures(**other: int | float) -> Figures:
        return of_simulated(simulate(times, speech, [replace(scene, **other).server]))  # type: ignore[arg-type]

    right = figures()
    for wrong in (
        figures(max_streams=3),
        figures(max_queue=1),
        figures(max_queue_seconds=0.75),
        figures(utterance_seconds=0.045),
    ):
        off = apart(wrong, right)
        assert any(abs(off[name]) > limit for name, limit in TOLERATED.items()), off


def test_the_page_shows_what_the_commands_print() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.rendered(text, page.read_kept()) == text, "run `python -m benchmarks.capacity page`"
    assert run("cost").stdout in text


def test_what_the_page_says_is_still_what_comes_out() -> None:
    """Seeded: the same servers, to the last figure."""
    example = EXAMPLES[0]
    kept = page.read_kept()["sizes"][0]
    assert kept.items() >= vars(example).items()
    assert answer(example) == kept


def test_a_page_without_a_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        page.rendered("# Capacity\n", page.read_kept())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cost", "--utilisation", "0"], "not above 0"),
        (["cost", "--utilisation", "1.5"], "above 1"),
        (["size", "h100-realtime", "--rate", "-1"], "not above 0"),
        (["size", "h100-f5", "--rate", "1"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
