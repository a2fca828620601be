"""`ttsops say`: from words to a file, to stdout, to a player."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ttsops.audio import check_audio, decode_audio, s16_to_float
from ttsops.cli.sinks import FileSink
from ttsops.speech import Samples

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]
TONE = ("--model", "tone")
RATE = 24_000


def test_say_speaks_into_a_file(ttsops: Ttsops) -> None:
    done = ttsops("say", "Hello from tts-ops.", "-o", "hello.wav")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("Wrote `hello.wav`: ")
    assert "engine espeak" in done.err
    samples, rate = decode_audio(Path("hello.wav"))
    assert rate == RATE
    assert 0.8 < len(samples) / rate < 4
    assert check_audio(samples, rate).problems == ()


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.opus", "a.ogg", "a.aac", "a.flac"])
def test_the_files_name_decides_the_format_and_its_peak_is_set(ttsops: Ttsops, name: str) -> None:
    assert ttsops("synth", "Hello.", "-o", name, *TONE).code == 0
    samples, rate = decode_audio(Path(name))
    peak = check_audio(samples, rate).peak_dbfs
    assert peak == pytest.approx(-1.0, abs=0.01 if name in ("a.wav", "a.flac") else 1.0)


def test_a_format_wins_over_the_name(ttsops: Ttsops) -> None:
    ttsops("say", "Hello.", "-o", "a.wav", "-f", "flac", *TONE)
    assert Path("a.wav").read_bytes().startswith(b"fLaC")
    assert ttsops("say", "Hello.", "--format", "mp3", *TONE).code == 0
    assert Path("speech.mp3").stat().st_size > 0


def test_a_written_wav_knows_its_length(ttsops: Ttsops) -> None:
    ttsops("say", "Hello.", "-o", "a.wav", *TONE)
    data = Path("a.wav").read_bytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8


def test_stdout_is_audio_and_nothing_else(ttsops: Ttsops) -> None:
    done = ttsops("say", "Hello.", "--stdout", "--format", "pcm", "--metrics", *TONE)
    assert done.code == 0
    samples = s16_to_float(done.raw)
    metrics = json.loads(done.err)
    assert metrics["audio_seconds"] == pytest.approx(len(samples) / RATE)
    assert metrics["file"] is None
    assert ttsops("say", "Hello.", "-o", "-", *TONE).raw.startswith(b"RIFF")


def test_metrics_are_on_stdout_where_no_audio_is(ttsops: Ttsops) -> None:
    done = ttsops("say", "Hello.", "-o", "a.wav", "--metrics", "--quiet", *TONE)
    metrics = json.loads(done.out)
    assert done.err == ""
    assert metrics["engine"] == "tone"
    assert metrics["voice"] == "middle"
    assert metrics["file"] == "a.wav"
    assert metrics["utterances"] == 1
    assert metrics["rtf"] == pytest.approx(metrics["synthesis_seconds"] / metrics["audio_seconds"])


@pytest.mark.parametrize("seconds", [0.2, 2.5, 7])
def test_seconds_is_exact_by_repeating_and_cutting(ttsops: Ttsops, seconds: float) -> None:
    done = ttsops("say", "Hello there.", "--seconds", seconds, "-o", "a.wav", "--metrics", *TONE)
    samples, rate = decode_audio(Path("a.wav"))
    assert len(samples) == round(seconds * rate)
    assert abs(samples[-1]) < 0.01, "a cut that is not faded clicks"
    assert json.loads(done.out)["rtf"] is not None


def test_text_comes_from_words_a_file_or_stdin(ttsops: Ttsops) -> None:
    Path("text.txt").write_text("Hello there.", encoding="utf-8-sig")
    assert ttsops("say", "Hello", "there.", "-o", "words.wav", *TONE).code == 0
    assert ttsops("say", "--file", "text.txt", "-o", "file.wav", *TONE).code == 0
    assert ttsops("say", "-", "-o", "dash.wav", *TONE, stdin="Hello there.").code == 0
    assert ttsops("say", "--stdin", "-o", "stdin.wav", *TONE, stdin="Hello there.").code == 0
    assert ttsops("say", "-o", "alone.wav", *TONE, stdin="Hello there.").code == 0
    words = Path("words.wav").read_bytes()
    for name in ("file", "dash", "stdin", "alone"):
        assert Path(f"{name}.wav").read_bytes() == words, name


def test_text_that_arrives_is_spoken_as_text_given_whole(ttsops: Ttsops) -> None:
    text = "First sentence, number 12. " * 3
    whole = ttsops("say", text, "--stdout", "-f", "pcm", *TONE)
    arriving = ttsops("say", "-", "--stdout", "-f", "pcm", "--metrics", *TONE, stdin=text)
    assert len(arriving.raw) == pytest.approx(len(whole.raw), rel=0.05)
    assert json.loads(arriving.err)["utterances"] == 1


@pytest.mark.parametrize("how", ["words", "stdin"])
def test_a_text_longer_than_an_utterance_becomes_several(ttsops: Ttsops, how: str) -> None:
    """The engine takes 20 000 characters at a time."""
    text = "This sentence is said again and again. " * 600
    quick = ("--option", "frequency=440")
    Path("fast.toml").write_text("[engines.tone.options]\nseconds_per_char = 0.001\n")
    words = ("--file", "text.txt") if how == "words" else ("-", "--stdout", "-f", "pcm")
    Path("text.txt").write_text(text)
    done = ttsops(
        "say", *words, *(("-o", "a.wav") if how == "words" else ()), "--metrics", *quick, *TONE,
        "--config", "fast.toml", stdin=text,
    )  # fmt: skip
    metrics = json.loads(done.out if how == "words" else done.err)
    assert metrics["utterances"] == 2
    assert metrics["text_chars"] == pytest.approx(len(text), abs=1)


def test_options_reach_the_engine(ttsops: Ttsops) -> None:
    ttsops("say", "Hello.", "-o", "a.wav", "--option", "frequency=1000", *TONE)
    samples, rate = decode_audio(Path("a.wav"))
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(1000, rel=0.02)


def test_speed_voice_seed_and_text_switches_reach_the_engine(ttsops: Ttsops) -> None:
    def seconds(*words: str) -> float:
        return json.loads(ttsops("say", *words, "-o", "a.wav", "--metrics", *TONE).out)["audio_seconds"]

    assert seconds("Hello there you.", "--speed", "2") == pytest.approx(
        seconds("Hello there you.") / 2, rel=0.1
    )
    assert seconds("I ate 1234.", "--language", "en") > seconds("I ate 1234.", "--no-numbers")
    ttsops("say", "Hello.", "-o", "low.wav", "--voice", "low", "--seed", "7", *TONE)
    ttsops("say", "Hello.", "-o", "high.wav", "--voice", "high", "--seed", "7", *TONE)
    ttsops("say", "Hello.", "-o", "again.wav", "--voice", "high", "--seed", "7", *TONE)
    assert Path("low.wav").read_bytes() != Path("high.wav").read_bytes()
    assert Path("again.wav").read_bytes() == Path("high.wav").read_bytes()


def test_without_a_player_it_writes_a_file_and_says_so(ttsops: Ttsops) -> None:
    done = ttsops("say", "Hello.", *TONE)
    assert done.code == 0
    assert "no player was found" in done.err
    assert "Wrote `speech.wav`" in done.err
    assert Path("speech.wav").exists()


def test_with_a_player_it_plays(ttsops: Ttsops, player: Callable[[int], Path]) -> None:
    heard = player(0)
    done = ttsops("say", "Hello.", "--metrics", *TONE)
    assert (done.code, done.err) == (0, "")
    samples = s16_to_float(heard.read_bytes())
    assert len(samples) / RATE == pytest.approx(json.loads(done.out)["audio_seconds"])
    assert not Path("speech.wav").exists()


def test_a_player_that_fails_leaves_a_file(ttsops: Ttsops, player: Callable[[int], Path]) -> None:
    """`aplay` is installed in many containers that have no sound card."""
    player(1)
    done = ttsops("say", "Hello.", *TONE)
    assert done.code == 0
    assert "`aplay` could not play it" in done.err
    assert len(decode_audio(Path("speech.wav"))[0]) > 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("", "-o", "a.wav"), 2, "empty"),
        (("Hello", "-o", "a.xyz"), 2, "no audio format"),
        (("Hello", "-o", "none/a.wav"), 1, "there is no folder `none`"),
        (("Hello", "-o", "a.wav", "--voice", "nobody"), 2, "no voice `nobody`"),
        (("Hello", "-o", "a.wav", "--option", "colour=red"), 2, "colour"),
        (("Hello", "-o", "a.wav", "--option", "colour"), 2, "NAME=VALUE"),
        (("Hello", "-o", "a.wav", "--speed", "9"), 2, "speed"),
        (("Hello", "-o", "a.wav", "--stdout"), 2, "cannot both be given"),
        (("Hello", "--stdin"), 2, "given twice"),
        (("--file", "none.txt", "-o", "a.wav"), 2, "No such file"),
        (("Hello", "-o", "a.wav", "--option", "fail=true"), 3, ""),
    ],
)
def test_what_cannot_be_said_is_told_and_leaves_no_file(
    ttsops: Ttsops, words: tuple[str, ...], code: int, message: str
) -> None:
    done = ttsops("say", *words, *TONE)
    assert done.code == code
    assert done.err.startswith("error: ")
    assert message in done.err
    assert "Traceback" not in done.err
    assert list(Path().iterdir()) == []


def test_an_unknown_engine_names_those_there_are(ttsops: Ttsops) -> None:
    done = ttsops("say", "Hello", "-o", "a.wav", "--model", "tome")
    assert done.code == 2
    assert "did you mean `tone`?" in done.err


def test_debug_shows_the_traceback(ttsops: Ttsops) -> None:
    assert "Traceback" in ttsops("say", "x", "-o", "none/a.wav", "--debug", *TONE).err


def test_ctrl_c_leaves_no_part_of_a_file(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(self: FileSink, samples: Samples) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(FileSink, "take", interrupted)
    done = ttsops("say", "Hello.", "--seconds", "3600", "-o", "a.wav", *TONE)
    assert done.code == 130
    assert done.err.strip() == "error: interrupted"
    assert list(Path().iterdir()) == []


def test_text_from_a_pipe_is_heard_before_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ttsops", "say", "-", "--stdout", "-f", "pcm", *TONE]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"The first sentence is here. And")
    process.stdin.flush()
    first = process.stdout.read(2400)
    assert len(first) == 2400, "heard while the writer still thinks"
    rest, err = process.communicate(b" the second came late.", timeout=20)
    assert process.returncode == 0, err
    assert len(first + rest) / 2 / RATE > 2
