"""A bench of real engines behind the runtime, and what is drawn and said of it."""

import asyncio
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from ops.test_bench_capacity import level
from ttsops.errors import EngineUnavailable, InvalidValue
from ttsops.ops.bench import Bench, Plan, Scene, plot_svg, run_bench
from ttsops.ops.bench.run import prepare_settings
from ttsops.ops.random_weights import NOTES
from ttsops.settings import EngineSettings, RuntimeSettings, Settings

pytestmark = pytest.mark.server

CHUNK, STEP, EACH = 0.2, 0.04, 0.008
KEPT_UP = 20
"""What a step costs for so many is what they play meanwhile: 0.04 + 20 * 0.008 = 0.2."""

BENCH = Bench(
    engine="vibevoice-realtime",
    note="",
    machine="2 x Some <CPU> & more, 8 GiB",
    device="auto",
    dtype="auto",
    bytes_per_stream=3 * 2**20,
    max_streams=16,
    load_seconds=1.0,
    capacity=2,
    is_limited=False,
    levels=(level(1), level(2), level(4, underruns=7), level(4, underruns=3)),
)


def tone(**options: float) -> Settings:
    return Settings(engine="tone", engines={"tone": EngineSettings(options=options)})


def bench(settings: Settings, plan: Plan) -> Bench:
    return asyncio.run(run_bench(settings, plan))


@pytest.mark.slow
def test_the_capacity_found_is_the_one_that_the_cost_of_a_step_allows() -> None:
    settings = tone(chunk_seconds=CHUNK, step_seconds=STEP, utterance_seconds=EACH)
    found = bench(settings, Plan(first=8, limit=60, is_search=True, scene=Scene(seconds=1.2)))
    assert found.capacity == pytest.approx(KEPT_UP, rel=0.15)
    for one in found.levels:
        assert one.step is not None
        assert STEP + EACH <= one.step.p50 <= 1.2 * (STEP + EACH * one.streams)
    by_streams = {one.streams: one.step.p50 for one in found.levels if one.step}
    assert by_streams[16] > by_streams[8]


def test_the_first_audio_is_measured_from_asking() -> None:
    found = bench(tone(first_audio_seconds=0.15), Plan(limit=2, scene=Scene(seconds=0.8)))
    for one in found.levels:
        assert one.ttfb is not None
        assert 0.15 <= one.ttfb.p50 < 0.5
    assert (found.capacity, found.is_limited) == (2, True)


def test_an_engine_that_cannot_load_is_an_error_not_a_capacity_of_none() -> None:
    with pytest.raises(EngineUnavailable, match="set up to fail"):
        bench(tone(fail_to_load=True), Plan(limit=1))


def test_failing_streams_are_no_capacity() -> None:
    found = bench(tone(), Plan(limit=4, scene=Scene(seconds=0.5, options={"fail": True})))
    assert found.capacity == 0
    assert found.levels[0].errors == {"engine_failed": 1}


def test_nobody_stands_in_and_nobody_waits_in_line_while_an_engine_is_measured() -> None:
    served = Settings(
        engine="tone",
        engines={"espeak": EngineSettings()},
        runtime=RuntimeSettings(failover="espeak", max_queue=9),
    )
    prepared = prepare_settings(served, "")
    assert prepared.served_engines == ("tone",)
    assert prepared.runtime.max_queue == 0


def test_random_weights_are_for_engines_that_have_weights() -> None:
    prepared = prepare_settings(Settings(engine="vibevoice-realtime"), "full")
    assert prepared.engine_settings("vibevoice-realtime").options == {"random_weights": "full"}
    with pytest.raises(InvalidValue, match="`tone` has no weights"):
        prepare_settings(tone(), "small")


def drawn_texts(svg: bytes) -> list[str]:
    return [element.text or "" for element in Xml.fromstring(svg).iter() if element.tag.endswith("text")]


def test_a_plot_has_a_curve_for_each_figure_and_a_line_at_the_capacity() -> None:
    svg = plot_svg(BENCH)
    texts = drawn_texts(svg)
    curves = [one for one in Xml.fromstring(svg).iter() if one.tag.endswith("polyline")]
    assert [len(curve.attrib["points"].split()) for curve in curves] == [3] * 5
    assert BENCH.machine in texts
    assert "2 streams without an underrun" in texts
    assert texts.count("2") >= 3


def test_a_plot_of_random_weights_says_so() -> None:
    assert NOTES["full"] in drawn_texts(plot_svg(replace(BENCH, note=NOTES["full"])))


def test_nothing_measured_can_still_be_drawn() -> None:
    nothing = level(1, ttfb=None, step=None, errors={"no_audio": 1})
    assert plot_svg(replace(BENCH, levels=(nothing,), capacity=0)).startswith(b"<?xml")
