import struct

import numpy as np
import pytest
from hearing import encode_whole, hear, speechlike
from hypothesis import given
from hypothesis import strategies as st

from ttsops.audio import Format, Tags, create_encoder, float_to_s16
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit

SPEECH = speechlike(1000)


def test_streamed_wav_says_that_its_length_is_not_known() -> None:
    data = encode_whole(create_encoder(Format.WAV), SPEECH)
    assert data[:4] == b"RIFF"
    assert struct.unpack_from("<I", data, 4) == (0xFFFFFFFF,)
    assert data[36:40] == b"data"
    assert struct.unpack_from("<I", data, 40) == (0xFFFFFFFF,)
    assert data[44:] == float_to_s16(SPEECH), "44 bytes, then samples"


@given(st.integers(1, 1000))
def test_wav_of_known_length_carries_its_true_length(n_samples: int) -> None:
    data = encode_whole(create_encoder(Format.WAV, total_samples=n_samples), SPEECH[:n_samples])
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    assert struct.unpack_from("<I", data, 40) == (n_samples * 2,)
    assert len(data) == 44 + n_samples * 2


def test_header_says_16_bit_mono_at_the_rate() -> None:
    data = create_encoder(Format.WAV, 22_050).encode(SPEECH)
    assert struct.unpack_from("<IHHIIHH", data, 16) == (16, 1, 1, 22_050, 44_100, 2, 16)


@pytest.mark.parametrize("comment", ["odd", "even", "ünïcödé"])
def test_tagged_wav_of_known_length_still_adds_up(comment: str) -> None:
    encoder = create_encoder(Format.WAV, total_samples=len(SPEECH), tags=Tags(comment=comment))
    data = encode_whole(encoder, SPEECH)
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    assert data.endswith(float_to_s16(SPEECH))
    assert hear(data, Format.WAV).tags["comment"] == comment


@pytest.mark.parametrize("fmt", Format)
def test_announced_length_is_kept(fmt: Format) -> None:
    with pytest.raises(AudioError, match="more than the 999"):
        create_encoder(fmt, total_samples=999).encode(SPEECH)
    encoder = create_encoder(fmt, total_samples=1001)
    encoder.encode(SPEECH)
    with pytest.raises(AudioError, match="1000 samples came, 1001"):
        encoder.finish()


def test_flac_of_known_length_says_so() -> None:
    import io

    import av

    data = encode_whole(create_encoder(Format.FLAC, total_samples=len(SPEECH)), SPEECH)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        assert stream.duration * stream.time_base * 24_000 == len(SPEECH)
    assert hear(data, Format.FLAC).n_samples == len(SPEECH)


def test_more_than_a_wav_can_hold_is_refused_before_it_starts() -> None:
    with pytest.raises(AudioError, match="4 GiB"):
        create_encoder(Format.WAV, total_samples=2**31)


def test_wav_and_pcm_start_without_the_codec_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, numpy\n"
        "from ttsops.audio import Format, create_encoder\n"
        "for fmt in (Format.WAV, Format.PCM):\n"
        "    create_encoder(fmt).encode(numpy.zeros(10, numpy.float32))\n"
        "assert 'av' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_samples_of_a_wav_are_not_changed_by_a_view() -> None:
    """Engines hand out slices of their own buffers."""
    strided = np.repeat(SPEECH, 2)[::2]
    assert create_encoder(Format.PCM).encode(strided) == float_to_s16(SPEECH)
