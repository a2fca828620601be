"""The six formats a response can have: their names, content types, suffixes and bit rates.

Names are those of OpenAI's `response_format`. Knows nothing of codecs: see `encode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ttsops.errors import UnsupportedFormat


class Format(StrEnum):
    """How audio leaves."""

    MP3 = "mp3"
    OPUS = "opus"
    """Opus in Ogg (RFC 7845)."""

    AAC = "aac"
    """AAC-LC in ADTS."""

    FLAC = "flac"
    WAV = "wav"
    """16 bit, little-endian."""

    PCM = "pcm"
    """As `wav`, without a header."""


# `audio/opus`: OpenAI's specification names no type per format; gateways that pass its answers on label them
# so, as do other speech services for the same bytes. RFC 7845 would say `audio/ogg`; decoders look inside.
CONTENT_TYPES: Final[Mapping[Format, str]] = MappingProxyType(
    {
        Format.MP3: "audio/mpeg",
        Format.OPUS: "audio/opus",
        Format.AAC: "audio/aac",
        Format.FLAC: "audio/flac",
        Format.WAV: "audio/wav",
        Format.PCM: "audio/pcm",
    }
)
"""Content-Type of a response."""

SUFFIXES: Final[Mapping[Format, str]] = MappingProxyType(
    {
        Format.MP3: ".mp3",
        Format.OPUS: ".opus",
        Format.AAC: ".aac",
        Format.FLAC: ".flac",
        Format.WAV: ".wav",
        Format.PCM: ".pcm",
    }
)
"""What a file of this format is called."""


@dataclass(frozen=True, slots=True)
class BitRate:
    """Bits per second of a lossy format, mono."""

    default: int
    minimum: int
    maximum: int


# With the settings in `codec`, wideband PESQ of ten seconds of espeak at these defaults: 4.5, 4.2, 4.4.
BIT_RATES: Final[Mapping[Format, BitRate]] = MappingProxyType(
    {
        Format.MP3: BitRate(96_000, 16_000, 160_000),
        Format.OPUS: BitRate(40_000, 8_000, 256_000),
        Format.AAC: BitRate(64_000, 16_000, 128_000),
    }
)
"""Formats whose bit rate can be chosen. The maxima are what 24 kHz mono can have."""


def parse_format(name: str) -> Format:
    """The format called `name`; raises `UnsupportedFormat` that lists what there is."""
    try:
        return Format(name)
    except ValueError:
        raise UnsupportedFormat(
            f"no audio format `{name}`; there are {', '.join(Format)}", param="response_format"
        ) from None


def format_of_suffix(suffix: str) -> Format:
    """The format of files that end in `suffix` (`.mp3`, `.ogg`); raises `UnsupportedFormat`."""
    lowered = suffix.lower()
    if lowered == ".ogg":
        return Format.OPUS
    for fmt, known in SUFFIXES.items():
        if lowered == known:
            return fmt
    raise UnsupportedFormat(f"no audio format for files that end in `{suffix}`")
