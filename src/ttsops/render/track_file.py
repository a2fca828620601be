"""The recording as it grows: a WAV file that can be played at any time, and cut back to what is certain.

Its header is brought up to date whenever what was written is on the disk. Whatever comes behind what it says
was written since, and is cut off when the job goes on.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ttsops.audio import float_to_s16, s16_to_float
from ttsops.errors import AudioError
from ttsops.speech import SAMPLE_RATE, Samples

HEADER_BYTES = 44
BYTES_PER_SAMPLE = 2
MAX_SAMPLES = (2**32 - 1 - HEADER_BYTES) // BYTES_PER_SAMPLE
"""A WAV file counts its bytes in 32 bits: 24 hours at 24 kHz."""

PIECE_SAMPLES = 10 * SAMPLE_RATE


class TrackFile:
    """16-bit mono at 24 kHz. Raises `AudioError` for what cannot be read or written."""

    def __init__(self, path: Path, n_samples: int = 0, tail: bytes = b"") -> None:
        """Goes on behind `n_samples`, the last of which are `tail` whatever the file holds there."""
        self.path = path
        self.n_samples = n_samples
        with _clear_errors(path):
            self._file = path.open("r+b" if path.exists() else "x+b")
            size = self._file.seek(0, os.SEEK_END)
            if size < self._at(n_samples) and n_samples:
                self._file.close()
                raise AudioError(f"`{path}` is shorter than the job says: it was changed since")
            self._file.truncate(self._at(n_samples))
            if tail:
                self._file.seek(self._at(n_samples) - len(tail))
                self._file.write(tail)
        self.sync()

    def append(self, samples: Samples) -> None:
        """Samples [N] behind what there is. Raises `AudioError` when the disk or the format is full."""
        if self.n_samples + len(samples) > MAX_SAMPLES:
            raise AudioError("a recording has at most 24 hours; render the script in parts")
        with _clear_errors(self.path):
            self._file.seek(self._at(self.n_samples))
            self._file.write(float_to_s16(samples))
        self.n_samples += len(samples)

    def last(self, n_samples: int) -> bytes:
        """The last samples, or as many as there are, as they are in the file."""
        n_samples = min(n_samples, self.n_samples)
        with _clear_errors(self.path):
            self._file.seek(self._at(self.n_samples - n_samples))
            return self._file.read(n_samples * BYTES_PER_SAMPLE)

    def replace_last(self, n_samples: int, samples: Samples) -> None:
        """`samples` in place of the last `n_samples`."""
        self.n_samples -= n_samples
        self.append(samples)

    def sync(self) -> None:
        """Everything is on the disk, and the header says so."""
        n_bytes = self.n_samples * BYTES_PER_SAMPLE
        header = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            HEADER_BYTES - 8 + n_bytes,
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            SAMPLE_RATE,
            SAMPLE_RATE * BYTES_PER_SAMPLE,
            BYTES_PER_SAMPLE,
            8 * BYTES_PER_SAMPLE,
            b"data",
            n_bytes,
        )
        with _clear_errors(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.seek(0)
            self._file.write(header)
            self._file.flush()
            os.fsync(self._file.fileno())

    def pieces(self) -> Iterator[Samples]:
        """All samples, some seconds at a time."""
        for start in range(0, self.n_samples, PIECE_SAMPLES):
            n = min(PIECE_SAMPLES, self.n_samples - start)
            with _clear_errors(self.path):
                self._file.seek(self._at(start))
                data = self._file.read(n * BYTES_PER_SAMPLE)
            yield s16_to_float(data)

    def peak(self) -> float:
        """The largest magnitude; 0 of an empty recording."""
        return max((float(np.abs(piece).max()) for piece in self.pieces()), default=0.0)

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()

    @staticmethod
    def _at(n_samples: int) -> int:
        return HEADER_BYTES + n_samples * BYTES_PER_SAMPLE


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot write `{path}`: {error.strerror or error}") from error
