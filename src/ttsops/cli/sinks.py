"""Where speech goes: into a file, to stdout, or to a player."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Protocol

import click
import numpy as np

from ttsops.audio import (
    Format,
    check_audio,
    create_encoder,
    float_to_s16,
    save_speech,
    synthetic_speech,
)
from ttsops.cli.output import warn
from ttsops.cli.player import PLAYERS, Player, find_player, start_player
from ttsops.errors import AudioError
from ttsops.speech import SAMPLE_RATE, Samples


class Sink(Protocol):
    """Takes samples as they are made."""

    is_live: bool
    """Somebody listens meanwhile."""

    async def take(self, samples: Samples) -> None:
        """The next samples [N], N > 0."""
        ...

    async def finish(self) -> Path | None:
        """There are no more. The file that was written, if one was."""
        ...

    async def abandon(self) -> None:
        """Something went wrong: leave nothing half done."""
        ...


class FileSink:
    """Everything is kept until the end, because the peak of a file is set when all of it is known."""

    is_live = False

    def __init__(self, path: Path, fmt: Format, engine: str) -> None:
        """Raises `AudioError` for a folder that is not there: better before an hour of speech than after."""
        if not path.parent.is_dir():
            raise AudioError(f"cannot write `{path}`: there is no folder `{path.parent}`")
        self._path = path
        self._engine = engine
        self._format = fmt
        self._parts: list[Samples] = []

    async def take(self, samples: Samples) -> None:
        """Keep them."""
        self._parts.append(samples)

    async def finish(self) -> Path | None:
        """The file is whole, or not there. Raises `AudioError` if it cannot be written."""
        samples = np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32)
        self._parts.clear()
        write_file(self._path, samples, self._format, self._engine)
        return self._path

    async def abandon(self) -> None:
        """Nothing was written yet."""
        self._parts.clear()


class StdoutSink:
    """Encoded bytes leave as soon as there are any; the peak stays as the engine made it."""

    is_live = True

    def __init__(self, fmt: Format, engine: str) -> None:
        if sys.stdout.isatty():
            raise click.UsageError("audio is not written to a terminal; send it on: `… --stdout | aplay`")
        self._encoder = create_encoder(fmt, tags=synthetic_speech(engine))

    async def take(self, samples: Samples) -> None:
        """Encode and write; waits for whoever reads."""
        await asyncio.to_thread(_write_stdout, self._encoder.encode(samples))

    async def finish(self) -> Path | None:
        """The codec's last bytes."""
        await asyncio.to_thread(_write_stdout, self._encoder.finish())
        return None

    async def abandon(self) -> None:
        """What was written stays written."""
        self._encoder.close()


class PlayerSink:
    """Plays while it is made. If the player fails (no sound card), a file is written after all."""

    is_live = True

    def __init__(self, command: tuple[str, ...], spare: Path, engine: str) -> None:
        self._command = command
        self._spare = spare
        self._engine = engine
        self._player: Player | None = None
        self._is_playing = True
        self._parts: list[Samples] = []

    async def take(self, samples: Samples) -> None:
        """Hand them to the player, and keep them in case it fails."""
        self._parts.append(samples)
        if self._player is None:
            self._player = await start_player(self._command)
        if self._is_playing:
            self._is_playing = await self._player.write(float_to_s16(samples))

    async def finish(self) -> Path | None:
        """Everything was heard, or is in the spare file."""
        if self._player is None or await self._player.finish():
            return None
        warn(f"`{self._player.name}` could not play it")
        write_file(self._spare, np.concatenate(self._parts), Format.WAV, self._engine)
        return self._spare

    async def abandon(self) -> None:
        """Silence."""
        if self._player is not None:
            await self._player.kill()


def player_or_file(spare: Path, engine: str) -> Sink:
    """A player if one is installed, else the file `spare`, with a word about why."""
    command = find_player()
    if command:
        return PlayerSink(command, spare, engine)
    warn(f"no player was found (one of {', '.join(name for name, *_ in PLAYERS)}); writing a file")
    return FileSink(spare, Format.WAV, engine)


def write_file(path: Path, samples: Samples, fmt: Format, engine: str) -> None:
    """Samples [N] with their peak at -1 dBFS, tagged as synthetic.

    What a listener would complain about is told. Raises `AudioError` if there are no samples, or the file
    cannot be written.
    """
    report = check_audio(samples, SAMPLE_RATE)
    for problem in report.problems:
        warn(f"check what you hear: {problem}")
    save_speech(path, samples, fmt, engine)


def _write_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
