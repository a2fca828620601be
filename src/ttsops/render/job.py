"""A job from its script to its files. Blocking: whoever does something else meanwhile gives it a thread.

Everything that is half done lies in a folder beside the recording: `partial.wav`, which can be played at any
time, and `state.json`. The same call again goes on where it stopped, whatever stopped it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ttsops.audio import (
    Format,
    atomic_file,
    claimed_folder,
    create_encoder,
    synthetic_speech,
    write_atomically,
)
from ttsops.audio.checks import from_dbfs
from ttsops.audio.files import LOCK_FILE
from ttsops.audio.speech_files import PEAK_DBFS
from ttsops.errors import AudioError, NoAudio, RequestError
from ttsops.render import captions
from ttsops.render.chunked import AnySpeaker, speak_chunk
from ttsops.render.plan import Chunk, Wish, cast_voices, fingerprint, plan_chunks
from ttsops.render.script import RenderScript, read_render_script, speakable
from ttsops.render.speaker import Speaker
from ttsops.render.state import State, TurnTime, load_state, save_state
from ttsops.render.track_file import TrackFile
from ttsops.render.whole import speak_whole
from ttsops.speech import SAMPLE_RATE, SpeechRequest
from ttsops.voices import resolve_voice

PARTIAL_FILE = "partial.wav"

USUAL_CHARS_PER_SECOND = 15.0
"""Of speech: for how far a dialogue is that is spoken in one go."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    share: float
    """0 to 1, by letters."""

    turns_done: int
    n_turns: int
    audio_seconds: float
    eta_seconds: float | None
    """Until it is done, at the pace of this run; None before there is one."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of it."""

    path: Path
    audio_seconds: float
    seconds: float
    """Spent on it, over all runs."""

    turns: tuple[TurnTime, ...]
    voices: Mapping[int, str]
    """Speaker → voice id."""

    files: tuple[Path, ...]
    resumed_at_seconds: float
    """Of the recording: what an earlier run had made."""


def folder_of(path: Path) -> Path:
    """Where what is half done of `path` is kept."""
    return path.with_name(f"{path.name}.render")


