"""One listener of a bench, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np
import pytest

from ttsops.errors import Overloaded
from ttsops.ops.bench.listener import listen
from ttsops.ops.loadtest.listener import Listening
from ttsops.speech import AudioChunk, SpeechRequest

pytestmark = pytest.mark.unit

RATE = 1000
REQUEST = SpeechRequest("Hello.")

InVirtualTime = Callable[[Any], Listening]


class Played:
    """A stream whose chunks are ready at set times: (seconds, seconds of audio)."""

    def __init__(self, chunks: Sequence[tuple[float, float]]) -> None:
        self._chunks = chunks
        self.taken_at: list[float] = []
        self.is_closed = False

    async def __aenter__(self) -> "Played":
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.is_closed = True

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        clock = asyncio.get_running_loop().time
        for ready_at, seconds in self._chunks:
            await asyncio.sleep(max(0.0, ready_at - clock()))
            self.taken_at.append(clock())
            yield AudioChunk(np.full(round(seconds * RATE), 0.5, np.float32), RATE)


def hear(in_virtual_time: InVirtualTime, stream: Played, until: float = 100.0) -> Listening:
    async def open_stream(request: SpeechRequest) -> Any:
        return stream

    return in_virtual_time(listen(open_stream, REQUEST, until))


def test_a_listener_plays_in_real_time_and_takes_no_more_than_half_a_second_ahead(
    in_virtual_time: InVirtualTime,
) -> None:
    stream = Played([(0.2, 1.0)] * 5)
    heard = hear(in_virtual_time, stream)
    assert stream.taken_at == pytest.approx([0.2, 0.7, 1.7, 2.7, 3.7])
    assert (heard.ttfb_seconds, heard.underruns, heard.error) == (pytest.approx(0.2), 0, "")
    assert heard.ended_at == pytest.approx(5.2), "it stays until the last sample was played"
    assert stream.is_closed


def test_audio_that_comes_late_is_an_underrun(in_virtual_time: InVirtualTime) -> None:
    heard = hear(in_virtual_time, Played([(0.1, 0.5), (0.9, 0.5), (1.2, 0.5)]))
    assert heard.underruns == 1
    assert heard.underrun_seconds == pytest.approx(0.3)


def test_whoever_is_cut_off_while_waiting_has_met_an_underrun(in_virtual_time: InVirtualTime) -> None:
    stream = Played([(0.1, 0.5), (50.0, 0.5)])
    heard = hear(in_virtual_time, stream, until=2.0)
    assert (heard.underruns, heard.underrun_seconds) == (1, pytest.approx(1.4))
    assert heard.ended_at == pytest.approx(2.0)
    assert stream.is_closed


def test_whoever_is_cut_off_while_hearing_has_not(in_virtual_time: InVirtualTime) -> None:
    heard = hear(in_virtual_time, Played([(0.1, 0.5)] * 20), until=2.0)
    assert (heard.underruns, heard.error) == (0, "")


def test_hearing_nothing_at_all_is_an_error(in_virtual_time: InVirtualTime) -> None:
    heard = hear(in_virtual_time, Played([(50.0, 0.5)]), until=2.0)
    assert (heard.error, heard.ttfb_seconds, heard.underruns) == ("no_audio", None, 0)


def test_a_refusal_is_counted_by_its_code(in_virtual_time: InVirtualTime) -> None:
    async def refuse(request: SpeechRequest) -> Any:
        raise Overloaded("full", retry_after=1.0)

    assert in_virtual_time(listen(refuse, REQUEST, 2.0)).error == "overloaded"
