"""A program of this machine that plays raw audio from its stdin."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from ttsops.speech import SAMPLE_RATE

_RATE = str(SAMPLE_RATE)
PLAYERS = (
    ("paplay", "--raw", "--format=s16le", "--channels=1", f"--rate={_RATE}"),
    ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", _RATE),
    ("play", "-q", "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", _RATE, "-"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-f", "s16le", "-ar", _RATE, "-i", "-"),
)
"""PulseAudio or PipeWire, ALSA, SoX, FFmpeg: the first that is installed is used."""


@dataclass(frozen=True, slots=True)
class Player:
    """A running player."""

    name: str
    process: asyncio.subprocess.Process

    async def write(self, pcm: bytes) -> bool:
        """Hand on 16 bit PCM, waiting while the player has enough; False if it has ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(pcm)
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    async def finish(self) -> bool:
        """Wait until everything was heard; False if the player failed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.process.wait() == 0

    async def kill(self) -> None:
        """Silence, now; gives when it is gone."""
        if self.process.returncode is None:
            self.process.kill()
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()


def find_player(which: Callable[[str], str | None] = shutil.which) -> tuple[str, ...] | None:
    """The command line of the first player that is installed."""
    return next((command for command in PLAYERS if which(command[0])), None)


async def start_player(command: tuple[str, ...]) -> Player:
    """Start it. What it complains about is not shown: it is told in our words."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return Player(command[0], process)
