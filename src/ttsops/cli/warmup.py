"""`ttsops warmup`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.golden_record import random_weights_option
from ttsops.cli.output import print_json, warn
from ttsops.cli.verb import config_option, verb
from ttsops.settings import load_settings
from ttsops.settings.names import API_KEY

if TYPE_CHECKING:
    from ttsops.ops.random_weights import RandomWeights
    from ttsops.ops.warmup import Loads, Warmup


@verb(
    "warmup",
    examples=(
        "ttsops warmup",
        "ttsops warmup --engine f5 --config prod.toml --json",
        "ttsops warmup --url http://127.0.0.1:8001 --engine espeak",
    ),
)
@config_option
@click.option("--engine", "--model", "engine", help="Engine.  [default: `engine` of the settings]")
@click.option(
    "--url", default="", help="A running server: speak there, so that its first listener need not wait."
)
@random_weights_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def warmup(
    config: Path | None, engine: str | None, url: str, random_weights: RandomWeights | None, as_json: bool
) -> None:
    """Pay what the first listener would wait for, and say what it was.

    Without `--url` the engine is started twice in processes of its own: from the disk, where the system can
    be asked to forget the files of its weights, and from memory. Then it speaks: the first chunk of the first
    utterance, and of those after it. A running server is spoken to only; its API key is taken from
    TTSOPS_API_KEY.
    """
    from ttsops.observe import logs
    from ttsops.ops.accept.client import Client
    from ttsops.ops.recorded.speak import alone
    from ttsops.ops.warmup import warm_up, warm_up_server

    settings = load_settings(config, os.environ, {"engine": engine, "log.level": "error"})
    logs.configure(settings.log.level, settings.log.format)
    if url:
        client = Client(url, settings.engine, api_key=os.environ.get(API_KEY, ""))
        result = warm_up_server(client)
    else:
        result = asyncio.run(warm_up(alone(settings, settings.engine, random_weights or "")))
    if result.note:
        warn(result.note)
    if as_json:
        print_json(asdict(result))
    else:
        click.echo("\n".join(_lines(result)))


def _lines(result: Warmup) -> Iterator[str]:
    yield f"{result.engine} on {result.url or result.machine}"
    if result.loads is not None:
        yield from load_lines(result.loads)
    elif result.load_seconds is not None:
        yield f"load, when that server started: {result.load_seconds:.3f} s"
    yield f"first chunk, first utterance: {1000 * result.first_chunk_before:.1f} ms"
    yield f"first chunk, after that: {1000 * result.first_chunk_after:.1f} ms (median of 3)"


def load_lines(loads: Loads) -> Iterator[str]:
    """Of both starts, and what the first of them means."""
    is_cold = loads.files_forgotten > 0
    first = "from the disk" if is_cold else "first start"
    yield f"load, {first}: {loads.cold.load_seconds:.3f} s, ready after {loads.cold.ready_seconds:.3f} s"
    yield f"load, cached: {loads.cached.load_seconds:.3f} s, ready after {loads.cached.ready_seconds:.3f} s"
