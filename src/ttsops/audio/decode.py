"""Audio files of any common kind, read as float32 mono.

Files come from strangers: FFmpeg is shown only bytes, never a path or an address, and may only use the
formats listed here. Playlists, which could make it open other files or addresses, are not among them.
"""

from __future__ import annotations

import io
import math
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from ttsops.errors import AudioError
from ttsops.speech import Samples

READABLE: Final = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,mov,matroska,amr"
"""FFmpeg's names of the containers that are read; `mov` is MP4 and M4A, `matroska` WebM."""


def decode_audio(source: Path | str | bytes, *, max_seconds: float = math.inf) -> tuple[Samples, int]:
    """Samples [N] and their rate, of a file or of its bytes; channels are mixed into one.

    Raises `AudioError` if it cannot be opened, is no audio, is damaged, has no samples, or lasts longer than
    `max_seconds`: a megabyte of FLAC can hold hours.
    """
    import av  # takes 100 ms; most of those who import this room never decode

    name = "these bytes" if isinstance(source, bytes) else f"`{source}`"
    data = source if isinstance(source, bytes) else _read(Path(source))
    try:
        with av.open(
            io.BytesIO(data),
            "r",
            options={"format_whitelist": READABLE},
            metadata_errors="replace",  # a title in Latin-1 is no reason to refuse the sound
        ) as container:
            if not container.streams.audio:
                raise AudioError(f"there is no audio in {name}")
            stream = container.streams.audio[0]
            if stream.codec_context is None or not stream.sample_rate:
                raise AudioError(f"{name} is in a format that cannot be read, or damaged")
            sample_rate = stream.sample_rate
            # Channels are mixed below: FFmpeg's own mix of stereo to float is 3 dB too loud.
            # Interleaved: PyAV reads beyond its memory for more than eight channels in planes of their own.
            to_float = av.AudioResampler(format="flt")
            frames = chain(container.decode(stream), [None])
            parts = (part for frame in frames for part in to_float.resample(frame))
            pieces, n_samples = [], 0
            for part in parts:
                interleaved = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                pieces.append(interleaved.mean(axis=1, dtype=np.float32))
                n_samples += len(interleaved)
                if n_samples > max_seconds * sample_rate:
                    raise AudioError(f"{name} lasts longer than {max_seconds:g} s")
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{name} cannot be read as audio: {_reason(error)}") from error
    if not pieces:
        raise AudioError(f"there are no samples in {name}")
    return np.concatenate(pieces), sample_rate


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError(f"cannot read `{path}`: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
