"""`ttsops cluster`: up, status, down."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from ttsops.cli.output import EndWith, Exit, print_json, say
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.errors import InvalidValue
from ttsops.settings import load_settings


@click.group(context_settings=HELP)
def cluster() -> None:
    """Put the server on many machines, by Ray Serve.

    A Ray cluster has to run (`ray start`), with `tts-ops[ray]` on each of its machines.
    """


def _address_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--address",
        default="auto",
        metavar="HOST:PORT",
        show_default=True,
        help="Of the Ray cluster; `auto`: the one this machine belongs to.",
    )(function)


@verb(
    "up",
    examples=(
        "ttsops cluster up --replicas 2",
        "ttsops cluster up --min-replicas 1 --max-replicas 8 --gpus 1 --config prod.toml",
    ),
)
@_address_option
@click.option("--host", help="Address that each machine's proxy listens on.  [default: `server.host`]")
@click.option("--port", type=click.IntRange(1, 65535), help="Of the proxies.  [default: `server.port`, 8001]")
@click.option("-m", "--model", "--engine", "engine", help="The default engine.  [default: `engine`, espeak]")
@click.option("--replicas", type=click.IntRange(1), help="So many, always.  [default: 1]")
@click.option("--min-replicas", type=click.IntRange(1), help="So many at least, more under load.")
@click.option("--max-replicas", type=click.IntRange(1), help="So many at most.")
@click.option(
    "--gpus",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Of a machine, for each replica; 0.5 lets two share one.",
)
@click.option(
    "--cpus",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Of a machine, for each replica; also the threads of an engine on the CPU.",
)
@click.option(
    "--places",
    type=click.IntRange(1),
    help="Requests of a replica at once; an open WebSocket is one.  [default: the engine's streams]",
)
@config_option
def up(config: Path | None, address: str, host: str | None, port: int | None, **given: Any) -> None:
    """Start replicas, or replace those that run.

    Each replica is a server's application with an engine of its own. On each machine that has one, Ray's
    proxy listens and shares requests out. More requests than places wait in line, `runtime.max_queue` for
    each proxy; further ones get 429 with Retry-After.
    """
    settings = load_settings(
        config, os.environ, {"server.host": host, "server.port": port, "engine": given["engine"]}
    )
    least, most = _replicas(given["replicas"], given["min_replicas"], given["max_replicas"])
    ray_cluster = _deploy_module()
    plan = ray_cluster.Plan(
        min_replicas=least,
        max_replicas=most,
        gpus=given["gpus"],
        cpus=given["cpus"],
        places=given["places"],
    )
    url = ray_cluster.deploy(address, settings, plan)
    n_places = ray_cluster.places(settings, plan)
    many = f"{least}" if least == most else f"{least} to {most}"
    say(f"tts-ops speaks on {url} (engine {settings.engine}; replicas: {many}, of {n_places} places each)")


def _replicas(exactly: int | None, least: int | None, most: int | None) -> tuple[int, int]:
    if exactly is not None and (least or most):
        raise InvalidValue("give either `--replicas`, or `--min-replicas` and `--max-replicas`")
    if exactly is not None:
        return exactly, exactly
    least = least or 1
    most = most or least
    if most < least:
        raise InvalidValue(f"`--max-replicas` is {most}, must be at least {least}")
    return least, most


@verb("status", examples=("ttsops cluster status", "ttsops cluster status --address 10.0.0.7:6379 --json"))
@_address_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(address: str, as_json: bool) -> None:
    """Show replicas and proxies; exit code 3 if it does not run."""
    found = _deploy_module().status(address)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{found.application}{f': {found.message}' if found.message else ''}")
        for state, n_replicas in found.replicas.items():
            click.echo(f"  replicas {state}: {n_replicas}")
        for node, proxy in found.proxies.items():
            click.echo(f"  proxy on {node}: {proxy}")
    if found.application != "RUNNING":
        raise EndWith(Exit.UNAVAILABLE)


@verb("down", examples=("ttsops cluster down",))
@_address_option
def down(address: str) -> None:
    """End the replicas; live streams end first, as long as `runtime.drain_seconds`.

    The Ray cluster and its proxies stay.
    """
    _deploy_module().down(address)
    say("No replica runs any more")


def _deploy_module() -> ModuleType:
    from ttsops.cluster.extra import require_ray

    require_ray()
    from ttsops.cluster import deploy

    return deploy


for _verb in (up, status, down):
    cluster.add_command(_verb)
