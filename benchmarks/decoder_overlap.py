"""Would it pay to decode a frame on one core while the language model makes the next one on another?

    python -m benchmarks.decoder_overlap              # fp32 and 8-bit weights, random, of full size
    python -m benchmarks.decoder_overlap --dtypes int8 --frames 60

Both ways do the same work: the language model and diffusion head of a frame, and the decoder of a frame. One
after the other, each on every thread; or at the same time, on half the threads each. VibeVoice-Realtime does
the former. Products of few rows wait for memory, which the cores share.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from benchmarks.realtime_engine import open_one
from benchmarks.realtime_int8 import create
from ttsops.engines.vibevoice_realtime.generate import read
from ttsops.ops.machine import machine
from ttsops.ops.random_weights import NOTES


class Parts:
    """The two halves of a frame of one stream."""

    def __init__(self, dtype: str) -> None:
        engine = create(dtype)
        self.model: Any = engine._model
        self._slots = engine._slots
        self._utterance = open_one(engine, 0, 2000)
        self._at = torch.tensor([0])
        self._latent = torch.zeros(1, 1, self.model.config.latent_size)

    @torch.inference_mode()
    def think(self) -> None:
        """Language model and diffusion head."""
        self._utterance.prepare()
        track = self._utterance.track
        read(self.model, self._slots, [track])
        noise, steps = track.noise.draw(track.n_step_noise)
        conditions = self._slots.conditions[:, self._at]
        self.model.sampler(conditions, [track.sampling], noise[None], steps[:, None])
        track.windows.next_frame()
        track.has_latent = True

    @torch.inference_mode()
    def decode(self) -> None:
        """Acoustic decoder."""
        self.model.decoder(self._latent, self._slots.decoder, self._at)


def milliseconds(call: Callable[[], Any], n_frames: int) -> float:
    seconds = []
    for _ in range(n_frames):
        started_at = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started_at)
    return 1000 * statistics.median(seconds)


def measure(dtype: str, n_frames: int) -> None:
    parts = Parts(dtype)
    n_threads = torch.get_num_threads()

    def one_after_the_other() -> None:
        parts.think()
        parts.decode()

    half = max(1, n_threads // 2)
    with ThreadPoolExecutor(2, initializer=lambda: torch.set_num_threads(half)) as pool:

        def at_the_same_time() -> None:
            for done in [pool.submit(parts.think), pool.submit(parts.decode)]:
                done.result()

        tries = []
        for _ in range(3):  # in turns: a machine is never quite the same from minute to minute
            torch.set_num_threads(n_threads)
            after = milliseconds(one_after_the_other, n_frames)
            tries.append((after, milliseconds(at_the_same_time, n_frames)))
    torch.set_num_threads(n_threads)
    after, together = (statistics.median(column) for column in zip(*tries, strict=True))
    print(
        f"{dtype}: one after the other on {n_threads} threads {after:.1f} ms, at the same time on {half} "
        f"each {together:.1f} ms: {together / after:.2f} of the time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--dtypes", nargs="+", default=["fp32", "int8"])
    args = parser.parse_args()
    print(f"{machine()}, torch {torch.__version__}: {NOTES['full']}")
    for dtype in args.dtypes:
        measure(dtype, args.frames)


if __name__ == "__main__":
    main()
