"""What the library keeps of a recording: trimmed, levelled, at 24 kHz, from any format people send."""

import io
import struct

import av
import numpy as np
import pytest
from speech_like import babble, float_wav_bytes, talk, wav_bytes

from ttsops import errors
from ttsops.audio import resample
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.quality import measure_voice
from ttsops.voices.recording import (
    MAX_SECONDS,
    PEAK_DBFS,
    SPEECH_DBFS,
    PreparedRecording,
    load_recording,
    prepare_recording,
    recording_samples,
)
from ttsops.voices.reference import decode_recording

pytestmark = pytest.mark.unit


def silence(seconds: float, rate: int = 24_000) -> Samples:
    return np.zeros(int(seconds * rate), np.float32)


def kept(samples: Samples, rate: int = 24_000) -> Samples:
    return recording_samples(prepare_recording(samples, rate).pcm)


# ---- trimmed and levelled --------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 1e-4, 2e-3])
def test_silence_is_cut_off_at_both_ends_and_a_margin_stays(noise: float) -> None:
    voice = np.concatenate([silence(1.5), talk(1.6, level=0.1), silence(2.0)])
    voice = voice + noise * np.random.default_rng(0).standard_normal(len(voice)).astype(np.float32)
    prepared = prepare_recording(voice.astype(np.float32), SAMPLE_RATE)
    assert prepared.seconds == pytest.approx(1.8, abs=0.16)


def test_pauses_between_words_stay() -> None:
    voice = np.concatenate([talk(1.6), silence(1.0), talk(1.6)])
    assert prepare_recording(voice, SAMPLE_RATE).seconds == pytest.approx(4.2, abs=0.15)


@pytest.mark.parametrize("level", [0.005, 0.05, 0.25])
def test_speech_comes_out_at_one_level_however_it_was_recorded(level: float) -> None:
    quality = measure_voice(kept(talk(4.0, level=level)), SAMPLE_RATE)
    assert quality.speech_dbfs == pytest.approx(SPEECH_DBFS, abs=0.2)
    assert quality.peak_dbfs <= PEAK_DBFS + 0.01


def test_a_peak_never_leaves_full_scale() -> None:
    voice = talk(4.0, level=0.02)
    voice[20_000] = 0.9
    quality = measure_voice(kept(voice), SAMPLE_RATE)
    assert quality.peak_dbfs <= PEAK_DBFS + 0.1
    assert quality.speech_dbfs < SPEECH_DBFS - 5, "the click keeps the voice down"


def test_the_ends_fade_so_that_nothing_clicks() -> None:
    heard = kept(babble(2.0))
    assert heard[0] == heard[-1] == 0


def test_what_is_longer_than_half_a_minute_is_cut_where_it_is_quiet() -> None:
    voice = np.concatenate([talk(25.0), silence(0.5), talk(12.0)])
    prepared = prepare_recording(voice, SAMPLE_RATE)
    assert 20 < prepared.seconds <= MAX_SECONDS
    assert [finding.code for finding in prepared.quality.findings] == ["cut"]
    ending = recording_samples(prepared.pcm)[-1200:]
    assert np.abs(ending).max() < 0.02


def test_it_comes_back_from_its_file_as_it_was() -> None:
    prepared = prepare_recording(talk(2.0, rate=44_100), 44_100)
    np.testing.assert_array_equal(load_recording(prepared.to_wav()), prepared.pcm)


# ---- what people send ------------------------------------------------------------------


def encoded(samples: Samples, rate: int, container: str, codec: str, fmt: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.codec_context.format = fmt
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or len(samples)
        resampler = av.AudioResampler(format=fmt, layout="mono", rate=rate, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            output.mux(stream.encode(part))
    return file.getvalue()


def wav_of_8_bit(samples: Samples, rate: int) -> bytes:
    data = (np.clip(samples * 128 + 128, 0, 255)).astype(np.uint8).tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate,
                       rate, 1, 8, b"data", len(data))  # fmt: skip
    return head + data


def wav_of_24_bit(samples: Samples, rate: int) -> bytes:
    wide = np.rint(samples * 8_388_607).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(wide), b"WAVE", b"fmt ", 16, 1, 1, rate,
                       rate * 3, 3, 24, b"data", len(wide))  # fmt: skip
    return head + wide


FORMATS = {
    "mp3": lambda s: encoded(resample(s, 24_000, 44_100), 44_100, "mp3", "libmp3lame", "fltp"),
    "opus": lambda s: encoded(resample(s, 24_000, 48_000), 48_000, "ogg", "libopus", "flt"),
    "m4a": lambda s: encoded(resample(s, 24_000, 44_100), 44_100, "ipod", "aac", "fltp"),
    "webm": lambda s: encoded(resample(s, 24_000, 48_000), 48_000, "webm", "libopus", "flt"),
    "flac": lambda s: encoded(s, 24_000, "flac", "flac", "s16"),
    "8 bit": lambda s: wav_of_8_bit(s, 24_000),
    "16 bit stereo": lambda s: wav_bytes(s, n_channels=2),
    "24 bit": lambda s: wav_of_24_bit(s, 24_000),
    "float": lambda s: float_wav_bytes(s),
    "float beyond full scale": lambda s: float_wav_bytes(s * 5),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_common_format_gives_the_same_voice(name: str) -> None:
    voice = talk(3.4, level=0.15)
    wanted = prepare_recording(voice, SAMPLE_RATE)
    prepared = prepare_recording(*decode_recording(FORMATS[name](voice)))
    assert prepared.seconds == pytest.approx(wanted.seconds, abs=0.1)
    assert likeness(wanted, prepared) > 0.93


def likeness(one: PreparedRecording, other: PreparedRecording) -> float:
    """Largest correlation over small shifts: codecs delay."""
    a, b = recording_samples(one.pcm), recording_samples(other.pcm)
    n = 2 ** int(np.ceil(np.log2(len(a) + len(b))))
    products = np.fft.irfft(np.fft.rfft(a, n) * np.conj(np.fft.rfft(b, n)), n)
    return float(products.max() / np.sqrt(np.sum(a**2) * np.sum(b**2)))


# ---- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "rate", "refusal"),
    [
        (silence(2.0), 24_000, errors.SilentReference),
        (babble(2.0, level=0.001), 24_000, errors.SilentReference),
        (np.concatenate([silence(1), babble(0.2), silence(1)]), 24_000, errors.ShortReference),
        (babble(0.3), 24_000, errors.ShortReference),
        (np.full(48_000, np.nan, np.float32), 24_000, errors.BrokenReference),
        (babble(2.0, rate=4_000), 4_000, errors.UnreadableReference),
    ],
)
def test_what_gives_no_voice_is_refused_with_what_is_accepted(
    samples: Samples, rate: int, refusal: type[errors.BadReference]
) -> None:
    with pytest.raises(refusal) as caught:
        prepare_recording(samples, rate)
    assert caught.value.hint
    assert caught.value.param == "file"
