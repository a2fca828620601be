"""A picture of pixels as PNG, written with zlib alone (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
import zlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOURS = 3


def palette_png(pixels: Pixels, colours: Pixels) -> bytes:
    """Pixels [height, width] that are indices into colours [n, 3], n ≤ 256; the top row first."""
    height, width = pixels.shape
    if not height or not width or pixels.max() >= len(colours) or len(colours) > 256:
        raise ValueError("a picture has pixels, and each of them a colour of at most 256")
    head = struct.pack(">IIBBBBB", width, height, 8, _PALETTE_COLOURS, 0, 0, 0)
    rows = np.hstack([np.zeros((height, 1), np.uint8), pixels])  # each begins with its filter: none
    return (
        _SIGNATURE
        + _chunk(b"IHDR", head)
        + _chunk(b"PLTE", colours.tobytes())
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
