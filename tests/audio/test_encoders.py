"""Every format, as a stream: nothing lost, nothing added, no seam, however the samples are cut."""

import av
import numpy as np
import pytest
from hearing import (
    COMPRESSED,
    EXACT,
    RATE,
    encode_pieces,
    encode_whole,
    hear,
    hear_with_libsndfile,
    lag_between,
    speechlike,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsops.audio import BIT_RATES, Format, create_encoder, float_to_s16
from ttsops.audio import codec as codec_module
from ttsops.errors import AudioError, BadAudio

pytestmark = pytest.mark.unit

SPEECH = speechlike(30_011)
MP3_FRAME, AAC_FRAME = 576, 1024
# Samples before the first that was sent: LAME's 576 and the decoder's 529; one frame of AAC.
DELAY = {Format.MP3: 1105, Format.AAC: 1024}

piece_sizes = st.lists(st.integers(1, 5000), min_size=1, max_size=8)
lengths = st.integers(1, 8000)
few = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("fmt", Format)
@given(sizes=piece_sizes)
@few
def test_pieces_decode_to_the_same_samples_as_the_whole(fmt: Format, sizes: list[int]) -> None:
    """No click at a seam: not even lossy formats may know where the samples were cut."""
    whole = hear(encode_whole(create_encoder(fmt), SPEECH), fmt)
    pieces = hear(encode_pieces(create_encoder(fmt), SPEECH, sizes), fmt)
    np.testing.assert_array_equal(pieces.samples, whole.samples)


@pytest.mark.parametrize("fmt", [Format.WAV, Format.PCM, Format.FLAC])
def test_lossless_formats_give_back_every_bit(fmt: Format) -> None:
    heard = hear(encode_whole(create_encoder(fmt), SPEECH), fmt)
    assert float_to_s16(heard.samples) == float_to_s16(SPEECH)


@pytest.mark.parametrize("fmt", EXACT)
@given(n_samples=lengths)
@few
def test_formats_with_a_length_decode_to_exactly_what_was_sent(fmt: Format, n_samples: int) -> None:
    heard = hear(encode_whole(create_encoder(fmt), SPEECH[:n_samples]), fmt)
    assert heard.n_samples == n_samples


@given(n_samples=lengths)
@few
def test_aac_decodes_to_one_frame_more_than_was_sent_and_no_second(n_samples: int) -> None:
    heard = hear(encode_whole(create_encoder(Format.AAC), SPEECH[:n_samples]), Format.AAC)
    assert 0 <= heard.n_samples - AAC_FRAME - n_samples < AAC_FRAME


@given(n_samples=lengths)
@few
def test_mp3_decodes_to_two_frames_more_than_was_sent_and_no_third(n_samples: int) -> None:
    heard = hear(encode_whole(create_encoder(Format.MP3), SPEECH[:n_samples]), Format.MP3)
    assert 0 <= heard.n_samples - 2 * MP3_FRAME - n_samples < MP3_FRAME


@pytest.mark.parametrize("fmt", Format)
@pytest.mark.parametrize("n_samples", [4800, 5760, 6144, 7001])
def test_the_last_samples_are_never_lost(fmt: Format, n_samples: int) -> None:
    """A burst in the last 10 ms is heard where it was sent, also when it ends on a frame."""
    burst = np.zeros(n_samples, np.float32)
    burst[-240:] = 0.5 * np.sin(np.arange(240) * 0.4)
    heard = hear(encode_whole(create_encoder(fmt), burst), fmt)
    step = heard.rate // RATE
    end = DELAY.get(fmt, 0) + n_samples
    tail = heard.samples[::step][end - 240 : end]
    assert np.sum(tail**2) > 0.8 * np.sum(burst**2)


@pytest.mark.parametrize("fmt", [Format.MP3, Format.OPUS, Format.AAC])
def test_lossy_formats_sound_like_what_was_sent(fmt: Format) -> None:
    heard = hear(encode_whole(create_encoder(fmt), SPEECH), fmt)
    samples = heard.samples[:: heard.rate // RATE]
    assert lag_between(samples, SPEECH) == pytest.approx(DELAY.get(fmt, 0), abs=1)
    samples = samples[DELAY.get(fmt, 0) :][: len(SPEECH)]
    assert np.corrcoef(samples, SPEECH)[0, 1] > 0.97


@pytest.mark.parametrize("fmt", [Format.OPUS, Format.FLAC, Format.MP3, Format.WAV])
def test_another_decoder_hears_the_same(fmt: Format) -> None:
    """The length is announced because libsndfile, unlike libFLAC below it, reads no FLAC without one."""
    data = encode_pieces(create_encoder(fmt, total_samples=len(SPEECH)), SPEECH, [480, 7, 2400])
    first, second = hear(data, fmt), hear_with_libsndfile(data)
    n_common = min(first.n_samples, second.n_samples)
    assert n_common >= len(SPEECH)
    one = first.samples[:: first.rate // RATE]
    other = second.samples[:: second.rate // RATE]
    late = lag_between(other, one)
    assert abs(late) <= 529, "MPEG decoders differ in whether they skip their own delay"
    one, other = one[max(0, -late) :], other[max(0, late) :]
    n_common = min(len(one), len(other))
    assert np.corrcoef(one[:n_common], other[:n_common])[0, 1] > 0.999


def test_libopus_and_libflac_hear_exactly_as_many_samples_as_were_sent() -> None:
    for fmt in (Format.OPUS, Format.FLAC):
        data = encode_pieces(create_encoder(fmt, total_samples=len(SPEECH)), SPEECH, [311])
        assert hear_with_libsndfile(data).n_samples == len(SPEECH)


@pytest.mark.parametrize("fmt", Format)
def test_bytes_leave_while_samples_come(fmt: Format) -> None:
    """20 ms pieces: never more than 140 ms held back, so that a listener does not wait for the end."""
    encoder = create_encoder(fmt)
    sent = b"".join(encoder.encode(piece) for piece in np.split(SPEECH[:24_000], 50))
    heard = hear(sent, fmt)
    assert heard.n_samples - DELAY.get(fmt, 0) > 24_000 - 0.14 * RATE


@pytest.mark.parametrize("fmt", COMPRESSED)
def test_a_long_piece_is_the_same_as_many(fmt: Format) -> None:
    """A file job hands over a minute at once: Ogg pages and frames must still be cut."""
    long = np.tile(speechlike(24_000), 20)
    assert hear(encode_whole(create_encoder(fmt), long), fmt).n_samples >= len(long)


@pytest.mark.parametrize("fmt", Format)
def test_no_samples_is_an_error_and_not_an_empty_file(fmt: Format) -> None:
    encoder = create_encoder(fmt)
    assert encoder.encode(np.zeros(0, np.float32)) == b""
    with pytest.raises(AudioError, match="no samples"):
        encoder.finish()


@pytest.mark.parametrize("fmt", Format)
def test_an_encoder_that_has_ended_takes_nothing(fmt: Format) -> None:
    encoder = create_encoder(fmt)
    encode_whole(encoder, SPEECH[:100])
    encoder.close()
    with pytest.raises(AudioError, match="has ended"):
        encoder.encode(SPEECH)
    with pytest.raises(AudioError, match="has ended"):
        encoder.finish()


@pytest.mark.parametrize("fmt", Format)
def test_samples_that_are_not_finite_never_leave(fmt: Format) -> None:
    with create_encoder(fmt) as encoder:
        encoder.encode(SPEECH[:1000])
        with pytest.raises(BadAudio):
            encoder.encode(np.array([0.0, np.nan], np.float32))
        with pytest.raises(AudioError, match="has ended"):
            encoder.finish()


@pytest.mark.parametrize("fmt", Format)
def test_too_loud_samples_are_clipped_and_do_not_crash(fmt: Format) -> None:
    heard = hear(encode_whole(create_encoder(fmt), 20 * SPEECH), fmt)
    assert np.abs(heard.samples).max() < 1.7, "lossy codecs overshoot a square wave, but do not explode"


def test_only_float32_in_one_dimension_is_taken() -> None:
    for wrong in (SPEECH.astype(np.float64), SPEECH.reshape(1, -1), np.zeros(10, np.int16)):
        with pytest.raises(AudioError, match="must be float32"):
            create_encoder(Format.PCM).encode(wrong)


@pytest.mark.parametrize("fmt", BIT_RATES)
def test_bit_rate_is_chosen_within_its_range(fmt: Format) -> None:
    known = BIT_RATES[fmt]
    sizes = []
    for bit_rate in (known.minimum, known.default, known.maximum):
        data = encode_whole(create_encoder(fmt, bit_rate=bit_rate), SPEECH)
        assert hear(data, fmt).n_samples >= len(SPEECH)
        sizes.append(len(data))
    assert sizes == sorted(sizes)
    for outside in (known.minimum - 1, known.maximum + 1):
        with pytest.raises(AudioError, match="bits per second"):
            create_encoder(fmt, bit_rate=outside)


def test_bit_rate_of_a_lossless_format_cannot_be_chosen() -> None:
    with pytest.raises(AudioError, match="cannot be chosen"):
        create_encoder(Format.FLAC, bit_rate=64_000)


def test_a_rate_the_codec_cannot_have_is_refused_with_those_it_can() -> None:
    with pytest.raises(AudioError, match=r"22050 Hz.*24000"):
        create_encoder(Format.OPUS, 22_050)
    with pytest.raises(AudioError, match="flac cannot be encoded at 2000000 Hz"):
        create_encoder(Format.FLAC, 2_000_000)
    with pytest.raises(AudioError, match="0 Hz"):
        create_encoder(Format.WAV, 0)


def test_a_codec_that_fails_half_way_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[object]:
        raise av.MemoryError(12, "Cannot allocate memory")

    encoder = create_encoder(Format.MP3)
    encoder.encode(SPEECH[:1000])
    monkeypatch.setattr(codec_module, "_packets_of", fail)
    with pytest.raises(AudioError, match="the mp3 encoder failed: Cannot allocate memory"):
        encoder.encode(SPEECH)
    with pytest.raises(AudioError, match="has ended"):
        encoder.finish()


@pytest.mark.parametrize("fmt", Format)
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_other_sample_rates_keep_their_length(fmt: Format, rate: int) -> None:
    if fmt is Format.PCM:
        return
    heard = hear(encode_whole(create_encoder(fmt, rate), speechlike(rate, rate=rate)), fmt)
    assert 1 <= len(heard.samples) / heard.rate < 1.15


def test_the_public_way_into_the_codec_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`_send_frame_and_recv` is not public: without it nothing but threads may change."""
    for fmt in (Format.MP3, Format.AAC, Format.FLAC):
        expected = encode_pieces(create_encoder(fmt), SPEECH, [777])
        with monkeypatch.context() as patch:
            patch.setattr(codec_module, "_packets_of", lambda codec, frame: codec.encode(frame))
            assert encode_pieces(create_encoder(fmt), SPEECH, [777]) == expected


def test_the_short_way_into_the_codec_is_there() -> None:
    """If this fails after an upgrade of PyAV, every stream costs as many threads as there are processors."""
    assert hasattr(av.CodecContext.create("flac", "w"), "_send_frame_and_recv")
