"""`ttsops monitor`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]
QUICK = ("--engine", "tone", "--no-scores", "--repeats", "1")


@pytest.fixture
def paced(ttsops: Ttsops) -> Ttsops:
    Path("ttsops.toml").write_text(
        "[engines.tone.options]\nrtf = 0.1\nchunk_seconds = 0.4\n"
        "[monitor]\nmin_runs = 1\nmax_slowdown = 0.3\n"
    )
    return ttsops


@pytest.mark.slow
def test_a_run_is_a_line_and_a_slower_one_ends_with_1_and_its_reason(paced: Ttsops) -> None:
    done = paced("monitor", "run", *QUICK)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "verdict: ok"
    path = Path("monitor.jsonl")
    run = json.loads(path.read_text())
    run["figures"]["rtf_best"] /= 2  # it used to be twice as fast
    path.write_text(json.dumps(run) + "\n")
    slower = paced("monitor", "run", *QUICK, "--json")
    assert slower.code == 1
    assert "error: regression: " in slower.err
    assert "slower than the median of 1 runs" in slower.err
    assert json.loads(slower.out)["verdict"]["word"] == "regression"
    assert len(path.read_text().splitlines()) == 2
    norm = paced("monitor", "run", *QUICK, "--new-baseline")
    assert (norm.code, "0 earlier runs to compare with" in norm.out) == (0, True)
    shown = paced("monitor", "history").out.splitlines()
    ends = ("verdict", " ok", " regression", " ok (new baseline)")
    assert all(line.rstrip().endswith(end) for line, end in zip(shown, ends, strict=True)), shown
    only = paced("monitor", "history", "--verdict", "regression", "--engine", "tone", "--json")
    assert [one["verdict"]["word"] for one in json.loads(only.out)] == ["regression"]
    assert json.loads(paced("monitor", "history", "--engine", "espeak", "--json").out) == []
    assert len(json.loads(paced("monitor", "history", "--last", "1", "--json").out)) == 1
    for name, start in (("trend.svg", b"<?xml"), ("trend.png", b"\x89PNG")):
        assert paced("monitor", "plot", name).code == 0
        assert Path(name).read_bytes().startswith(start)


def test_a_line_that_a_crash_tore_is_told(paced: Ttsops) -> None:
    paced("monitor", "run", *QUICK, "--history", "nightly.jsonl")
    path = Path("nightly.jsonl")
    path.write_bytes(path.read_bytes() + b'{"format": 1, "ti')
    done = paced("monitor", "history", "--history", "nightly.jsonl")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert "1 lines cannot be read, the first is line 2" in done.err


def test_random_weights_are_named(ttsops: Ttsops) -> None:
    done = ttsops("monitor", "run", *QUICK, "--random-weights", "small")
    assert (done.code, "has no weights" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("history",), "there is no run in `monitor.jsonl`"),
        (("plot", "trend.svg"), "there is no run in `monitor.jsonl`"),
        (("plot", "trend.gif"), "cannot draw `trend.gif`"),
        (("run", "--engine", "nobody"), "no engine named `nobody`"),
    ],
)
def test_what_cannot_be_done_is_wrong_usage(ttsops: Ttsops, words: tuple[str, ...], told: str) -> None:
    done = ttsops("monitor", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
