"""The figures and commands of `docs/operate/cluster.md`."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from ttsops.cli.app import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operate" / "cluster.md").read_text(encoding="utf-8")


def test_the_figures_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "ray_overhead.json").read_text())
    wanted = [
        [f"{measured['first_byte'][name]['p50_ms']:.0f} ms" for name in ("plain", "ray")],
        [f"{measured['many'][name]['ttfb_p50_ms']:.0f} ms" for name in ("plain", "ray")],
        [f"{measured['many'][name]['cpu_cores']:.2f} cores" for name in ("plain", "ray")],
        [f"{measured['idle_cores'][name]:.2f} cores" for name in ("plain", "ray")],
        [f"{measured['rss_mib'][name]:.0f} MiB" for name in ("plain", "ray")],
    ]
    table = PAGE.partition("| | plain | Ray |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[2:4]] for line in table.splitlines()[2:]]
    assert rows == wanted


def test_its_commands_parse() -> None:
    commands = re.findall(r"^ttsops (.+)$", PAGE, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        words = shlex.split(command)
        found: click.Command = app
        context = click.Context(app)
        while isinstance(found, click.Group):
            verb = found.get_command(context, words.pop(0))
            assert verb is not None
            found = verb
        found.make_context(str(found.name), words)
