import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hearing import RATE, encode_whole, hear, speechlike

from ttsops.audio import Format, Tags, create_encoder, decode_audio
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit

SPEECH = speechlike(9000)


def wav(samples: np.ndarray, rate: int, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("fmt", [fmt for fmt in Format if fmt is not Format.PCM])
def test_everything_that_is_encoded_can_be_decoded(fmt: Format) -> None:
    data = encode_whole(create_encoder(fmt), SPEECH)
    samples, rate = decode_audio(data)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert rate == (48_000 if fmt is Format.OPUS else RATE)
    np.testing.assert_array_equal(samples, hear(data, fmt).samples)


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 1 / 128), ("PCM_16", 1 / 32768), ("PCM_24", 2**-23), ("FLOAT", 0)]
)
def test_every_sample_type_comes_back_as_float(subtype: str, step: float) -> None:
    samples, rate = decode_audio(wav(SPEECH, 16_000, subtype))
    assert rate == 16_000
    assert np.abs(samples - SPEECH).max() <= step


def test_channels_are_mixed_into_one() -> None:
    left, right = SPEECH, speechlike(len(SPEECH), seed=5)
    samples, _ = decode_audio(wav(np.stack([left, right], axis=1), RATE, "FLOAT"))
    np.testing.assert_allclose(samples, (left + right) / 2, atol=1e-6)


def test_a_file_is_read_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "speech.mp3"
    path.write_bytes(wav(SPEECH, RATE, "PCM_16"))
    for name in (path, str(path)):
        samples, rate = decode_audio(name)
        assert (len(samples), rate) == (len(SPEECH), RATE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\0" * 5000,
        b"RIFF" + bytes(200),
        b"OggS" + bytes(200),
        b"ID3\x04\0\0\0\0\0\x7f" + bytes(100),
        np.random.default_rng(0).bytes(5000),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
    ids=["empty", "text", "zeros", "riff", "ogg", "id3", "noise", "png"],
)
def test_what_is_no_audio_is_a_clear_error(data: bytes) -> None:
    with pytest.raises(AudioError, match="these bytes cannot be read as audio: "):
        decode_audio(data)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
    ],
    ids=["hls", "concat"],
)
def test_a_playlist_cannot_make_it_read_other_files(tmp_path: Path, playlist: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(SPEECH, RATE, "PCM_16"))
    with pytest.raises(AudioError):
        decode_audio(playlist.format(path=secret).encode())


def test_a_film_without_sound_is_a_clear_error() -> None:
    film = io.BytesIO()
    with av.open(film, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(AudioError, match="there is no audio in these bytes"):
        decode_audio(film.getvalue())


def test_a_header_without_samples_is_a_clear_error() -> None:
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, RATE, 48_000, 2, 16, b"data", 0
    )
    with pytest.raises(AudioError, match="no samples"):
        decode_audio(header)


def test_a_title_in_another_encoding_is_no_reason_to_refuse_the_sound() -> None:
    data = encode_whole(create_encoder(Format.WAV, tags=Tags(title="LATIN")), SPEECH)
    samples, _ = decode_audio(data.replace(b"LATIN", b"\xe9\xe8\xff\xfe!"))
    assert len(samples) == len(SPEECH)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"cannot read `.*gone\.wav`: No such file"):
        decode_audio(tmp_path / "gone.wav")


def test_a_file_cut_short_gives_what_is_there() -> None:
    data = encode_whole(create_encoder(Format.MP3), SPEECH)
    samples, _ = decode_audio(data[: len(data) // 2])
    assert len(SPEECH) * 0.4 < len(samples) < len(SPEECH) * 0.7


def test_more_than_eight_channels_are_read_where_they_are() -> None:
    """In planes of their own PyAV would look for them beyond its memory."""
    channels = np.arange(48_000 * 12, dtype="<i2").reshape(-1, 12)
    file = wav(channels, 48_000, "PCM_16")
    samples, rate = decode_audio(file)
    assert rate == 48_000
    np.testing.assert_allclose(samples, channels.mean(axis=1) / 32768, atol=1e-6)


def test_what_lasts_too_long_is_refused() -> None:
    encoder = create_encoder(Format.FLAC)
    data = encoder.encode(np.zeros(48_000, np.float32)) + encoder.finish()
    assert len(decode_audio(data, max_seconds=2.0)[0]) == 48_000
    with pytest.raises(AudioError, match=r"longer than 1\.5 s"):
        decode_audio(data, max_seconds=1.5)
