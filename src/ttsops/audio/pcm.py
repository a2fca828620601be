"""PCM arithmetic: float32 to 16 bit and back, samples to seconds and back. Nobody does it elsewhere.

Full scale is 32768: 16 bit samples survive the way to float32 and back bit by bit. The price is that 1.0
itself becomes 32767, as in every codec library.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ttsops.audio.checks import require_finite
from ttsops.errors import AudioError
from ttsops.speech import Samples

S16: Final = np.dtype("<i2")
"""16 bit, signed, little-endian."""

S16Samples: TypeAlias = npt.NDArray[np.int16]

BYTES_PER_SAMPLE: Final = 2
_SCALE: Final = np.float32(32768)


def to_s16(samples: Samples) -> S16Samples:
    """Rounded to the nearest 16 bit sample, clipped at full scale. [N] → [N]. Raises `BadAudio`."""
    require_finite(samples)
    scaled = samples * _SCALE
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    return scaled.astype(S16)


def float_to_s16(samples: Samples) -> bytes:
    """The same as bytes, little-endian."""
    return to_s16(samples).tobytes()


def s16_to_float(data: bytes | bytearray | memoryview) -> Samples:
    """Samples [N] in [-1, 1). Raises `AudioError` if a sample is cut in half."""
    if len(data) % BYTES_PER_SAMPLE:
        raise AudioError(f"{len(data)} bytes are not a whole number of 16 bit samples")
    return np.frombuffer(data, S16).astype(np.float32) / _SCALE


def clip(samples: Samples) -> Samples:
    """Samples [N] held within [-1, 1]. Raises `BadAudio`."""
    require_finite(samples)
    return np.clip(samples, np.float32(-1), np.float32(1))
