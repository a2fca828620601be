"""Turns spoken by a speech server elsewhere, through the API that everybody has: docs/websocket.md.

The socket is opened beside the question to the language model, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
import msgspec

from ttsops.agent.speaking import Manner, Spoken
from ttsops.audio import s16_to_float
from ttsops.engines.contract import NO_SAMPLES
from ttsops.errors import Cancelled, EngineUnavailable, NoAudio, from_code
from ttsops.observe import tracing
from ttsops.speech import SAMPLE_RATE, Mark

KNOWN_SECONDS = 60.0
"""For so long it is believed what the server said of its engines and voices."""

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 5.0
"""For what is known at once: engines, voices, the handshake of a socket."""
READY_SECONDS = 2.0
HEARTBEAT_SECONDS = 10.0
"""A server that does not answer a ping within half of it is given up."""


@dataclass(frozen=True, slots=True)
class _Engine:
    """What has to be known of an engine before it is spoken through."""

    takes_text_in_pieces: bool
    languages: Mapping[str, str]
    """Voice, under all its names → BCP 47 tag."""
    default_voice: str


def shown(url: str) -> str:
    """An address as it may be told: without a name and a password in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class RemoteSpeech:
    """A speech server as a place to speak."""

    def __init__(self, url: str, key: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        """`url` is its base, such as `http://127.0.0.1:8001`; `key` its API key, empty for none."""
        self._url = url.rstrip("/")
        self._key = key
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None
        self._known: dict[str, tuple[float, _Engine]] = {}

    async def open(self, manner: Manner) -> RemoteSpeaking:
        """Raises `EngineUnavailable` where no server answers, `UnknownEngine` where it has none such."""
        engine = await self._engine(manner.engine)
        voice = (manner.voice or engine.default_voice).casefold()
        language = manner.language or engine.languages.get(voice, "")
        config = {
            "type": "session.config",
            "model": manner.engine or None,
            "voice": manner.voice or None,
            "language": manner.language or None,
            "speed": manner.speed,
            "response_format": "pcm",
            "stream_audio": True,
            "marks": True,
            "split_granularity": "none" if engine.takes_text_in_pieces else "clause",
            # The agent has done this already: it has to know what is said to know what was heard.
            "markdown": False,
            "emoji": False,
            "numbers": False,
        }
        return RemoteSpeaking(self._connect, config, language)

    async def is_ready(self) -> bool:
        """It would speak now."""
        try:
            limit = aiohttp.ClientTimeout(total=READY_SECONDS)
            async with self._session().get(f"{self._url}/health/ready", timeout=limit) as answer:
                return answer.status == 200 and "status" in await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError, TypeError):
            return False

    async def _engine(self, name: str) -> _Engine:
        known_at, engine = self._known.get(name, (0.0, None))
        if engine is None or self._clock() > known_at + KNOWN_SECONDS:
            quoted = quote(name, safe="")
            model = await self._get(f"/v1/models/{quoted or 'tts-1'}")
            voices = await self._get(f"/v1/audio/voices?model={quoted}" if name else "/v1/audio/voices")
            try:
                languages = {voice["id"].casefold(): voice["language"] for voice in voices["data"]}
                for alias, voice_id in voices["aliases"].items():
                    languages[alias.casefold()] = languages.get(voice_id.casefold(), "")
                engine = _Engine(model["takes_text_in_pieces"], languages, voices["default"])
            except (KeyError, TypeError, AttributeError) as error:
                raise self._other_service() from error
            self._known[name] = (self._clock(), engine)
        return engine

    async def _get(self, path: str) -> Any:
        try:
            async with self._session().get(
                self._url + path, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            ) as answer:
                content = await answer.json()
                if answer.status == 200:
                    return content
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise self._unreachable() from error
        if answer.status == 401:
            raise self._not_let_in()
        try:
            told = {name: content["error"].get(name) for name in ("code", "message", "hint", "param")}
        except (KeyError, TypeError, AttributeError) as error:
            raise self._other_service() from error
        raise from_code(**told)

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._session().ws_connect(
                    f"{self._url}/v1/audio/speech/stream",
                    max_msg_size=0,
                    compress=0,
                    heartbeat=HEARTBEAT_SECONDS,
                    headers=tracing.current().headers(),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise (self._not_let_in() if error.status in (401, 403) else self._unreachable()) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable() from error

    def _session(self) -> aiohttp.ClientSession:
        """Made inside the loop."""
        if self._http is None:
            headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
            limits = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)
            # What stands behind an address (a Service, a proxy) chooses by connection: one that is kept
            # would lead to the same server as before, even to one that is about to stop.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._http = aiohttp.ClientSession(headers=headers, timeout=limits, connector=connector)
        return self._http

    def _other_service(self) -> EngineUnavailable:
        return EngineUnavailable(
            f"what answers at {shown(self._url)} is no speech server of this kind",
            hint="name one that `ttsops serve` runs in `agent.tts_url`",
        )

    def _unreachable(self) -> EngineUnavailable:
        return EngineUnavailable(
            f"the speech server at {shown(self._url)} does not answer",
            hint="start it with `ttsops serve`, or name another in `agent.tts_url`",
            retry_after=1.0,
        )

    def _not_let_in(self) -> EngineUnavailable:
        return EngineUnavailable(
            f"the speech server at {shown(self._url)} asks for a key, and does not take this one",
            hint="set TTSOPS_API_KEY to one that `ttsops keys add` made there",
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.close()


class RemoteSpeaking:
    """One turn: one socket, one utterance on it."""

    def __init__(
        self,
        connect: Callable[[], Any],
        config: Mapping[str, Any],
        language: str,
    ) -> None:
        self.language = language
        self.engine = str(config["model"] or "")
        self.voice = str(config["voice"] or "")
        self._is_one_audio = config["split_granularity"] == "none"
        self._text = ""
        self._reason = ""
        self._to_send: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._to_send.put_nowait({name: value for name, value in config.items() if value is not None})
        self._connecting: asyncio.Task[aiohttp.ClientWebSocketResponse] = asyncio.create_task(connect())
        self._writing = asyncio.create_task(self._write())
        self._writing.add_done_callback(_seen)

    # ---- text in -----------------------------------------------------------------------

    def say(self, text: str) -> None:
        """More text."""
        self._text += text
        self._to_send.put_nowait({"type": "input.text", "text": text})

    def end(self) -> None:
        """No more text."""
        self._to_send.put_nowait({"type": "input.done"})

    def cancel(self, reason: str) -> None:
        """The server is told, and falls silent within one step."""
        if not self._reason:
            self._reason = reason
            said = "barge_in" if reason == "barge_in" else "client"
            self._to_send.put_nowait({"type": "input.cancel", "reason": said})

    async def _write(self) -> None:
        socket = await self._connecting
        while True:
            message = await self._to_send.get()
            await socket.send_str(msgspec.json.encode(message).decode())
            if message["type"] == "input.cancel":
                return

    # ---- audio out ---------------------------------------------------------------------

    async def heard(self) -> AsyncGenerator[Spoken, None]:
        """Frame by frame. Raises what the server says, and `EngineUnavailable` if it breaks off."""
        socket = await self._connecting
        audio = _Audio()
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                yield audio.hear(message.data)
                continue
            event = msgspec.json.decode(message.data)
            match event["type"]:
                case "audio.start":
                    self.engine, self.voice = event["engine"], event["voice"]
                    audio.start(event["sentence_text"])
                case "audio.marks":
                    audio.mark(event["marks"])
                case "audio.done":
                    yield audio.done(len(self._text) if self._is_one_audio else None)
                case "error":
                    self._raise(event)
                    return
                case "session.done":
                    return
        if not self._reason:
            raise EngineUnavailable("the speech server broke off", retry_after=1.0)

    def _raise(self, event: Mapping[str, Any]) -> None:
        error = from_code(
            event["code"],
            event["message"],
            hint=event.get("hint"),
            param=event.get("param"),
            retry_after=event.get("retry_after"),
        )
        if not isinstance(error, NoAudio) and not (self._reason and isinstance(error, Cancelled)):
            raise error

    async def aclose(self) -> None:
        """Close the socket: what still speaks there is cut off. A cancellation that waits is sent first."""
        if self._reason and self._connecting.done() and not self._writing.done():
            await asyncio.wait((self._writing,), timeout=1.0)
        self._writing.cancel()
        self._connecting.cancel()
        await asyncio.gather(self._writing, self._connecting, return_exceptions=True)
        if self._connecting.done() and not self._connecting.cancelled() and not self._connecting.exception():
            await self._connecting.result().close()


class _Audio:
    """The audios of one utterance as one."""

    def __init__(self) -> None:
        self._n_samples = 0
        self._n_chars = 0
        self._first_sample = 0
        self._text = ""
        self._marks: list[Mark] = []

    def start(self, text: str) -> None:
        self._first_sample, self._text = self._n_samples, text

    def mark(self, marks: list[dict[str, Any]]) -> None:
        """Of the frame that follows."""
        for one in marks:
            mark = Mark(**one)
            self._marks.append(
                replace(
                    mark,
                    start_seconds=mark.start_seconds + self._first_sample / SAMPLE_RATE,
                    text_start=mark.text_start + self._n_chars,
                )
            )

    def hear(self, data: bytes) -> Spoken:
        samples = s16_to_float(data)
        self._n_samples += len(samples)
        marks, self._marks = tuple(self._marks), []
        return Spoken(samples, marks)

    def done(self, n_chars: int | None) -> Spoken:
        """An audio is over; `n_chars` if that is known better than by its own text."""
        self._n_chars = self._n_chars + len(self._text) if n_chars is None else n_chars
        return Spoken(NO_SAMPLES, n_chars_done=self._n_chars)


def _seen(task: asyncio.Task[None]) -> None:
    """Why it failed is raised by `heard`."""
    if not task.cancelled():
        task.exception()
