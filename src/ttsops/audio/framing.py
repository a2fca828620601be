"""What stands around a codec's packets so that a player knows them: ID3, ADTS, FLAC's blocks.

Ogg has a file of its own. Nothing here looks back or ahead: a header that can be written before the first
packet, packets that leave as they come, and an end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ttsops.audio.tags import Tags, id3, vorbis_comment


class Framing(Protocol):
    """The container of one stream."""

    def header(self) -> bytes:
        """What comes before the first packet."""
        ...

    def wrap(self, packets: Sequence[bytes]) -> bytes:
        """Packets, ready to leave."""
        ...

    def end(self, packets: Sequence[bytes], n_samples: int) -> bytes:
        """The last packets; `n_samples` went in, all calls together."""
        ...


class Mp3Framing:
    """MPEG frames are their own framing; tags go before them."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags

    def header(self) -> bytes:
        """An ID3 tag, if there are tags."""
        return id3(self._tags)

    def wrap(self, packets: Sequence[bytes]) -> bytes:
        """The frames one after the other."""
        return b"".join(packets)

    def end(self, packets: Sequence[bytes], n_samples: int) -> bytes:
        """The same: MP3 has no end."""
        return self.wrap(packets)


class AdtsFraming:
    """Seven bytes before each AAC frame (ISO/IEC 13818-7, 6.2)."""

    def __init__(self, config: bytes) -> None:
        # AudioSpecificConfig: 5 bits object type, 4 bits index of the sample rate, 4 bits channels.
        bits = int.from_bytes(config[:2], "big")
        profile, rate_index, n_channels = (bits >> 11) - 1, bits >> 7 & 15, bits >> 3 & 15
        # 12 bits sync, MPEG-4, no CRC, then what is above; a buffer of "variable bit rate" (11 ones).
        self._fixed = 0xFFF1 << 40 | profile << 38 | rate_index << 34 | n_channels << 30 | 0x7FF << 2

    def header(self) -> bytes:
        """Nothing: ADTS starts anywhere."""
        return b""

    def wrap(self, packets: Sequence[bytes]) -> bytes:
        """Each frame with its header."""
        return b"".join(
            (self._fixed | (len(packet) + 7) << 13).to_bytes(7, "big") + packet for packet in packets
        )

    def end(self, packets: Sequence[bytes], n_samples: int) -> bytes:
        """The same: ADTS has no end."""
        return self.wrap(packets)


class FlacFraming:
    """FLAC's magic word and two metadata blocks, then its frames (RFC 9639)."""

    def __init__(self, stream_info: bytes, tags: Tags, total_samples: int | None) -> None:
        # The last 36 bits before the 16 bytes of checksum are the length; 0 means unknown.
        info = int.from_bytes(stream_info[:18], "big") | (total_samples or 0)
        self._stream_info = info.to_bytes(18, "big") + stream_info[18:]
        self._tags = tags

    def header(self) -> bytes:
        """STREAMINFO and VORBIS_COMMENT."""
        comment = vorbis_comment(self._tags)
        return (
            b"fLaC\x00"
            + len(self._stream_info).to_bytes(3, "big")
            + self._stream_info
            + b"\x84"
            + len(comment).to_bytes(3, "big")
            + comment
        )

    def wrap(self, packets: Sequence[bytes]) -> bytes:
        """The frames one after the other."""
        return b"".join(packets)

    def end(self, packets: Sequence[bytes], n_samples: int) -> bytes:
        """The same: a streamed FLAC has no end."""
        return self.wrap(packets)
