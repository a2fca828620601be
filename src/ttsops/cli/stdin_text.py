"""Text that arrives on stdin while it is being spoken."""

from __future__ import annotations

import asyncio
import codecs
import sys
import threading
from collections.abc import AsyncIterator
from typing import IO

READ_BYTES = 4096


async def arriving_text(stream: IO[bytes] | None = None) -> AsyncIterator[str]:
    """UTF-8 text in the pieces in which it comes; bytes that are none become U+FFFD."""
    source = stream or sys.stdin.buffer
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[str | None] = asyncio.Queue()
    # A thread of its own, not the executor's: nothing can wake it from its read, and it must not keep a
    # process alive that has failed or was interrupted meanwhile.
    threading.Thread(target=_read, args=(source, loop, pieces), daemon=True).start()
    while (piece := await pieces.get()) is not None:
        yield piece


def _read(source: IO[bytes], loop: asyncio.AbstractEventLoop, pieces: asyncio.Queue[str | None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    read = getattr(source, "read1", source.read)  # what is there, not a full block
    try:
        while data := read(READ_BYTES):
            if text := decoder.decode(data):
                loop.call_soon_threadsafe(pieces.put_nowait, text)
        loop.call_soon_threadsafe(pieces.put_nowait, decoder.decode(b"", final=True))
        loop.call_soon_threadsafe(pieces.put_nowait, None)
    except RuntimeError:  # the loop is gone, and with it whoever wanted the text
        return
