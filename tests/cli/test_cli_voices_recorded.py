"""`ttsops voice import --engine f5`, `show` and `remove`: a recording becomes a voice, with consent.

Asked as `ttsops voices …`, which was its first name and still works.
"""

import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]

FACTS = (
    "--name",
    "en-Alice_woman",
    "--transcript",
    "Some call me nature.",
    "--consent",
    "Alice agreed",
)


def write_recording(path: str, seconds: float = 3.0, rate: int = 16_000) -> None:
    n_samples = int(seconds * rate)
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, n_samples)
    noise *= np.sin(2 * np.pi * 2 * np.arange(n_samples) / rate) ** 2  # comes and goes as syllables do
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, rate, len(noise), "NONE", ""))
        wav.writeframes((noise * 32767).astype("<i2").tobytes())
    Path(path).write_bytes(file.getvalue())


def import_alice(ttsops: Ttsops, *more: str) -> Any:
    write_recording("alice.wav")
    return ttsops("voices", "import", "--engine", "f5", "alice.wav", *FACTS, "--to", "voices", *more)


def test_a_recording_becomes_a_voice(ttsops: Ttsops) -> None:
    done = import_alice(ttsops, "--licence", "CC0")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Imported `en-Alice_woman` into `voices`: 3.0 s, `Some call me nature.`\n"
    assert sorted(path.name for path in Path("voices/en-Alice_woman").iterdir()) == [
        "baseline.wav",
        "recording.wav",
        "voice.json",
    ]


def test_an_engine_that_needs_no_transcript_takes_a_recording_without(ttsops: Ttsops) -> None:
    write_recording("alice.wav")
    facts = ("--name", "en-Alice_woman", "--consent", "Alice agreed", "--to", "voices")
    refused = ttsops("voices", "import", "--engine", "f5", "alice.wav", *facts)
    assert refused.code == 2, refused.err
    done = ttsops("voices", "import", "--engine", "vibevoice", "alice.wav", *facts)
    assert done.code == 0, done.err
    assert "Not for `f5`" in done.err


def test_it_is_shown_with_its_consent(ttsops: Ttsops) -> None:
    import_alice(ttsops)
    shown = ttsops("voices", "show", "en-Alice_woman", "--in", "voices")
    assert shown.code == 0
    parts = ("Alice, en, female", "Alice agreed", "its baseline", "from      alice.wav", "not said", "SNR dB")
    for part in parts:
        assert part in shown.out
    facts = json.loads(ttsops("voices", "show", "en-Alice_woman", "--in", "voices", "--json").out)
    assert facts["baseline"]["transcript"] == "Some call me nature. "


def test_it_is_removed(ttsops: Ttsops) -> None:
    import_alice(ttsops)
    assert ttsops("voices", "remove", "en-Alice_woman", "--in", "voices").code == 0
    assert not Path("voices/en-Alice_woman").exists()
    again = ttsops("voices", "remove", "en-Alice_woman", "--in", "voices")
    assert (again.code, "no voice `en-Alice_woman`" in again.err) == (2, True)


def test_the_settings_say_where_recorded_voices_are(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text('[voices]\nfolder = "mine"\n')
    write_recording("alice.wav")
    assert ttsops("voices", "import", "--engine", "f5", "alice.wav", *FACTS).code == 0
    assert Path("mine/en-Alice_woman/voice.json").exists()
    assert ttsops("voices", "show", "en-Alice_woman").code == 0


def test_without_a_folder_it_asks_for_one(ttsops: Ttsops) -> None:
    write_recording("alice.wav")
    done = ttsops("voices", "import", "--engine", "f5", "alice.wav", *FACTS)
    assert (done.code, "`[voices]`" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("left_out", "says"),
    [("--name", "`--name"), ("--transcript", "no recogniser"), ("--consent", "who agreed, and when")],
)
def test_what_is_left_out_is_asked_for_and_nothing_is_kept(ttsops: Ttsops, left_out: str, says: str) -> None:
    write_recording("alice.wav")
    place = FACTS.index(left_out)
    facts = FACTS[:place] + FACTS[place + 2 :]
    done = ttsops("voices", "import", "--engine", "f5", "alice.wav", *facts, "--to", "voices")
    assert (done.code, says in done.err) == (2, True), done.err
    assert not Path("voices").exists()


@pytest.mark.parametrize(("seconds", "says"), [(1.0, "1.0 s of speech"), (0.0, "no samples")])
def test_a_recording_that_gives_no_voice_is_refused(ttsops: Ttsops, seconds: float, says: str) -> None:
    write_recording("short.wav", seconds)
    done = ttsops("voices", "import", "--engine", "f5", "short.wav", *FACTS, "--to", "voices")
    assert done.code == 2
    assert says in done.err or "cannot be read" in done.err
    assert not Path("voices").exists()


def test_a_poor_recording_is_taken_with_a_warning(ttsops: Ttsops) -> None:
    write_recording("phone.wav", 14, 8000)
    done = ttsops("voices", "import", "--engine", "f5", "phone.wav", *FACTS, "--to", "voices")
    assert done.code == 0
    assert done.err.count("warning: ") == 2
    for part in ("nothing is heard above 4000 Hz", "at most 12 s are used"):
        assert part in done.err


def test_a_file_that_is_not_there_is_named(ttsops: Ttsops) -> None:
    done = ttsops("voices", "import", "--engine", "f5", "nobody.wav", *FACTS, "--to", "voices")
    assert (done.code, "`nobody.wav`" in done.err) == (1, True)


def test_two_recordings_are_no_voice(ttsops: Ttsops) -> None:
    write_recording("a.wav")
    write_recording("b.wav")
    done = ttsops("voices", "import", "--engine", "f5", "a.wav", "b.wav", *FACTS, "--to", "voices")
    assert (done.code, "one by one" in done.err) == (2, True)


def test_facts_of_a_recording_are_refused_for_prompts(ttsops: Ttsops) -> None:
    done = ttsops("voices", "import", "a.pt", "--consent", "yes", "--to", "voices")
    assert (done.code, "`--engine f5`" in done.err) == (2, True)
