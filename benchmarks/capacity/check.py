"""Does the simulation say what real servers do? The same traffic to both, side by side.

The servers are `ttsops serve` with the engine `tone`, a test signal whose steps take a set time, so that all
else is real: HTTP, admission, the scheduler, the worker's process, the clients.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.capacity.arrivals import Arrivals, Bursts, OfTexts, Poisson
from benchmarks.capacity.figures import Figures, of_real, of_simulated
from benchmarks.capacity.replay import replay
from benchmarks.capacity.simulate import Server, simulate
from benchmarks.capacity.steps import linear
from ttsops.ops.accept.serving import served
from ttsops.settings import EngineSettings, LogSettings, RuntimeSettings, ServerSettings, Settings

CHUNK_SECONDS = 0.4
"""Long steps: what a busy machine is late by is little of them."""

SECONDS_PER_CHAR = 0.03

TOLERATED = {"refused_share": 0.06, "first_audio_p50": 0.2, "first_audio_p95": 0.3, "underrun_share": 0.12}
"""Between simulated and real, of shares and seconds. A share of a hundred requests moves by 0.01 with each of
them, and a step that is late moves a few; waits are made of steps of 0.1 to 0.6 s: one is forgiven."""


@dataclass(frozen=True)
class Scene:
    """Traffic, and servers that are too few for it in one way."""

    arrivals: Arrivals
    n_servers: int
    max_streams: int
    max_queue: int
    max_queue_seconds: float
    step_seconds: float
    utterance_seconds: float

    @property
    def server(self) -> Server:
        """As it is simulated."""
        steps = linear(
            step_seconds=self.step_seconds,
            utterance_seconds=self.utterance_seconds,
            chunk_seconds=CHUNK_SECONDS,
        )
        return Server(
            steps,
            max_streams=self.max_streams,
            max_queue=self.max_queue,
            max_queue_seconds=self.max_queue_seconds,
        )

    @property
    def settings(self) -> Settings:
        """As it is run."""
        options = {
            "step_seconds": self.step_seconds,
            "utterance_seconds": self.utterance_seconds,
            "chunk_seconds": CHUNK_SECONDS,
            "seconds_per_char": SECONDS_PER_CHAR,
        }
        return Settings(
            engine="tone",
            engines={"tone": EngineSettings(max_streams=self.max_streams, options=options)},
            runtime=RuntimeSettings(max_queue=self.max_queue, max_queue_seconds=self.max_queue_seconds),
            server=ServerSettings(port=0),
            log=LogSettings(level="warning", format="json"),
        )


SCENES: Mapping[str, Scene] = {
    "one server, a short line": Scene(Poisson(2.5), 1, 4, 4, 1.5, 0.10, 0.025),
    "two servers, bursts": Scene(Bursts(2.0, 9.0, 6.0, 4.0), 2, 4, 3, 1.0, 0.10, 0.025),
    "more places than it keeps up with": Scene(Poisson(2.0), 1, 8, 8, 5.0, 0.05, 0.075),
}


def compare(scene: Scene, *, duration_seconds: float, seed: int) -> dict[str, Any]:
    """Figures of both, and how far apart they are."""
    rng = np.random.default_rng(seed)
    lengths = OfTexts(SECONDS_PER_CHAR)
    times = scene.arrivals.times(duration_seconds, rng)
    texts = [lengths.texts[one] for one in rng.integers(len(lengths.texts), size=len(times))]
    speech = np.array([len(text) * SECONDS_PER_CHAR for text in texts])
    simulated = of_simulated(simulate(times, speech, [scene.server] * scene.n_servers))
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(served(scene.settings)) for _ in range(scene.n_servers)]
        listenings = replay(times, texts, urls)
    real = of_real(listenings)
    made = sum(one.audio_seconds for one in listenings)
    wanted = sum(seconds for one, seconds in zip(listenings, speech, strict=True) if not one.error)
    return {
        "requests": len(times),
        "simulated": asdict(simulated),
        "real": asdict(real),
        "apart": apart(simulated, real),
        "real_audio_seconds": made,
        "wanted_audio_seconds": float(wanted),
        "latest_send_seconds": max(one.sent_at - one.due_at for one in listenings),
    }


def apart(simulated: Figures, real: Figures) -> dict[str, float]:
    """Real minus simulated."""
    return {name: getattr(real, name) - getattr(simulated, name) for name in TOLERATED}
