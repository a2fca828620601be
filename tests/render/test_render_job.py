"""A job from its script to its files, in this process and killed in another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ttsops.audio import Format
from ttsops.errors import AudioError, InvalidValue, JobChanged, JobDamaged, UnknownVoice
from ttsops.render import Progress, Rendered, Wish, folder_of, render
from ttsops.render.speaker import Speaker
from ttsops.render.track_file import TrackFile
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import OptionValue, Samples

pytestmark = pytest.mark.unit

SCRIPT = "\n".join(
    f"Speaker {1 + number % 2}: This is turn {number}, and it is not very long." for number in range(8)
)
TONE = Settings(engine="tone", engines={"tone": EngineSettings()})


def vibevoice_settings(**options: OptionValue) -> Settings:
    setup: dict[str, OptionValue] = {"random_weights": "small", "max_positions": 2048, "threads": 1}
    return Settings(engine="vibevoice", engines={"vibevoice": EngineSettings(options=setup | options)})


@pytest.fixture(scope="module")
def tone() -> Iterator[Speaker]:
    speaker = Speaker(TONE)
    yield speaker
    speaker.close()


@pytest.fixture(scope="module")
def vibevoice() -> Iterator[Speaker]:
    speaker = Speaker(vibevoice_settings())
    yield speaker
    speaker.close()


def heard(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 24_000
    return samples


class Stop(Exception):
    pass


def stopped_after(n_turns: int) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if progress.turns_done >= n_turns:
            raise Stop

    return stop


def stopped_at(seconds: float) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if progress.audio_seconds >= seconds:
            raise Stop

    return stop


# ---- what comes of it ----------------------------------------------------------------------


def test_files_and_times(tone: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    seen: list[Progress] = []
    done = render(
        tone, f"# One\n{SCRIPT}", Wish(voices=["low", "high"]), path, Format.WAV, on_progress=seen.append
    )
    assert [one.name for one in done.files] == ["talk.wav", "talk.srt", "talk.vtt", "talk.chapters.json"]
    assert dict(done.voices) == {1: "low", 2: "high"}
    samples = heard(path)
    assert len(samples) / 24_000 == pytest.approx(done.audio_seconds)
    assert float(np.abs(samples).max()) == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert len(done.turns) == 8
    assert done.turns[0].start == 0
    assert done.turns[-1].end == len(samples)
    for one, other in pairwise(done.turns):
        assert one.end == other.start
    assert not folder_of(path).exists()
    assert [one.turns_done for one in seen] == list(range(9))
    assert seen[-1].share == 1.0
    assert all(one.eta_seconds is not None and one.eta_seconds >= 0 for one in seen[1:])


@pytest.mark.parametrize("fmt", [Format.MP3, Format.FLAC, Format.OPUS])
def test_formats(tone: Speaker, tmp_path: Path, fmt: Format) -> None:
    path = tmp_path / f"talk.{fmt}"
    done = render(tone, SCRIPT, Wish(), path, fmt)
    samples, rate = soundfile.read(path)
    assert len(samples) / rate == pytest.approx(done.audio_seconds, abs=0.15)


def test_pieces_are_as_loud_as_their_speaker_was_first(vibevoice: Speaker, tmp_path: Path) -> None:
    wish = Wish(voices=["en-Low_none", "en-High_none"], turns_per_context=2)
    done = render(vibevoice, SCRIPT, wish, tmp_path / "talk.wav", Format.WAV)
    samples = heard(tmp_path / "talk.wav")
    pieces = [samples[done.turns[i].start : done.turns[i + 1].end] for i in range(0, 8, 2)]
    levels = [10 * np.log10(np.mean(piece**2)) for piece in pieces]
    assert max(levels) - min(levels) < 3.0
    steps = np.abs(np.diff(samples))
    is_seam = np.zeros(len(steps), bool)
    for i in range(2, 8, 2):
        is_seam[done.turns[i].start - 1000 : done.turns[i].start + 1000] = True
    assert steps[is_seam].max() <= steps[~is_seam].max(), "no click"
    assert len(set(done.voices.values())) == 2


# ---- whatever stops it ---------------------------------------------------------------------


def interrupted(
    speaker: Speaker, wish: Wish, path: Path, stops: list[Callable[[Progress], None]]
) -> Rendered:
    for stop in stops:
        with pytest.raises(Stop):
            render(speaker, SCRIPT, wish, path, Format.WAV, on_progress=stop)
        partial = folder_of(path) / "partial.wav"
        assert len(heard(partial)) >= 0, "it can be played"
    return render(speaker, SCRIPT, wish, path, Format.WAV)


def test_a_job_goes_on_to_the_same_samples(tone: Speaker, tmp_path: Path) -> None:
    wish = Wish(voices=["low", "high"], seed=3)
    whole = render(tone, SCRIPT, wish, tmp_path / "whole.wav", Format.WAV)
    cut = interrupted(tone, wish, tmp_path / "cut.wav", [stopped_after(1), stopped_after(5)])
    assert cut.resumed_at_seconds > 0
    assert cut.turns == whole.turns
    assert (tmp_path / "cut.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


@pytest.mark.parametrize("turns_per_context", [0, 3])
def test_a_dialogue_goes_on_to_the_same_samples(
    vibevoice: Speaker, tmp_path: Path, turns_per_context: int
) -> None:
    wish = Wish(
        voices=["en-Low_none", "en-High_none"],
        turns_per_context=turns_per_context,
        options={"guard": "live"} if not turns_per_context else {},
    )
    whole = render(vibevoice, SCRIPT, wish, tmp_path / "whole.wav", Format.WAV)
    stops = [stopped_at(share * whole.audio_seconds) for share in (0.3, 0.6)]
    cut = interrupted(vibevoice, wish, tmp_path / "cut.wav", stops)
    assert cut.resumed_at_seconds > 0
    assert cut.turns == whole.turns
    assert (tmp_path / "cut.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def start(path: Path, config: Path, script: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ttsops", "render", script, "-o", path, "--config", config]
    return subprocess.Popen([str(one) for one in command], stderr=subprocess.PIPE)


@pytest.mark.server
@pytest.mark.parametrize("engine", ["tone", "vibevoice"])
def test_killed_in_the_middle_it_goes_on_to_the_same_samples(engine: str, tmp_path: Path) -> None:
    config, script = tmp_path / "ttsops.toml", tmp_path / "script.txt"
    options = {"tone": "step_seconds = 0.01", "vibevoice": 'random_weights = "small"\nmax_positions = 2048'}
    config.write_text(f'engine = "{engine}"\n[engines.{engine}.options]\n{options[engine]}\n')
    script.write_text(SCRIPT if engine == "tone" else "\n".join([SCRIPT] * 3))
    whole = start(tmp_path / "whole.wav", config, script)
    state = folder_of(tmp_path / "cut.wav") / "state.json"
    cut = start(tmp_path / "cut.wav", config, script)
    until = time.monotonic() + 60
    while not (state.exists() and (n_samples := json.loads(state.read_bytes())["n_samples"]) > 24_000):
        assert cut.poll() is None, cut.stderr and cut.stderr.read().decode()
        assert time.monotonic() < until
        time.sleep(0.005)
    os.kill(cut.pid, signal.SIGKILL)
    cut.communicate()
    assert len(heard(state.parent / "partial.wav")) >= n_samples, "what is there can be played"
    again = start(tmp_path / "cut.wav", config, script)
    _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said.decode()
    assert b"gone on at" in said
    assert whole.communicate(timeout=60)[1] is not None
    assert (tmp_path / "cut.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()
    assert (tmp_path / "cut.srt").read_bytes() == (tmp_path / "whole.srt").read_bytes()


def test_a_full_disk_ends_it_and_it_goes_on(
    tone: Speaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole.wav"
    render(tone, SCRIPT, Wish(), whole, Format.WAV)
    append = TrackFile.append
    n_left = 4

    def full(track: TrackFile, samples: Samples) -> None:
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            append(track, samples[: len(samples) // 2])  # what fits is on the disk already
            raise AudioError("cannot write: No space left on device")
        append(track, samples)

    monkeypatch.setattr(TrackFile, "append", full)
    with pytest.raises(AudioError, match="No space left"):
        render(tone, SCRIPT, Wish(), tmp_path / "cut.wav", Format.WAV)
    assert not (tmp_path / "cut.wav").exists()
    done = render(tone, SCRIPT, Wish(), tmp_path / "cut.wav", Format.WAV)
    assert done.resumed_at_seconds > 0
    assert (tmp_path / "cut.wav").read_bytes() == whole.read_bytes()


def test_half_of_another_job_is_refused_and_thrown_away_on_demand(tone: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with pytest.raises(Stop):
        render(tone, SCRIPT, Wish(), path, Format.WAV, on_progress=stopped_after(2))
    with pytest.raises(JobChanged, match="half of another job"):
        render(tone, SCRIPT + " More.", Wish(), path, Format.WAV)
    with pytest.raises(JobChanged):
        render(tone, SCRIPT, Wish(seed=1), path, Format.WAV)
    done = render(tone, SCRIPT, Wish(seed=1), path, Format.WAV, is_restart=True)
    assert done.resumed_at_seconds == 0


def test_a_damaged_state_and_a_changed_recording_are_told(tone: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with pytest.raises(Stop):
        render(tone, SCRIPT, Wish(), path, Format.WAV, on_progress=stopped_after(2))
    folder = folder_of(path)
    (folder / "partial.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match="was changed since"):
        render(tone, SCRIPT, Wish(), path, Format.WAV)
    (folder / "state.json").write_text("{")
    with pytest.raises(JobDamaged, match="no state of a job"):
        render(tone, SCRIPT, Wish(), path, Format.WAV)


def test_a_missing_checkpoint_is_told(vibevoice: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with pytest.raises(Stop):
        render(vibevoice, SCRIPT, Wish(), path, Format.WAV, on_progress=stopped_at(6.0))
    for checkpoint in (folder_of(path) / "checkpoints").iterdir():
        checkpoint.unlink()
    with pytest.raises(JobDamaged, match="cannot be read"):
        render(vibevoice, SCRIPT, Wish(), path, Format.WAV)


def test_two_at_one_recording_do_not_mix(tone: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"

    def another(progress: Progress) -> None:
        with pytest.raises(InvalidValue, match="another process is rendering"):
            render(tone, SCRIPT, Wish(), path, Format.WAV)

    render(tone, SCRIPT, Wish(), path, Format.WAV, on_progress=another)


# ---- what is refused before anything is spoken ----------------------------------------------


def test_bad_wishes_are_refused_and_leave_nothing(tone: Speaker, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with pytest.raises(UnknownVoice):
        render(tone, SCRIPT, Wish(voices=["nobody"]), path, Format.WAV)
    with pytest.raises(InvalidValue, match="3 voices are named, and 2 speak"):
        render(tone, SCRIPT, Wish(voices=["low", "high", "top"]), path, Format.WAV)
    with pytest.raises(InvalidValue, match=r"turn 1: `speed` is 9"):
        render(tone, SCRIPT, Wish(speed=9.0), path, Format.WAV)
    with pytest.raises(AudioError, match="there is no folder"):
        render(tone, SCRIPT, Wish(), tmp_path / "nowhere" / "talk.wav", Format.WAV)
    assert list(tmp_path.iterdir()) == []
