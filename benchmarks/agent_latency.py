"""What the agent adds between a language model's first token and the first audio.

    python -m benchmarks.agent_latency            # about four minutes
    python -m benchmarks.agent_latency --write    # and keep the figures in benchmarks/results/

A paced test provider speaks OpenAI's protocol over a real socket, at 5, 20 and 100 tokens a second; a
listener of the WebSocket notes when the first frame of audio comes. The engine alone is given the same tokens
at the same times, without agent, model or sockets: the difference is what package, agent and server add.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import websockets

from benchmarks.fresh_process import keep_results
from benchmarks.listener import percentile
from benchmarks.server_overhead import running
from ttsops.runtime import Runtime, Stream
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import SpeechRequest
from ttsops.testing.fake_llm import FakeLlm, Reply
from ttsops.text import PhraseSplitter

RESULTS = Path(__file__).parent / "results" / "agent_latency.json"
GOAL_MS = 30.0
ANSWERS = (
    "That is a good question, and the answer is short. Water boils sooner on a mountain than at the sea.",
    "Yes. You can take the early train, and you will be there before lunch if nothing goes wrong.",
    "I would wait until the evening, because the wind is weaker then and the light is much better.",
    "The museum is open today, but only until five. The garden behind it never closes at all.",
)
TURNS = {5: 24, 20: 30, 100: 40}
"""Tokens per second → turns of each kind."""


@dataclass(frozen=True)
class Scene:
    """One engine, as it takes text, and where the agent is."""

    name: str
    engine: str
    takes_pieces: bool
    is_alone: bool = False
    """The agent is a process of its own before the speech server."""

    @property
    def settings(self) -> Settings:
        options = {} if self.engine == "espeak" else {"takes_text_in_pieces": self.takes_pieces}
        return Settings(engine=self.engine, engines={self.engine: EngineSettings(options=options)})

    @property
    def toml(self) -> str:
        options = (
            "" if self.takes_pieces else f"[engines.{self.engine}.options]\ntakes_text_in_pieces = false\n"
        )
        return f'engine = "{self.engine}"\n{options}'


SCENES = (
    Scene("espeak, text in pieces", "espeak", takes_pieces=True),
    Scene("tone, clause by clause", "tone", takes_pieces=False),
    Scene("espeak, behind ttsops agent", "espeak", takes_pieces=True, is_alone=True),
)


def tokens_of(text: str) -> list[str]:
    """About as models cut it: words with the space before them."""
    return re.findall(r"\s*\S+", text)


async def engine_alone(runtime: Runtime, scene: Scene, tokens: Sequence[str], pace_seconds: float) -> float:
    """Seconds from the first token to the first audio, without anything between."""
    began_at = time.perf_counter()
    stream: Stream | None = None
    splitter = PhraseSplitter()

    async def write() -> None:
        """Every token at its time; the stream is opened with the first text the engine takes."""
        nonlocal stream
        for number, token in enumerate(tokens):
            await asyncio.sleep(max(0.0, began_at + number * pace_seconds - time.perf_counter()))
            if stream is not None:
                if scene.takes_pieces:
                    stream.append(token)
            elif text := token if scene.takes_pieces else "".join(splitter.feed(token)):
                request = SpeechRequest(text=text, is_text_complete=not scene.takes_pieces)
                stream = await runtime.open(request)
                is_open.set()

    is_open = asyncio.Event()
    writing = asyncio.create_task(write())
    await is_open.wait()
    assert stream is not None
    async with stream:
        await anext(stream)
        heard_at = time.perf_counter()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    return heard_at - began_at


async def through_agent(url: str, llm: FakeLlm, tokens: Sequence[str], pace_seconds: float) -> float:
    """Seconds from the first token's leaving the model to the first frame of audio at the listener."""
    llm.replies = [Reply(tokens, token_seconds=pace_seconds)]
    async with websockets.connect(f"{url}/chat/stream", max_size=None, proxy=None) as socket:
        await socket.send(json.dumps({"type": "input.text", "text": "Well?"}))
        async for frame in socket:
            if isinstance(frame, bytes):
                heard_at = time.perf_counter()
                break
            assert json.loads(frame)["type"] != "error", frame
    return heard_at - llm.asked[-1].token_at[0]


