"""Ogg pages (RFC 3533) and Opus in them (RFC 7845).

Written here because libavformat's Ogg muxer keeps each page back until the next one is full, and PyAV cannot
ask it not to: 20 ms late for ever. Here every call's packets leave at once, in one page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

from ttsops.audio.tags import Tags, vorbis_comment

OPUS_RATE: Final = 48_000
"""Hertz of Opus's clock, whatever the rate of what was encoded."""

_FIRST_PAGE: Final = 2
_LAST_PAGE: Final = 4
_MAX_SEGMENTS: Final = 255
_MAX_PACKETS: Final = 50
"""A second of 20 ms packets: players seek page by page."""

_REVERSED_BITS: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _checksum(page: bytes) -> bytes:
    """Ogg's CRC 32. It is zlib's with the bits of every byte reversed, and no inversion before and after."""
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return reflected.to_bytes(4, "big").translate(_REVERSED_BITS)


def _lacing(packet: bytes) -> bytes:
    """The packet's length, as segments of up to 255 bytes, the last one shorter than that."""
    return b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])


class OpusPages:
    """The pages of one Opus stream, in order."""

    def __init__(
        self, head: bytes, *, sample_rate: int, packet_seconds: float, serial: int, tags: Tags
    ) -> None:
        self._head = head
        self._tags = tags
        self._sample_rate = sample_rate
        self._serial = serial
        self._sequence = 0
        self._packet_ticks = round(packet_seconds * OPUS_RATE)
        self._ticks = 0
        """Of Opus's clock, up to the end of the last packet that left."""
        (self._pre_skip,) = struct.unpack_from("<H", head, 10)

    def header(self) -> bytes:
        """Two pages: the identification and the tags."""
        comment = b"OpusTags" + vorbis_comment(self._tags)
        return self._page([self._head], _FIRST_PAGE, 0) + self._page([comment], 0, 0)

    def wrap(self, packets: Sequence[bytes]) -> bytes:
        """Pages that end with the last of these packets."""
        return b"".join(self._audio_page(group, 0) for group in _split(packets))

    def end(self, packets: Sequence[bytes], n_samples: int) -> bytes:
        """The last pages. Their position says where the last sample is: decoders cut what was padded."""
        *groups, last = _split(packets) or [[]]
        pages = b"".join(self._audio_page(group, 0) for group in groups)
        position = self._pre_skip + n_samples * OPUS_RATE // self._sample_rate
        return pages + self._page(last, _LAST_PAGE, position)

    def _audio_page(self, packets: Sequence[bytes], flags: int) -> bytes:
        self._ticks += len(packets) * self._packet_ticks
        return self._page(packets, flags, self._ticks)

    def _page(self, packets: Sequence[bytes], flags: int, position: int) -> bytes:
        lacing = b"".join(map(_lacing, packets))
        head = struct.pack("<4sBBqII", b"OggS", 0, flags, position, self._serial, self._sequence)
        tail = bytes([len(lacing)]) + lacing + b"".join(packets)
        self._sequence += 1
        return head + _checksum(head + b"\0\0\0\0" + tail) + tail


def _split(packets: Sequence[bytes]) -> list[list[bytes]]:
    """Groups that each fit into a page."""
    groups: list[list[bytes]] = []
    n_segments = 0
    for packet in packets:
        needed = len(packet) // 255 + 1
        if not groups or n_segments + needed > _MAX_SEGMENTS or len(groups[-1]) == _MAX_PACKETS:
            groups.append([])
            n_segments = 0
        groups[-1].append(packet)
        n_segments += needed
    return groups
