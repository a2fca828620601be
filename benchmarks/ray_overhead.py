"""What Ray Serve costs: the same application behind its proxy and on a socket of its own.

    python -m benchmarks.ray_overhead            # about three minutes; needs the extra `ray`
    python -m benchmarks.ray_overhead --write    # and keep the figures in benchmarks/results/

Both run at once and are asked in turn, with `tone`, which costs nothing: what is measured is the way to it.
One replica on one node, all on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.ray_nodes import RayNodes
from benchmarks.server_overhead import (
    PACED,
    TEXT,
    Server,
    first_bytes,
    free_port,
    many,
    running,
    show,
    summary,
    ttsops,
)

RESULTS = Path(__file__).parent / "results" / "ray_overhead.json"
IDLE_SECONDS = 10.0


@contextmanager
def on_ray(config: str, folder: str) -> Iterator[Server]:
    """One replica on a node of its own."""
    path = Path(folder) / "ray.toml"
    path.write_text(config)
    port = free_port()
    with RayNodes(worker_port=0) as nodes:
        up = ("cluster", "up", "--address", nodes.address, "--config", str(path), "--port", str(port))
        subprocess.run([sys.executable, "-m", "ttsops", *up], check=True)
        yield Server(port, psutil.Process(nodes.pid))


async def idle_cores(server: Server) -> float:
    """Of the processor, while nobody asks."""
    before = server.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    return (server.cpu_seconds() - before) / IDLE_SECONDS


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=50, help="requests per first-byte figure")
    parser.add_argument("--streams", type=int, default=16, help="listeners at a time")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they listen")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures: dict[str, object] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "note": "one machine, one replica; tone is a test signal: these are the costs of the way to it",
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ttsops(PACED, folder)) as plain,
        on_ray(PACED, folder) as ray,
    ):
        servers = {"plain": plain, "ray": ray}
        memory = {name: server.rss_mib() for name, server in servers.items()}
        idle = {name: await idle_cores(server) for name, server in servers.items()}
        ports = {name: server.port for name, server in servers.items()}
        first = {
            name: summary(seconds)
            for name, seconds in (await first_bytes(ports, args.requests, TEXT)).items()
        }
        crowd = {name: await many(server, args.streams, args.seconds) for name, server in servers.items()}
    for name in servers:
        show(f"{name}, first byte", first[name])
        show(f"{name}, many", crowd[name])
        show(f"{name}, idle", {"rss_mib": memory[name], "cores": idle[name]})
    ratios = {
        "first_byte": first["ray"]["p50_ms"] / first["plain"]["p50_ms"],
        "first_byte_of_many": crowd["ray"]["ttfb_p50_ms"] / crowd["plain"]["ttfb_p50_ms"],
        "cpu_of_many": crowd["ray"]["cpu_cores"] / crowd["plain"]["cpu_cores"],
        "memory": memory["ray"] / memory["plain"],
    }
    show("ray to plain", ratios)
    figures |= {"first_byte": first, "many": crowd, "rss_mib": memory, "idle_cores": idle, "ratios": ratios}
    if args.write:
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"Wrote {RESULTS}", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
