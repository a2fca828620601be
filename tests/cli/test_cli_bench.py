"""`ttsops bench`: table, JSON and plot, and what each says of random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]

QUICK = ("--seconds", "0.6", "--max-streams", "2")
SMALL = "neither its speed nor its speech is that of the published one"


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    """A settings file with as many places as are needed, so that a test takes little memory."""
    path = tmp_path.parent / f"{tmp_path.name}.toml"
    path.write_text(
        'engine = "vibevoice-realtime"\n[engines.vibevoice-realtime]\nmax_streams = 2\n'
        'device = "cpu"\n[engines.vibevoice-realtime.options]\nmax_positions = 512\nthreads = 1\n'
    )
    return path


def test_a_table_has_a_row_for_each_level(ttsops: Ttsops) -> None:
    done = ttsops("bench", "--engine", "tone", *QUICK)
    assert done.code == 0
    rows = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    assert rows[rows.index("streams") + 1 :][:2] == ["1", "2"]
    assert "2 live streams without an underrun, and more were not tried" in done.out
    assert "random" not in done.out + done.err


def test_random_weights_are_named_in_every_output(ttsops: Ttsops, small_model: Path) -> None:
    words = ("bench", "--config", small_model, "--random-weights", "small", *QUICK)
    table = ttsops(*words, "--plot", "curve.svg")
    assert SMALL in table.out
    assert SMALL in table.err
    assert SMALL in Path("curve.svg").read_text()
    as_json = ttsops(*words, "--json", "--find-capacity")
    assert SMALL in json.loads(as_json.out)["note"]


def test_json_has_the_memory_of_a_stream_and_every_level(ttsops: Ttsops, small_model: Path) -> None:
    done = ttsops("bench", "--config", small_model, "--random-weights", "small", *QUICK, "--json")
    facts = json.loads(done.out)
    assert facts["bytes_per_stream"] > 2**20
    assert facts["max_streams"] == 2
    assert {one["streams"] for one in facts["levels"]} <= {1, 2}
    assert all(one["step"]["n"] > 0 for one in facts["levels"])


def test_an_engine_that_keeps_up_with_nobody_ends_with_1(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text('engine = "tone"\n[engines.tone.options]\nrtf = 3.0\n')
    done = ttsops("bench", *QUICK)
    assert (done.code, "not even the first level" in done.out) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--engine", "tone", "--random-weights", "small"), 2),
        (("--engine", "tone", "--plot", "curve.png"), 2),
        (("--engine", "nobody"), 2),
        (("--engine", "vibevoice-realtime"), 3),
    ],
)
def test_what_cannot_be_measured_is_refused(ttsops: Ttsops, words: tuple[str, ...], code: int) -> None:
    done = ttsops("bench", *words)
    assert (done.code, done.out) == (code, "")
    assert "error:" in done.err
