"""The formats that need a codec: mp3, opus, aac, flac, by FFmpeg's encoders through PyAV.

Settings are for speech on a server: least delay first, then little processor time, then bits. Numbers in the
comments are milliseconds of processor time per second of 24 kHz speech.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from ttsops.audio.encode import Encoder
from ttsops.audio.formats import BIT_RATES, Format
from ttsops.audio.framing import AdtsFraming, FlacFraming, Framing, Mp3Framing
from ttsops.audio.ogg import OpusPages
from ttsops.audio.pcm import clip, to_s16
from ttsops.audio.tags import Tags
from ttsops.errors import AudioError
from ttsops.speech import Samples

OPUS_PACKET_SECONDS: Final = 0.02
FLAC_BLOCK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class _CodecSpec:
    encoder: str
    sample_format: str
    options: Mapping[str, str] = field(default_factory=dict)


_SPECS: Final[Mapping[Format, _CodecSpec]] = {
    # Without the bit reservoir a frame never waits for later ones: first bytes after 48 ms instead of 72.
    # Level 7 takes 7 ms where the default 5 takes 13, and PESQ is no worse.
    Format.MP3: _CodecSpec("libmp3lame", "fltp", {"compression_level": "7", "reservoir": "0"}),
    # `lowdelay` is CELT alone: 5 ms where `voip` takes 10 to 15 at the same quality, for a third more bits.
    Format.OPUS: _CodecSpec("libopus", "flt", {"application": "lowdelay", "compression_level": "10"}),
    # The other coder, `twoloop`, takes 20 to 30 ms, and PESQ is worse.
    Format.AAC: _CodecSpec("aac", "fltp", {"aac_coder": "fast"}),
    Format.FLAC: _CodecSpec("flac", "s16", {"compression_level": "2"}),
}


class CodecEncoder(Encoder):
    """Samples are cut into the codec's frames here; what the codec gives is framed and leaves."""

    def __init__(
        self, fmt: Format, sample_rate: int, total_samples: int | None, bit_rate: int | None, tags: Tags
    ) -> None:
        super().__init__(fmt, sample_rate, total_samples)
        self._is_integer = _SPECS[fmt].sample_format == "s16"
        codec = _open_codec(fmt, sample_rate, bit_rate)
        self._codec: AudioCodecContext | None = codec
        self._framing = _create_framing(fmt, codec, total_samples, tags)
        self._frame, self._frame_samples = _create_frame(codec, codec.frame_size)
        self._n_filled = 0

    def close(self) -> None:
        """Give the codec back. May be called twice, and half-way."""
        super().close()
        self._codec = None

    def _header(self) -> bytes:
        return self._framing.header()

    def _encode(self, samples: Samples) -> bytes:
        data = to_s16(samples) if self._is_integer else clip(samples)
        size = len(self._frame_samples)
        packets: list[bytes] = []
        start = 0
        while start < len(data):
            n_taken = min(size - self._n_filled, len(data) - start)
            self._frame_samples[self._n_filled : self._n_filled + n_taken] = data[start : start + n_taken]
            self._n_filled += n_taken
            start += n_taken
            if self._n_filled == size:
                # One frame serves for all: the codec copies what it keeps (6 µs saved per frame).
                packets += self._send(self._frame)
                self._n_filled = 0
        return self._framing.wrap(packets) if packets else b""

    def _finish(self) -> bytes:
        packets: list[bytes] = []
        if self._n_filled:
            assert self._codec is not None
            frame, frame_samples = _create_frame(self._codec, self._n_filled)
            frame_samples[:] = self._frame_samples[: self._n_filled]
            packets += self._send(frame)
        packets += self._send(None)
        return self._framing.end(packets, self.n_samples)

    def _send(self, frame: av.AudioFrame | None) -> list[bytes]:
        assert self._codec is not None
        try:
            return [bytes(packet) for packet in _packets_of(self._codec, frame)]
        except av.FFmpegError as error:
            self.close()
            raise AudioError(f"the {self.format} encoder failed: {error.strerror}") from error


def _packets_of(codec: AudioCodecContext, frame: av.AudioFrame | None) -> Iterable[av.Packet[Any]]:
    """What the codec gives for a frame of exactly its size (only the last may be shorter), or at the end.

    `encode` would push frames that already fit through a filter graph of its own: as many threads per stream
    as the machine has processors. The step behind it does not, but is not public: do without if it is gone.
    """
    send: Any = getattr(codec, "_send_frame_and_recv", codec.encode)
    packets: Iterable[av.Packet[Any]] = send(frame)
    return packets


def _open_codec(fmt: Format, sample_rate: int, bit_rate: int | None) -> AudioCodecContext:
    spec = _SPECS[fmt]
    rates = av.Codec(spec.encoder, "w").audio_rates
    if rates and sample_rate not in rates:
        raise AudioError(
            f"{fmt} cannot have {sample_rate} Hz; it can have {', '.join(map(str, sorted(rates)))}"
        )
    codec = av.CodecContext.create(spec.encoder, "w")
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate = sample_rate
    codec.layout = "mono"
    codec.format = spec.sample_format
    codec.thread_count = 1
    codec.options = dict(spec.options)
    if fmt is Format.OPUS:
        codec.options |= {"frame_duration": f"{OPUS_PACKET_SECONDS * 1000:g}"}
    if fmt is Format.FLAC:
        codec.options |= {"frame_size": str(round(FLAC_BLOCK_SECONDS * sample_rate))}
    if fmt in BIT_RATES:
        codec.bit_rate = bit_rate or BIT_RATES[fmt].default
    try:
        codec.open()
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{fmt} cannot be encoded at {sample_rate} Hz: {error}") from error
    return codec


def _create_framing(fmt: Format, codec: AudioCodecContext, total_samples: int | None, tags: Tags) -> Framing:
    extradata = codec.extradata or b""
    if fmt is Format.OPUS:
        # Every stream of a chain needs a serial number of its own, and clients do join responses.
        return OpusPages(
            extradata,
            sample_rate=codec.sample_rate,
            packet_seconds=OPUS_PACKET_SECONDS,
            serial=secrets.randbits(32),
            tags=tags,
        )
    if fmt is Format.FLAC:
        return FlacFraming(extradata, tags, total_samples)
    if fmt is Format.AAC:
        return AdtsFraming(extradata)
    return Mp3Framing(tags)


def _create_frame(codec: AudioCodecContext, n_samples: int) -> tuple[av.AudioFrame, np.ndarray[Any, Any]]:
    """A frame, and its samples as a writable view."""
    frame = av.AudioFrame(format=codec.format.name, layout="mono", samples=n_samples)
    frame.sample_rate = codec.sample_rate
    dtype = np.int16 if codec.format.name == "s16" else np.float32
    return frame, np.frombuffer(memoryview(frame.planes[0]), dtype)
