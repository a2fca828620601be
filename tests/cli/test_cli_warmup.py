"""`ttsops warmup`, and `ttsops bench --iterations`."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from server.server_site import serving, tone_settings

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]


def test_both_starts_and_both_first_chunks_are_told(ttsops: Ttsops) -> None:
    done = ttsops("warmup", "--engine", "tone")
    assert done.code == 0
    assert [line.split(":")[0] for line in done.out.splitlines()[1:]] == [
        "load, first start",
        "load, cached",
        "first chunk, first utterance",
        "first chunk, after that",
    ]


def test_a_running_server_is_spoken_to(ttsops: Ttsops) -> None:
    with serving(tone_settings(first_audio_seconds=0.05)) as site:
        done = ttsops("warmup", "--engine", "tone", "--url", site.url, "--json")
        assert ttsops("warmup", "--engine", "f5", "--url", site.url).code == 3
    found = json.loads(done.out)
    assert (done.code, found["url"], found["loads"]) == (0, site.url, None)
    assert found["load_seconds"] >= 0
    assert found["first_chunk_before"] >= 0.05
    assert ttsops("warmup", "--url", site.url).code == 3, "it is gone"


def test_iterations_are_told_as_a_table_and_as_json(ttsops: Ttsops) -> None:
    table = ttsops("bench", "--engine", "tone", "--iterations", "3")
    assert table.code == 0
    assert [row for row in table.out.splitlines() if row.startswith(("RTF", "first chunk ms", "chunks"))]
    assert "3 iterations" in table.out
    assert "memory of the worker process" in table.out
    done = ttsops("bench", "--engine", "tone", "--iterations", "2", "--json")
    found = json.loads(done.out)
    assert set(found["rtf"]) == {"n", "mean", "median", "p95", "p99", "min", "max", "deviation"}
    assert found["loads"]["cold"]["ready_seconds"] > 0


@pytest.mark.parametrize("words", [("--find-capacity",), ("--plot", "curve.svg")])
def test_iterations_have_no_curve(ttsops: Ttsops, words: tuple[str, ...]) -> None:
    done = ttsops("bench", "--engine", "tone", "--iterations", "2", *words)
    assert (done.code, "no capacity to find" in done.err) == (2, True)
