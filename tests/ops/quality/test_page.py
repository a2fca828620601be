"""The listening page: all in one file, blind, at one loudness; and the server that takes its ratings."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from ops.quality.conftest import sine
from ops.quality.test_pairs import write
from ops.quality.test_ratings import rating
from ttsops.audio import Format, create_encoder, decode_audio, write_atomically
from ttsops.errors import AudioError
from ttsops.ops.quality.loudness import loudness
from ttsops.ops.quality.page import TARGET_LUFS, listening_page
from ttsops.ops.quality.pairs import Clip, Pair, Session
from ttsops.ops.quality.ratings import read_ratings
from ttsops.ops.quality.serve import serve_page
from ttsops.speech import SAMPLE_RATE, Samples

pytestmark = pytest.mark.server


@pytest.fixture
def session(tmp_path: Path) -> Session:
    pairs = []
    for number, hertz in enumerate((300, 400), 1):
        clips = tuple(Clip(name, tmp_path / name / f"{hertz}.wav") for name in ("nfe-7", "nfe-32"))
        write(clips[0].path, hertz)
        write(clips[1].path, hertz * 2)
        pairs.append(Pair(f"p{number:02d}", f"t0{number}, seed 1", f"Text </script> & {number}.", clips))
    return Session("f5: <settings>", "random weights: noise", tuple(pairs))


def data_of(page: bytes) -> dict[str, Any]:
    found = re.search(rb'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def sound(page: bytes, number: int) -> Samples:
    samples, rate = decode_audio(base64.b64decode(data_of(page)["audio"][number]))
    assert rate == SAMPLE_RATE
    return samples


def test_everything_is_in_the_page_and_nothing_is_fetched(session: Session) -> None:
    page = listening_page(session)
    data = data_of(page)
    assert len(data["audio"]) == 4
    assert [pair["clips"] for pair in data["pairs"]] == [[0, 1], [2, 3]]
    assert data["pairs"][0]["text"] == "Text </script> & 1."
    assert data["note"] == session.note
    assert not re.search(rb"https?://", page)
    assert not re.search(rb'(src|href)="(?!data:)', page)
    assert b"connect-src 'none'" in page
    assert b"{{" not in page


def test_nothing_that_can_be_read_tells_which_is_which(session: Session) -> None:
    page = listening_page(session)
    assert b"nfe-7" not in page
    assert b"nfe-32" not in page
    assert json.loads(base64.b64decode(data_of(page)["key"])) == ["nfe-7", "nfe-32", "nfe-7", "nfe-32"]


def test_recordings_are_without_loss_but_for_their_level(session: Session) -> None:
    original, _ = decode_audio(session.pairs[0].clips[0].path)
    samples = sound(listening_page(session), 0)
    gain = np.abs(samples).max() / np.abs(original).max()
    assert np.abs(samples / gain - original).max() < 2 / 32768 / gain


def test_all_recordings_are_equally_loud_and_none_is_clipped(tmp_path: Path) -> None:
    burst = np.concatenate([sine(500, 0.02, 0.9), sine(500, 0.98, 0.01)])  # needs 25 dB of room
    sounds = {"soft": sine(500, 1, 0.01), "loud": sine(900, 1, 0.9), "spiky": burst}
    for name, samples in sounds.items():
        encoder = create_encoder(Format.WAV)
        write_atomically(tmp_path / f"{name}.wav", encoder.encode(samples) + encoder.finish())
    clips = [Clip(name, tmp_path / f"{name}.wav") for name in sounds]
    pairs = (Pair("p01", "", "", (clips[0], clips[1])), Pair("p02", "", "", (clips[0], clips[2])))
    page = listening_page(Session("levels", "", pairs))
    levels = [loudness(sound(page, number), SAMPLE_RATE) for number in range(3)]
    assert max(levels) - min(levels) < 0.2
    assert max(levels) <= TARGET_LUFS + 0.1
    assert max(float(np.abs(sound(page, number)).max()) for number in range(3)) < 1


def test_a_page_has_the_same_bytes_again_and_another_name_with_other_sounds(session: Session) -> None:
    page = listening_page(session)
    assert listening_page(session) == page
    write(session.pairs[0].clips[0].path, 777)
    assert data_of(listening_page(session))["id"] != data_of(page)["id"]


Served = Callable[[Callable[[httpx.AsyncClient], Awaitable[None]]], None]


@pytest.fixture
def served(session: Session, tmp_path: Path) -> Served:
    """Runs something against the page, served on loopback."""

    def run(work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def both() -> None:
            stop, ready = asyncio.Event(), asyncio.Future[str]()
            serving = asyncio.create_task(
                serve_page(session, tmp_path / "ratings.jsonl", port=0, on_ready=ready.set_result, stop=stop)
            )
            async with httpx.AsyncClient(base_url=await ready, trust_env=False) as client:
                await work(client)
            stop.set()
            await serving

        asyncio.run(both())

    return run


JSON = {"content-type": "application/json"}


def test_a_served_page_sends_its_ratings_and_they_are_kept(served: Served, tmp_path: Path) -> None:
    given = [rating(pair="p01"), rating(pair="p02", listener="Zoë")]

    async def work(client: httpx.AsyncClient) -> None:
        page = (await client.get("/")).content
        assert data_of(page)["post"] == "/ratings"
        assert b"connect-src 'self'" in page
        assert client.base_url.host == "127.0.0.1"
        for one in given:
            answer = await client.post("/ratings", content=msgspec.json.encode(one), headers=JSON)
            assert answer.status_code == 201

    served(work)
    assert read_ratings(tmp_path / "ratings.jsonl") == given


def test_what_is_no_rating_of_this_page_is_refused(served: Served, tmp_path: Path) -> None:
    good = msgspec.json.encode(rating(pair="p01"))

    async def work(client: httpx.AsyncClient) -> None:
        async def status(content: bytes, path: str = "/ratings", **headers: str) -> int:
            return (await client.post(path, content=content, headers={**JSON, **headers})).status_code

        assert await status(b"{}") == 400
        assert await status(msgspec.json.encode(rating(pair="p99"))) == 400
        assert await status(msgspec.json.encode(rating(a=("other", 3), pair="p01"))) == 400
        assert await status(good, **{"content-type": "text/plain"}) == 415
        assert await status(good + b" " * 20_000) == 413
        assert await status(good, host="evil.example:80") == 403
        assert await status(good, path="/") == 405
        assert (await client.get("/../../etc/passwd")).status_code == 404

    served(work)
    assert not (tmp_path / "ratings.jsonl").exists()


def test_a_port_that_is_taken_is_an_error(session: Session, served: Served, tmp_path: Path) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        assert client.base_url.port
        with pytest.raises(AudioError, match="cannot listen"):
            await serve_page(session, tmp_path / "r", port=client.base_url.port, on_ready=print)

    served(work)
