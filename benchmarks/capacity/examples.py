"""The traffic of docs/operate/capacity.md: kinds of arrivals, each on a device, with what is promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.capacity.arrivals import Arrivals, Bursts, Day, OfTexts, Poisson
from benchmarks.capacity.devices import Device, devices
from benchmarks.capacity.simulate import Server
from benchmarks.capacity.size import Targets, Traffic, size

DURATION_SECONDS = 300.0
N_RUNS = 20

KINDS: dict[str, Callable[[float], Arrivals]] = {
    "poisson": Poisson,
    "day": lambda rate: Day(rate, peak=1.8, period_seconds=DURATION_SECONDS),
    "bursts": lambda rate: Bursts(rate / 2, 3 * rate, quiet_seconds=40.0, busy_seconds=10.0),
}
"""Mean rate → who comes. The day is a short one: its peak is still far longer than an utterance."""


@dataclass(frozen=True)
class Example:
    """A question, by the names of the command line."""

    device: str
    kind: str
    rate: float
    """Requests per second, on average."""

    first_audio_p95: float


EXAMPLES = (
    *(Example("cpu2-realtime-int8", kind, 1.0, 1.0) for kind in KINDS),
    *(Example("h100-vibevoice", kind, 20.0, 0.5) for kind in KINDS),
    *(Example("h100-realtime", kind, 60.0, 0.3) for kind in KINDS),
)


def server_of(device: Device) -> Server:
    """With as many places as listeners were measured, and steps no larger than those measured.

    Raises `ValueError` for a device that is not simulated.
    """
    if device.steps is None or not device.live_listeners:
        raise ValueError(f"`{device.name}` has no live listeners that could be simulated")
    return Server(device.steps, max_streams=device.live_listeners, max_batch=max(device.steps.seconds_of))


def answer(example: Example, *, n_runs: int = N_RUNS) -> dict[str, Any]:
    """How many servers it takes."""
    traffic = Traffic(KINDS[example.kind](example.rate), OfTexts(), DURATION_SECONDS)
    found = size(
        traffic, server_of(devices()[example.device]), Targets(example.first_audio_p95), n_runs=n_runs
    )
    return asdict(example) | {
        "mean_listeners": traffic.mean_listeners,
        "n_servers": found.n_servers,
        "listeners_per_server": found.listeners_per_server,
        "n_runs": found.n_runs,
        "keeps_probability": found.keeps_probability,
        "worst": asdict(found.worst),
        "too_few": None if found.too_few is None else asdict(found.too_few),
    }


def answers() -> Iterator[dict[str, Any]]:
    """To all examples."""
    yield from map(answer, EXAMPLES)
