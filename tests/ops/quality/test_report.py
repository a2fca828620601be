"""The figures of a sweep, and how they are drawn and printed."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from rich.console import Console

from ops.quality.conftest import Sweep, small_realtime, tone
from ttsops.audio import decode_audio
from ttsops.cli.quality_report import render_sweep
from ttsops.observe.figures import rtf
from ttsops.ops.quality.distances import log_mel, mel_nmse
from ttsops.ops.quality.plot import plot_svg
from ttsops.ops.quality.report import FILE, Report, measure_sweep, write_report
from ttsops.ops.quality.sweep import Plan
from ttsops.ops.random_weights import NOTES

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("without_dnsmos")]

TEXTS = ("Hello there.", "It will rain.")


@pytest.fixture
def realtime(sweep: Sweep, tmp_path: Path) -> Report:
    plan = Plan(axes={"steps": [1, 4, 20]}, texts=TEXTS, seeds=(1, 2), random_weights="small")
    return measure_sweep(sweep(small_realtime(), plan), tmp_path / "sweep", with_scores=False)


def printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    console.print(render_sweep(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_more_steps_are_nearer_to_the_reference(realtime: Report, tmp_path: Path) -> None:
    few, some, many = realtime.rows
    assert (few.setting, some.setting, many.setting) == ("steps-1", "steps-4", "steps-20")
    assert many.is_reference
    assert (many.nmse, many.loudness_db, many.seconds) == (None, None, None)
    assert few.nmse is not None
    assert some.nmse is not None
    assert few.nmse > some.nmse > 0
    assert few.rtf
    assert many.rtf
    assert realtime.seed_nmse is not None
    assert realtime.seed_nmse > 0
    assert "no scores: they were not asked for" in realtime.left_out
    assert few.mos is few.wer is None

    # The mean of the takes' own distances, from their files.
    folder = tmp_path / "sweep"
    own = []
    for text in ("t01", "t02"):
        for seed in (1, 2):
            pair = [decode_audio(folder / f"steps-{n}/{text}-{seed}.wav")[0] for n in (1, 20)]
            own.append(mel_nmse(*map(log_mel, pair)))
    assert few.nmse == pytest.approx(np.mean(own))
    assert few.nmse_max == pytest.approx(max(own))


def test_random_weights_are_named_wherever_figures_are(realtime: Report, tmp_path: Path) -> None:
    assert realtime.note == NOTES["small"]
    assert NOTES["small"] in printed(realtime)
    assert NOTES["small"] in plot_svg(realtime).decode()
    write_report(tmp_path, realtime)
    assert json.loads((tmp_path / FILE).read_text())["note"] == NOTES["small"]


def test_the_plot_has_a_point_for_each_setting(realtime: Report) -> None:
    svg = Xml.fromstring(plot_svg(realtime))
    texts = [one.text for one in svg.iter() if one.tag.endswith("text")]
    (curve,) = [one for one in svg.iter() if one.tag.endswith("polyline")]
    assert len(curve.attrib["points"].split()) == 3
    assert {"1", "4", "20"} <= set(texts)
    assert realtime.machine in texts


def test_rtf_is_that_of_all_takes_and_of_the_slowest(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(tone(rtf=0.2), Plan(axes={"frequency": [300, 600]}, texts=TEXTS))
    report = measure_sweep(manifest, tmp_path / "sweep", with_scores=False)
    for row in report.rows:
        takes = [one for one in manifest.takes if one.setting == row.setting]
        whole = rtf(sum(t.synthesis_seconds for t in takes), sum(t.audio_seconds for t in takes))
        assert row.rtf == whole
        assert row.rtf_min is not None
        assert row.rtf_max is not None
        assert 0.2 <= row.rtf_min <= row.rtf <= row.rtf_max


def test_without_dnsmos_words_are_heard_and_the_rest_is_said_to_be_left_out(
    sweep: Sweep, tmp_path: Path
) -> None:
    manifest = sweep(tone(), Plan(axes={"frequency": [300, 600]}, texts=TEXTS[:1]))
    report = measure_sweep(manifest, tmp_path / "sweep")
    assert [row.mos for row in report.rows] == [None, None]
    assert all(row.wer is not None and row.wer >= 0.5 for row in report.rows), "sines say nothing"
    said = next(one for one in report.left_out if "speechmos" in one)
    assert "tts-ops[quality]" in said
    assert said in printed(report)


def test_a_longer_take_is_said_to_be_compared_in_part(sweep: Sweep, tmp_path: Path) -> None:
    plan = Plan(axes={"fail": [False, True], "fail_after_seconds": [0.2]}, texts=TEXTS[:1])
    manifest = sweep(tone(), plan)
    report = measure_sweep(manifest, tmp_path / "sweep", with_scores=False)
    assert [row.failed for row in report.rows] == [0, 1]
    assert len(report.failures) == 1
    assert "fail-true" in report.failures[0]
    assert plot_svg(report).startswith(b"<?xml")
    assert "1 failed" in printed(report)
