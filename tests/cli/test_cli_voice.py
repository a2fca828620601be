"""`ttsops voice`: a recording is imported, judged, shown, drawn, tried, varied, handed on and removed."""

import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from ttsops.audio import decode_audio

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]
CONSENT = ("--consent", "Alice agreed on 2026-11-01")
WORDS = "Some words are said here."


def write_talk(path: str, seconds: float = 4.0, *, noise: float = 0.0) -> None:
    """A voice of gliding harmonics, with pauses."""
    rate = 24_000
    times = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 * (1 + 0.2 * np.sin(5.6 * times))) / rate
    voice = np.sum([np.sin(k * phase) / k for k in range(1, 40)], axis=0)
    voice *= 0.15 * np.sin(2 * np.pi * 2 * times) ** 2 * (times % 2 < 1.6)
    voice += noise * np.random.default_rng(0).standard_normal(len(times))
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, rate, len(voice), "NONE", ""))
        wav.writeframes((np.clip(voice, -1, 1) * 32767).astype("<i2").tobytes())
    Path(path).write_bytes(file.getvalue())


@pytest.fixture
def alice(ttsops: Ttsops) -> str:
    write_talk("alice.wav")
    done = ttsops("voice", "import", "--input", "alice.wav", "--name", "en-Alice_woman", *CONSENT,
                  "--transcript", WORDS, "--to", "voices")  # fmt: skip
    assert done.code == 0, done.err
    return "en-Alice_woman"


# ---- import ----------------------------------------------------------------------------


def test_a_recording_needs_a_name_and_a_consent_and_no_transcript(ttsops: Ttsops) -> None:
    write_talk("mei.wav")
    done = ttsops("voice", "import", "--input", "mei.wav", "--name", "Mei", "--language", "zh-CN",
                  "--gender", "woman", *CONSENT, "--to", "voices")  # fmt: skip
    assert done.code == 0
    assert "Not for `f5`: what is said in the recording is not written" in done.err
    assert "Imported `zh-CN-Mei_woman` into `voices`: 3." in done.err
    assert ttsops("voice", "import", "mei.wav", "--name", "Mei", "--to", "other").code == 2


def test_for_an_engine_only_what_it_can_speak_from_is_taken(ttsops: Ttsops) -> None:
    write_talk("mei.wav")
    done = ttsops("voice", "import", "mei.wav", "--engine", "f5", "--name", "Mei", *CONSENT, "--to", "voices")
    assert (done.code, "no recogniser here" in done.err) == (2, True)
    assert not Path("voices").exists()


def test_what_will_be_heard_is_said(ttsops: Ttsops) -> None:
    write_talk("noisy.wav", noise=0.05)
    done = ttsops("voice", "import", "noisy.wav", "--name", "Nina", *CONSENT, "--to", "voices")
    assert (done.code, "warning: the voice is buried in noise" in done.err) == (0, True)


def test_without_a_file_it_asks_for_one(ttsops: Ttsops) -> None:
    assert ttsops("voice", "import", "--name", "Nina", *CONSENT, "--to", "voices").code == 2


# ---- list, show, picture ---------------------------------------------------------------


def test_the_library_is_listed_without_an_engine(ttsops: Ttsops, alice: str) -> None:
    write_talk("long.wav", 14.0, noise=0.05)
    ttsops("voice", "import", "long.wav", "--name", "Nina", *CONSENT, "--to", "voices")
    done = ttsops("voice", "list", "--in", "voices")
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["voice", "language"]
    assert lines[1].split()[:2] == ["en-Alice_woman", "en"]
    assert "f5, vibevoice" in lines[1]
    assert lines[2].split()[-2:] == ["vibevoice", "noisy"]
    listed = json.loads(ttsops("voice", "list", "--in", "voices", "--json").out)
    assert [one["id"] for one in listed] == ["en-Alice_woman", "en-Nina_person"]
    assert listed[0]["unsuited"] == {"f5": "", "vibevoice": ""}


def test_an_empty_library_is_no_error(ttsops: Ttsops) -> None:
    done = ttsops("voice", "list", "--in", "nowhere")
    assert (done.code, done.out, done.err) == (0, "", "0 voices in `nowhere`\n")


def test_a_report_has_every_figure_and_what_is_good(ttsops: Ttsops, alice: str) -> None:
    shown = ttsops("voice", "show", alice, "--in", "voices").out
    figures = ("SNR dB", "bandwidth Hz", "clipped", "steady tones", "pitch Hz", "20 or more")
    for part in (*figures, "Alice agreed", "f5          can speak as it", "alice.wav"):
        assert part in shown
    facts = json.loads(ttsops("voice", "show", alice, "--in", "voices", "--json").out)
    assert facts["recording"]["quality"]["snr_db"] > 40
    assert facts["recording"]["quality"]["findings"] == []


def test_a_voice_can_be_looked_at(ttsops: Ttsops, alice: str) -> None:
    assert ttsops("voice", "show", alice, "--in", "voices", "--picture", "alice.svg").code == 0
    root = Xml.fromstring(Path("alice.svg").read_bytes())
    assert root.tag.endswith("svg")
    assert b"data:image/png;base64," in Path("alice.svg").read_bytes()


