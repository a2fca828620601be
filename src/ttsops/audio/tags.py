"""Tags inside audio: title, artist, comment, encoder; and the words that say that speech is synthetic.

Each container writes them its own way; all of them before the first sample, so that they can be streamed.
Raw PCM and ADTS have no place for them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Tags:
    """What an audio file says about itself. Empty ones are left out."""

    title: str = ""
    artist: str = ""
    comment: str = ""
    encoder: str = ""

    def items(self) -> list[tuple[str, str]]:
        """Name and text of those that are not empty."""
        pairs = [(field.name, getattr(self, field.name).replace("\0", "")) for field in fields(self)]
        return [(name, text) for name, text in pairs if text]


NO_TAGS: Final = Tags()


def synthetic_speech(engine: str) -> Tags:
    """Tags that tell a later finder of the file that no person said this."""
    return Tags(comment=f"Synthetic speech by tts-ops (engine {engine})", encoder="tts-ops")


_ID3_FRAMES: Final = {"title": b"TIT2", "artist": b"TPE1", "comment": b"COMM", "encoder": b"TSSE"}
_INFO_CHUNKS: Final = {"title": b"INAM", "artist": b"IART", "comment": b"ICMT", "encoder": b"ISFT"}


def _synchsafe(value: int) -> bytes:
    """28 bits in four bytes, seven in each, so that no tag looks like the start of an MPEG frame."""
    return bytes((value >> shift) & 0x7F for shift in (21, 14, 7, 0))


def id3(tags: Tags) -> bytes:
    """An ID3v2.4 tag (https://id3.org/id3v2.4.0-structure); nothing if there are no tags."""
    frames = b""
    for name, text in tags.items():
        # 3 = UTF-8. A comment has a language and an empty description before its text.
        body = b"\x03" + (b"und\0" if name == "comment" else b"") + text.encode()
        frames += _ID3_FRAMES[name] + _synchsafe(len(body)) + b"\0\0" + body
    return b"ID3\x04\0\0" + _synchsafe(len(frames)) + frames if frames else b""


def riff_info(tags: Tags) -> bytes:
    """A RIFF `LIST INFO` chunk; nothing if there are no tags."""
    chunks = b""
    for name, text in tags.items():
        body = text.encode() + b"\0"
        chunks += _INFO_CHUNKS[name] + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"LIST" + struct.pack("<I", len(chunks) + 4) + b"INFO" + chunks if chunks else b""


def vorbis_comment(tags: Tags) -> bytes:
    """A Vorbis comment block as FLAC and Opus carry it (https://xiph.org/vorbis/doc/v-comment.html)."""
    vendor = b"tts-ops"
    comments = [f"{name.upper()}={text}".encode() for name, text in tags.items()]
    block = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(comments))
    return block + b"".join(struct.pack("<I", len(comment)) + comment for comment in comments)
