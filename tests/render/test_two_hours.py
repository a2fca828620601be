"""Two hours of speech: memory stays flat, and a kill in the middle costs nothing. Slow: `make test-slow`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ttsops.render import folder_of

pytestmark = pytest.mark.slow

TWO_HOURS = 2 * 3600
N_TURNS = 1000
TURN = "The first bus leaves at seven, and the second one an hour later, if it leaves at all on such a day"
"""At 0.06 s (tone) or half a frame (vibevoice) for a character, a thousand of them are about two hours."""

ENGINES = {
    "tone": ("", ()),
    "vibevoice": (
        'random_weights = "small"\nmax_positions = 2048\nthreads = 1',
        ("--turns-per-context", "10"),
    ),
}
MAX_GROWTH = 1.1
"""Of memory, from the first minutes of speech to the last ones."""


def start(engine: str, folder: Path, name: str) -> tuple[psutil.Popen, Path]:
    options, extra = ENGINES[engine]
    (folder / "ttsops.toml").write_text(f'engine = "{engine}"\n[engines.{engine}.options]\n{options}\n')
    lines = [f"Speaker {1 + i % 2}: {TURN}, and that was turn {i}." for i in range(N_TURNS)]
    (folder / "script.txt").write_text("\n".join(lines))
    out = folder / name
    command = [sys.executable, "-m", "ttsops", "render", str(folder / "script.txt"), "-o", str(out), *extra]
    process = psutil.Popen([*command, "--config", str(folder / "ttsops.toml")], stderr=subprocess.PIPE)
    return process, out


def n_samples(out: Path) -> int:
    try:
        return int(json.loads((folder_of(out) / "state.json").read_bytes())["n_samples"])
    except FileNotFoundError:
        return 0


def watch(
    process: psutil.Popen, out: Path, until_seconds: float = float("inf"), *, is_resumed: bool = False
) -> list[tuple[float, int]]:
    """Seconds of speech and resident bytes, again and again, until it ends or has made so much."""
    seen: list[tuple[float, int]] = []
    while process.poll() is None:
        made = n_samples(out) / 24_000
        if made > until_seconds:
            return seen
        if made:
            seen.append((made, process.memory_info().rss))
        time.sleep(0.05)
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said
    assert "gone on at" in said or not is_resumed, said
    return seen


@pytest.mark.parametrize("engine", ENGINES)
def test_two_hours_killed_in_the_middle_are_the_same_as_uninterrupted(engine: str, tmp_path: Path) -> None:
    whole, whole_path = start(engine, tmp_path, "whole.wav")
    seen = watch(whole, whole_path)
    seconds = seen[-1][0]
    assert seconds > 0.9 * TWO_HOURS * (0.85 if engine == "tone" else 1)
    early = max(rss for made, rss in seen if 0.05 * seconds < made < 0.15 * seconds)
    late = max(rss for made, rss in seen if made > 0.9 * seconds)
    assert late < MAX_GROWTH * early, f"{early / 2**20:.0f} MiB became {late / 2**20:.0f} MiB"

    cut, cut_path = start(engine, tmp_path, "cut.wav")
    watch(cut, cut_path, until_seconds=seconds / 2)
    os.kill(cut.pid, signal.SIGKILL)
    cut.communicate()
    again, _ = start(engine, tmp_path, "cut.wav")
    watch(again, cut_path, is_resumed=True)
    assert cut_path.read_bytes() == whole_path.read_bytes()