@contextlib.asynccontextmanager
async def serving(scene: Scene, llm: FakeLlm, folder: str) -> AsyncIterator[str]:
    """The server, or server and agent; where the agent is reached."""
    settings = Path(folder) / "ttsops.toml"
    model = f'[llm]\nprovider = "local"\nmodel = "paced"\nbase_url = "{llm.url}/v1"\n'
    enabled = "" if scene.is_alone else "[agent]\nenabled = true\n"
    settings.write_text(scene.toml + model + enabled)
    command = [sys.executable, "-m", "ttsops"]
    with contextlib.ExitStack() as stack:

        def serve(port: int) -> list[str]:
            return [*command, "serve", "--config", str(settings), "--port", str(port)]

        port = stack.enter_context(running(serve)).port
        if scene.is_alone:
            speaks_through = ("--tts-url", f"http://127.0.0.1:{port}")

            def agent(port: int) -> list[str]:
                return [*command, "agent", "--config", str(settings), "--port", str(port), *speaks_through]

            port = stack.enter_context(running(agent)).port
        await asyncio.sleep(1.0)  # codecs are warmed up
        yield f"ws://127.0.0.1:{port}"


async def measure(scene: Scene, paces: Sequence[int]) -> dict[str, dict[str, float]]:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeLlm() as llm,
            serving(scene, llm, folder) as url,
            Runtime(scene.settings) as runtime,
        ):
            for answer in ANSWERS:  # the first of everything
                await through_agent(url, llm, tokens_of(answer), 0.001)
                await engine_alone(runtime, scene, tokens_of(answer), 0.001)
            for pace in paces:
                own, whole = [], []
                for number in range(TURNS[pace]):
                    tokens = tokens_of(ANSWERS[number % len(ANSWERS)])
                    own.append(await engine_alone(runtime, scene, tokens, 1 / pace))
                    whole.append(await through_agent(url, llm, tokens, 1 / pace))
                figures[f"{pace} tokens/s"] = summary(own, whole)
                shown = "  ".join(
                    f"{name} {value:.4g}" for name, value in figures[f"{pace} tokens/s"].items()
                )
                print(f"{scene.name}, {pace} tokens/s:  {shown}", flush=True)
    return figures


def summary(own: Sequence[float], whole: Sequence[float]) -> dict[str, float]:
    """Milliseconds; what is added is the difference of each pair of turns with the same answer."""
    added = [w - o for o, w in zip(own, whole, strict=True)]
    return {
        "turns": len(whole),
        "engine_alone_p50_ms": 1000 * percentile(own, 0.5),
        "first_token_to_audio_p50_ms": 1000 * percentile(whole, 0.5),
        "added_p50_ms": 1000 * percentile(added, 0.5),
        "added_p95_ms": 1000 * percentile(added, 0.95),
        "added_max_ms": 1000 * max(added),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--paces", type=int, nargs="*", default=list(TURNS), choices=list(TURNS))
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    args = parser.parse_args()
    figures: dict[str, object] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load_average_before": [round(one, 2) for one in os.getloadavg()],
        "goal": f"added at most {GOAL_MS:g} ms at p95",
    }
    worst = 0.0
    for scene in SCENES:
        found = figures[scene.name] = await measure(scene, args.paces)
        worst = max(worst, *(one["added_p95_ms"] for one in found.values()))
    figures["worst_added_p95_ms"] = worst
    print(f"worst added p95: {worst:.3g} ms; the goal is {GOAL_MS:g} ms")
    if args.write:
        keep_results(RESULTS, figures)
    if worst > GOAL_MS:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
