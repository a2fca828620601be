"""A recording is made ready as the published pipeline does it, and refused with a reason where that fails."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from speech_like import babble, float_wav_bytes, wav_bytes

from ttsops import errors
from ttsops.audio import Format, create_encoder, decode_audio
from ttsops.audio.sinc import sinc_resample
from ttsops.voices.reference import (
    TARGET_RMS,
    load_reference,
    normal_transcript,
    prepare_reference,
)

pytestmark = pytest.mark.unit

TEXT = "Some call me nature."
RECORDED = Path(__file__).parents[1] / "golden" / "f5" / "preprocess_ref"


def test_a_quiet_recording_is_raised_and_resampled_in_that_order() -> None:
    prepared = prepare_reference(RECORDED / "edges_silent.in.wav", TEXT)
    facts = prepared.source
    assert facts
    kept, rate = decode_audio(RECORDED / "edges_silent.out.wav")
    np.testing.assert_array_equal(prepared.pcm / np.float32(32768), kept)
    rms = np.sqrt(np.mean(np.square(kept.astype(np.float64))))
    assert prepared.rms == pytest.approx(rms)
    raised = kept * np.float32(max(TARGET_RMS / rms, 1))
    np.testing.assert_allclose(prepared.samples, sinc_resample(raised, rate, 24_000), atol=1e-6)
    assert (facts.sample_rate, facts.seconds) == (12_000, 4.6)
    assert prepared.seconds == pytest.approx(len(prepared.samples) / 24_000, abs=1e-3)


@pytest.mark.parametrize("level", [0.03, 0.1, 0.9])
def test_only_what_is_quiet_is_raised(level: float) -> None:
    prepared = prepare_reference(wav_bytes(babble(level=level)), TEXT)
    heard = np.sqrt(np.mean(np.square(prepared.samples)))
    assert heard == pytest.approx(max(prepared.rms, TARGET_RMS), rel=1e-3)
    assert prepared.gain == pytest.approx(heard / prepared.rms, rel=1e-3)


@pytest.mark.parametrize("fmt", [Format.MP3, Format.FLAC, Format.OPUS, Format.AAC])
def test_any_common_format_is_read(fmt: Format) -> None:
    encoder = create_encoder(fmt)
    data = encoder.encode(babble()) + encoder.finish()
    prepared = prepare_reference(data, TEXT)
    assert prepared.seconds == pytest.approx(4.05, abs=0.1)


def test_channels_are_mixed() -> None:
    mono = prepare_reference(wav_bytes(babble()), TEXT)
    stereo = prepare_reference(wav_bytes(babble(), n_channels=2), TEXT)
    assert stereo.sha256 == mono.sha256


def test_a_long_recording_is_cut_to_twelve_seconds_and_says_so() -> None:
    prepared = prepare_reference((babble(15), 24_000), TEXT)
    facts = prepared.source
    assert facts
    assert prepared.seconds == pytest.approx(12.05, abs=0.01)
    assert any("12 s" in warning for warning in facts.warnings)


def test_a_poor_recording_is_taken_with_a_warning() -> None:
    facts = prepare_reference((babble(rate=8000, level=3.0).clip(-1, 1), 8000), TEXT).source
    assert facts
    assert len(facts.warnings) == 2
    fine = prepare_reference((babble(), 24_000), TEXT).source
    assert fine
    assert fine.warnings == ()


def test_a_float_file_beyond_full_scale_is_not_clipped() -> None:
    loud = prepare_reference(float_wav_bytes(babble(level=8.0)), TEXT)
    facts = loud.source
    assert facts
    assert facts.peak > 5
    assert np.abs(loud.pcm.astype(int)).max() >= 32767
    assert np.count_nonzero(np.abs(loud.pcm.astype(int)) >= 32767) == 1, "the loudest sample, and no other"


def test_what_is_kept_gives_the_same_reference() -> None:
    prepared = prepare_reference((babble(rate=44_100, level=0.03), 44_100), TEXT)
    again = load_reference(prepared.to_wav(), prepared.transcript)
    np.testing.assert_array_equal(again.samples, prepared.samples)
    assert (again.sha256, again.rms, again.transcript) == (prepared.sha256, prepared.rms, prepared.transcript)


def test_the_hash_tells_references_apart() -> None:
    one = prepare_reference((babble(), 24_000), TEXT)
    assert one.sha256 == prepare_reference(wav_bytes(babble()), TEXT).sha256
    assert one.sha256 != prepare_reference((babble(), 24_000), "Another text.").sha256
    assert one.sha256 != prepare_reference((babble(seed=1), 24_000), TEXT).sha256


# ---- what is refused -------------------------------------------------------------------


def with_samples(*values: float) -> bytes:
    samples = babble()
    samples[100 : 100 + len(values)] = values
    return float_wav_bytes(samples)


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        (wav_bytes(np.zeros(72_000, np.float32)), "silent_reference", "nothing is heard"),
        (wav_bytes(babble(level=0.0015)), "silent_reference", "nothing is heard"),
        (wav_bytes(babble(1.9)), "short_reference", "1.9 s of speech"),
        (wav_bytes(np.pad(babble(1.0), 90_000)), "short_reference", "1.0 s of speech"),
        (with_samples(np.nan), "broken_reference", "1 samples"),
        (with_samples(np.inf, -np.inf), "broken_reference", "2 samples"),
        (wav_bytes(babble(3.0, rate=4000), 4000), "unreadable_reference", "4000 Hz"),
        (wav_bytes(babble(), 400_000), "unreadable_reference", "400000 Hz"),
        (b"", "unreadable_reference", "cannot be read"),
        (b"not audio at all", "unreadable_reference", "cannot be read"),
        (wav_bytes(babble())[:40], "unreadable_reference", "recording"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "unreadable_reference", "cannot be read"),
    ],
)
def test_what_gives_no_voice_is_refused_with_a_reason(source: bytes, code: str, says: str) -> None:
    with pytest.raises(errors.BadReference, match=says) as caught:
        prepare_reference(source, TEXT)
    assert (caught.value.code, caught.value.param) == (code, "file")
    assert caught.value.hint


def test_samples_of_nothing_are_silent() -> None:
    with pytest.raises(errors.SilentReference):
        prepare_reference((np.zeros(0, np.float32), 24_000), TEXT)


def test_hours_in_a_small_file_are_refused_before_they_fill_the_memory() -> None:
    encoder = create_encoder(Format.FLAC)
    second = np.zeros(24_000, np.float32)
    data = b"".join([*(encoder.encode(second) for _ in range(400)), encoder.finish()])
    assert len(data) < 24_000 * 2 * 10, "ten seconds, uncompressed"
    with pytest.raises(errors.UnreadableReference, match="longer than 120 s"):
        prepare_reference(data, TEXT)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.AudioError, match=r"cannot read `.*nobody.wav`"):
        prepare_reference(tmp_path / "nobody.wav", TEXT)


def test_damaged_headers_never_escape_as_another_error() -> None:
    rng = np.random.default_rng(3)
    good = bytearray(wav_bytes(babble(3.0)))
    for _ in range(150):
        bad = bytearray(good)
        for place in rng.integers(0, 44, 3):
            bad[place] = rng.integers(0, 256)
        with contextlib.suppress(errors.BadReference):
            prepare_reference(bytes(bad), TEXT)


# ---- the transcript --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hello there", "Hello there. "),
        ("Hello there.", "Hello there. "),
        ("  Hello\n there. ", "Hello there. "),
        ("你好。", "你好。"),
        ("Is it?", "Is it?. "),
    ],
)
def test_a_transcript_ends_as_the_model_wants_it(text: str, written: str) -> None:
    assert normal_transcript(text) == written
    assert normal_transcript(written) == written or text == "Is it?"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_without_a_transcript_it_says_that_nobody_listens(text: str) -> None:
    with pytest.raises(errors.NoTranscript) as caught:
        prepare_reference((babble(), 24_000), text)
    assert "no recogniser" in str(caught.value.hint)
    assert caught.value.param == "transcript"


@pytest.mark.parametrize("text", ["x" * 1001, "a\0b", "half \ud83d"])
def test_a_transcript_nobody_could_have_said_is_refused(text: str) -> None:
    with pytest.raises(errors.BadReference) as caught:
        normal_transcript(text)
    assert caught.value.param == "transcript"
