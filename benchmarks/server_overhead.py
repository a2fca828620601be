"""What the server costs between an engine and its listeners, against a bare route in the same run.

    python -m benchmarks.server_overhead            # all figures, about a minute and a half
    python -m benchmarks.server_overhead --write    # and keep them in benchmarks/results/

Three questions: how long until the first byte with an engine that costs nothing (`tone`), how long with the
embedded voice (`espeak`), and whether 200 listeners of a real-time engine ever run dry. `tone` makes a test
signal: what is measured is the server, not speech.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.listener import Listener, percentile

RESULTS = Path(__file__).parent / "results" / "server_overhead.json"
TEXT = "The quick brown fox jumps over the lazy dog and goes on to say a little more. "
PACED = """
engine = "tone"
[engines.tone.options]
chunk_seconds = 0.08
step_seconds = 0.01
utterance_seconds = 0.0001
"""
"""A step of 200 utterances takes 30 ms for 80 ms of audio each: an RTF of 0.375 for the whole batch."""

PACE = 0.375


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A server process and everything it started."""

    port: int
    process: psutil.Process

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def rss_mib(self) -> float:
        return sum(process.memory_info().rss for process in self.tree()) / 2**20

    def cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())


@contextmanager
def running(command: Callable[[int], list[str]]) -> Iterator[Server]:
    """Start it, wait until it accepts, stop it."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(port), stdout=log, stderr=log)
        try:
            wait_until_ready(port, process)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        if process.poll() is not None:
            raise SystemExit("error: the server did not start")
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as sock:
                sock.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
                if b" 200 " in sock.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("error: the server was not ready within 20 s")


def bare(port: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.bare_route", str(port)]


def ttsops(config: str, folder: str) -> Callable[[int], list[str]]:
    path = Path(folder) / f"{abs(hash(config))}.toml"
    path.write_text(config)
    return lambda port: [sys.executable, "-m", "ttsops", "serve", "--config", str(path), "--port", str(port)]


async def first_bytes(ports: dict[str, int], n_requests: int, text: str) -> dict[str, list[float]]:
    """Times to first byte, in turn A B A B, so that both see the same machine."""
    listeners = {name: Listener(port) for name, port in ports.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(n_requests + 20):
        for name, listener in listeners.items():
            heard = await listener.hear(
                {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
            )
            if heard.status != 200:
                raise SystemExit(f"error: {name} answered {heard.status}")
            if number >= 20:  # the first ones warm caches up
                seconds[name].append(heard.first_byte_seconds)
    for listener in listeners.values():
        listener.close()
    return seconds


async def many(server: Server, n_streams: int, seconds: float) -> dict[str, float]:
    """So many listeners at a time for so long; each begins again when its text is over."""
    text = TEXT * 4
    ends_at = time.perf_counter() + seconds
    answers = []
    first = server.rss_mib()
    peaks = [first]

    async def listen(number: int) -> None:
        listener = Listener(server.port)
        # Arrivals spread over two seconds: nobody's users come in the same millisecond.
        await asyncio.sleep(2.0 * number / n_streams)
        while time.perf_counter() < ends_at:
            order = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
            answers.append(await listener.hear(order | ({"pace": PACE} if server.port in BARE_PORTS else {})))
        listener.close()

    async def watch() -> None:
        while True:
            await asyncio.sleep(1.0)
            peaks.append(server.rss_mib())

    watching = asyncio.create_task(watch())
    cpu = server.cpu_seconds()
    began = time.perf_counter()
    await asyncio.gather(*map(listen, range(n_streams)))
    took = time.perf_counter() - began
    watching.cancel()
    ttfb = [heard.first_byte_seconds for heard in answers]
    return {
        "streams": n_streams,
        "answers": len(answers),
        "errors": sum(heard.status != 200 or not heard.is_complete for heard in answers),
        "audio_seconds": sum(heard.audio_seconds for heard in answers),
        "underruns": sum(heard.underruns for heard in answers),
        "underrun_seconds": sum(heard.underrun_seconds for heard in answers),
        "ttfb_p50_ms": 1000 * percentile(ttfb, 0.5),
        "ttfb_p99_ms": 1000 * percentile(ttfb, 0.99),
        "cpu_cores": (server.cpu_seconds() - cpu) / took,
        "rss_first_mib": first,
        "rss_half_mib": peaks[len(peaks) // 2],
        "rss_peak_mib": max(peaks),
    }


BARE_PORTS: set[int] = set()


def summary(seconds: list[float]) -> dict[str, float]:
    return {
        "n": len(seconds),
        "p50_ms": 1000 * percentile(seconds, 0.5),
        "p95_ms": 1000 * percentile(seconds, 0.95),
        "p99_ms": 1000 * percentile(seconds, 0.99),
    }


def show(name: str, figures: dict[str, float]) -> None:
    print(f"{name:18}", "  ".join(f"{key} {value:.4g}" for key, value in figures.items()), flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=500, help="requests per first-byte figure")
    parser.add_argument("--streams", type=int, default=200, help="listeners at a time")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they listen")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures: dict[str, object] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "note": "tone is a test signal: these are the server's costs, not an engine's",
    }
    with tempfile.TemporaryDirectory() as folder:
        with (
            running(bare) as floor,
            running(ttsops('engine = "tone"\n', folder)) as tone,
            running(ttsops('engine = "espeak"\n', folder)) as espeak,
        ):
            ports = {"bare": floor.port, "tone": tone.port, "espeak": espeak.port}
            for name, seconds in (await first_bytes(ports, args.requests, TEXT)).items():
                figures[f"first_byte_{name}"] = summary(seconds)
                show(name, summary(seconds))
        with running(bare) as floor:
            BARE_PORTS.add(floor.port)
            floor_figures = figures["many_bare"] = await many(floor, args.streams, args.seconds)
            show("bare, many", floor_figures)
        with running(ttsops(PACED, folder)) as tone:
            tone_figures = figures["many_tone"] = await many(tone, args.streams, args.seconds)
            show("tone, many", tone_figures)
    first = {name: figures[f"first_byte_{name}"]["p50_ms"] for name in ("bare", "tone", "espeak")}  # type: ignore[index]
    ratios = figures["ratios"] = {
        "first_byte_tone_to_bare": first["tone"] / first["bare"],
        "first_byte_espeak_to_bare": first["espeak"] / first["bare"],
        "cpu_tone_to_bare": tone_figures["cpu_cores"] / floor_figures["cpu_cores"],
    }
    show("ratios", ratios)
    if args.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"Wrote {RESULTS}", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