def render(
    speaker: AnySpeaker,
    text: str,
    wish: Wish,
    path: Path,
    fmt: Format,
    *,
    is_restart: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Rendered:
    """Speak a script into `path`, its subtitles and chapters beside it.

    Raises a `RequestError` for a script that cannot be spoken, before anything is; `JobChanged` and
    `JobDamaged` for what is half done and no use; `AudioError` for files; and what the engine raises.
    """
    if not path.parent.is_dir():
        raise AudioError(f"cannot write `{path}`: there is no folder `{path.parent}`")
    script, chunks, voices = plan_job(speaker, text, wish)
    job_hash = fingerprint(
        script, replace(wish, voices=tuple(voices.values())), speaker.card.name, speaker.weights
    )
    folder = folder_of(path)
    with _job_folder(folder, is_restart=is_restart):
        state = load_state(folder, job_hash)
        with _track(folder, state) as track:
            resumed_at = track.n_samples / SAMPLE_RATE
            _Run(speaker, script, chunks, wish, folder, state, track, on_progress).speak_all()
            if not track.n_samples:
                raise NoAudio("nothing in this script can be spoken", param="script", hint="send words")
            _write_audio(track, path, fmt, speaker.card.name)
            files = _write_captions(read_render_script(text), state.turns, path)
        shutil.rmtree(folder, ignore_errors=True)
    return Rendered(
        path,
        track.n_samples / SAMPLE_RATE,
        state.seconds,
        tuple(state.turns),
        voices,
        (path, *files),
        resumed_at,
    )


def plan_job(speaker: AnySpeaker, text: str, wish: Wish) -> tuple[RenderScript, list[Chunk], dict[int, str]]:
    """What is said, in which pieces, as whom. Raises a `RequestError` for what cannot be spoken."""
    card = speaker.card
    script = read_render_script(text)
    named = cast_voices(script, wish, card.default_voice)
    voices = {number: resolve_voice(voice, card, speaker.voices) for number, voice in named.items()}
    languages = {voice.id: voice.language for voice in speaker.voices}
    language = wish.language or languages.get(next(iter(voices.values())), "")
    script = speakable(script, language, wish.text_options)
    chunks = plan_chunks(script, wish, card, voices)
    checked = [
        replace(chunk, requests=tuple(_check(speaker, chunk, request) for request in chunk.requests))
        for chunk in chunks
    ]
    return script, checked, voices


def _check(speaker: AnySpeaker, chunk: Chunk, request: SpeechRequest) -> SpeechRequest:
    try:
        return speaker.check(request)
    except RequestError as e:
        at = chunk.first_turn + 1
        raise type(e)(f"turn {at}: {e.message}", hint=e.hint, param=e.param) from e


@contextmanager
def _job_folder(folder: Path, *, is_restart: bool) -> Iterator[None]:
    """Made, and this process's alone. Raises `InvalidValue` if another one is at it."""
    with claimed_folder(folder, "rendering"):
        if is_restart:
            for one in folder.iterdir():
                if one.name != LOCK_FILE:
                    shutil.rmtree(one) if one.is_dir() else one.unlink()
        yield


@contextmanager
def _track(folder: Path, state: State) -> Iterator[TrackFile]:
    track = TrackFile(folder / PARTIAL_FILE, state.n_samples, state.tail)
    try:
        yield track
    finally:
        track.close()


class _Run:
    """One run of a job: from where it is to its end, or to whatever stops it."""

    def __init__(
        self,
        speaker: AnySpeaker,
        script: RenderScript,
        chunks: Sequence[Chunk],
        wish: Wish,
        folder: Path,
        state: State,
        track: TrackFile,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._speaker = speaker
        self._script = script
        self._chunks = chunks
        self._wish = wish
        self._folder = folder
        self._state = state
        self._track = track
        self._on_progress = on_progress
        self._started_at = time.monotonic()
        self._counted_at = self._started_at
        self._begun_with = self._share()

    def speak_all(self) -> None:
        """Every chunk that is not done."""
        speaker, state = self._speaker, self._state
        whole = speaker if isinstance(speaker, Speaker) and len(self._chunks) == 1 else None
        self._tell()
        for chunk in self._chunks[state.n_chunks :]:
            if whole is not None and whole.is_resumable:
                times = speak_whole(
                    whole, self._script, chunk, state, self._track, self._folder, self._keep, self._tell
                )
            else:
                times = speak_chunk(
                    speaker, self._script, chunk, state, self._track, is_matched=self._wish.is_matched
                )
            state.turns += times
            state.n_chunks += 1
            state.marks, state.checkpoint = [], 0
            self._keep()
            self._tell()

    def _keep(self) -> None:
        """What was made is on the disk, and so is that it was."""
        self._track.sync()
        now = time.monotonic()
        self._state.seconds += now - self._counted_at
        self._counted_at = now
        self._state.n_samples = self._track.n_samples
        save_state(self._folder, self._state)

    def _share(self) -> float:
        n_chars = max(1, self._script.n_chars)
        n_done = sum(len(turn.text) for turn in self._script.turns[: len(self._state.turns)])
        if len(self._chunks) == 1 and not self._state.turns:
            n_done = min(n_chars - 1, round(self._track.n_samples / SAMPLE_RATE * USUAL_CHARS_PER_SECOND))
        return n_done / n_chars

    def _tell(self) -> None:
        share = self._share()
        gained, spent = share - self._begun_with, time.monotonic() - self._started_at
        self._on_progress(
            Progress(
                share,
                len(self._state.turns),
                len(self._script.turns),
                self._track.n_samples / SAMPLE_RATE,
                spent * (1 - share) / gained if gained > 0 else None,
            )
        )


def _write_audio(track: TrackFile, path: Path, fmt: Format, engine: str) -> None:
    """All of it with its peak where a file's is, some seconds at a time."""
    peak = track.peak()
    gain = from_dbfs(PEAK_DBFS) / peak if peak else 1.0
    with (
        atomic_file(path) as file,
        create_encoder(fmt, total_samples=track.n_samples, tags=synthetic_speech(engine)) as encoder,
    ):
        for piece in track.pieces():
            file.write(encoder.encode(piece * gain))
        file.write(encoder.finish())


def _write_captions(script: RenderScript, times: Sequence[TurnTime], path: Path) -> tuple[Path, ...]:
    found = list(captions.cues(script, times))
    texts = {
        path.with_suffix(".srt"): captions.to_srt(found),
        path.with_suffix(".vtt"): captions.to_vtt(found),
        path.with_suffix(".chapters.json"): captions.to_chapters(script, times),
    }
    for at, text in texts.items():
        write_atomically(at, text.encode())
    return tuple(texts)
