"""Audio files of any common kind, read as float32 mono.

Files come from strangers: FFmpeg is shown only bytes, never a path or an address, and may only use the
formats listed here. Playlists, which could make it open other files or addresses, are not among them.
"""

from __future__ import annotations

import io
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from ttsops.errors import AudioError
from ttsops.speech import Samples

READABLE: Final = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,mov,matroska,amr"
"""FFmpeg's names of the containers that are read; `mov` is MP4 and M4A, `matroska` WebM."""


def decode_audio(source: Path | str | bytes) -> tuple[Samples, int]:
    """Samples [N] and their rate, of a file or of its bytes; channels are mixed into one.

    Raises `AudioError` if it cannot be opened, is no audio, is damaged, or has no samples.
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
            sample_rate = stream.sample_rate
            # Channels are mixed below: FFmpeg's own mix of stereo to float is 3 dB too loud.
            to_float = av.AudioResampler(format="fltp")
            frames = chain(container.decode(stream), [None])
            pieces = [part.to_ndarray() for frame in frames for part in to_float.resample(frame)]
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{name} cannot be read as audio: {_reason(error)}") from error
    if not pieces:
        raise AudioError(f"there are no samples in {name}")
    return np.concatenate([piece.mean(axis=0, dtype=np.float32) for piece in pieces]), sample_rate


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError(f"cannot read `{path}`: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