@pytest.mark.parametrize("voice", ["../alice", "en-Nobody_man", "", ".."])
@pytest.mark.parametrize("verb", ["show", "remove", "export", "variants"])
def test_a_voice_that_is_not_there_is_wrong_usage(ttsops: Ttsops, alice: str, verb: str, voice: str) -> None:
    done = ttsops("voice", verb, voice, "--in", "voices")
    assert (done.code, "there is no voice" in done.err) == (2, True)


# ---- variants --------------------------------------------------------------------------


def test_variants_are_measured_and_written(ttsops: Ttsops, alice: str) -> None:
    done = ttsops("voice", "variants", alice, "--in", "voices", "--pitch", "0.8,1.25", "--rate", "1.25",
                  "--level", "-6", "--out", "made", "--json")  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    own = found["as it is"]
    assert found["pitch-0.8"]["pitch_hz"] == pytest.approx(0.8 * own["pitch_hz"], rel=0.05)
    assert found["pitch-1.25"]["pitch_hz"] == pytest.approx(1.25 * own["pitch_hz"], rel=0.05)
    assert found["rate-1.25"]["seconds"] == pytest.approx(own["seconds"] / 1.25, rel=0.01)
    assert found["level-6"]["speech_dbfs"] == pytest.approx(own["speech_dbfs"] - 6, abs=0.1)
    assert {path.name for path in Path("made").iterdir()} == {
        "pitch-0.8.wav", "pitch-1.25.wav", "rate-1.25.wav", "level-6.wav",
    }  # fmt: skip
    samples, rate = decode_audio(Path("made/rate-1.25.wav"))
    assert len(samples) / rate == pytest.approx(found["rate-1.25"]["seconds"], abs=0.01)


def test_a_variant_can_be_a_voice_of_its_own_with_the_same_consent(ttsops: Ttsops, alice: str) -> None:
    done = ttsops("voice", "variants", alice, "--in", "voices", "--pitch", "0.9", "--add")
    assert done.code == 0, done.err
    facts = json.loads(ttsops("voice", "show", "en-AlicePitch090_woman", "--in", "voices", "--json").out)
    assert facts["recording"]["consent"]["statement"] == CONSENT[1]
    assert facts["recording"]["source_name"] == "en-Alice_woman pitch-0.9"
    assert facts["unsuited"]["f5"] == ""


@pytest.mark.parametrize("wish", [("--pitch", "0.4"), ("--rate", "x"), ("--level", "40")])
def test_a_variant_beyond_is_refused(ttsops: Ttsops, alice: str, wish: tuple[str, str]) -> None:
    done = ttsops("voice", "variants", alice, "--in", "voices", *wish, "--out", "made")
    assert (done.code, "must be" in done.err) == (2, True)
    assert not Path("made").exists()


# ---- export, remove --------------------------------------------------------------------


def test_a_voice_is_handed_on_as_one_file(ttsops: Ttsops, alice: str) -> None:
    assert ttsops("voice", "export", alice, "--in", "voices", "--out", "alice.zip").code == 0
    done = ttsops("voice", "import", "--input", "alice.zip", "--to", "other")
    assert (done.code, "Imported `en-Alice_woman` into `other`" in done.err) == (0, True)
    for name in ("voice.json", "recording.wav", "baseline.wav"):
        assert Path(f"other/{alice}/{name}").read_bytes() == Path(f"voices/{alice}/{name}").read_bytes()
    assert ttsops("voice", "import", "alice.zip", "--name", "Bob", "--to", "other").code == 2
    assert ttsops("voice", "import", "alice.zip", "--to", "other").code == 2, "it is there"
    assert ttsops("voice", "export", alice, "--in", "voices", "--out", "alice.tar").code == 2


def test_a_damaged_file_is_refused(ttsops: Ttsops, alice: str) -> None:
    ttsops("voice", "export", alice, "--in", "voices", "--out", "alice.zip")
    Path("alice.zip").write_bytes(Path("alice.zip").read_bytes()[:-30])
    done = ttsops("voice", "import", "alice.zip", "--to", "other")
    assert (done.code, "no exported voice, or it is damaged" in done.err) == (2, True)
    assert not Path("other").exists()


def test_a_voice_is_removed(ttsops: Ttsops, alice: str) -> None:
    assert ttsops("voice", "remove", alice, "--in", "voices").code == 0
    assert not Path("voices/en-Alice_woman").exists()


# ---- the older name --------------------------------------------------------------------


def test_the_same_verbs_may_follow_voices(ttsops: Ttsops, alice: str) -> None:
    assert ttsops("voices", "show", alice, "--in", "voices").code == 0
    assert ttsops("voices", "list", "--in", "voices").out == ttsops("voice", "list", "--in", "voices").out
    shown = ttsops("voices", "--help").out
    assert "ttsops voice" in shown
    assert "Commands:" not in shown
