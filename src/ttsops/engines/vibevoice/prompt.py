"""The prompt: a task, the voices, the script and the beginning of speech, exactly as the model was trained.

Every piece of text is tokenised by itself, as the published code does: a token never spans two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ttsops.engines.nn.qwen_tokenizer import Tokenizer
from ttsops.engines.vibevoice.config import SpeechTokens
from ttsops.text import Script

TASK = (
    " Transform the text provided by various speakers into speech output,"
    " utilizing the distinct voice of each respective speaker.\n"
)

Line: TypeAlias = tuple[int, str]
"""A speaker's number in the prompt, from 0, and what is said."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A token that stands for no text, once or several times."""

    name: Literal["audio_bos", "audio", "audio_eos"]
    count: int = 1


Piece: TypeAlias = str | Mark


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model reads before it speaks."""

    ids: tuple[int, ...]

    n_prefix: int = 0
    """Ids that are the same whatever is said: the task and the voices."""

    @property
    def prefix(self) -> tuple[int, ...]:
        """Those ids."""
        return self.ids[: self.n_prefix]


def speaker_numbers(script: Script) -> Mapping[int, int]:
    """The number in the prompt of each speaker of a script.

    Counted from 0 without gaps, because voices are. The published code subtracts 1 from all, which is the
    same for scripts without gaps; speakers 2 and 4 alone would get no voice there.
    """
    return {speaker: number for number, speaker in enumerate(script.speakers)}


def script_lines(script: Script) -> list[Line]:
    """The turns of a script with the speakers' numbers of the prompt."""
    numbers = speaker_numbers(script)
    return [(numbers[turn.speaker], turn.text) for turn in script.turns]


def prefix_pieces(voice_frames: Sequence[int]) -> Iterator[Piece]:
    """The task, and the voices of speakers 0, 1, … with so many frames each; there may be none."""
    yield TASK
    if voice_frames:
        yield " Voice input:\n"
    for number, n_frames in enumerate(voice_frames):
        yield from (
            f" Speaker {number}:",
            Mark("audio_bos"),
            Mark("audio", n_frames),
            Mark("audio_eos"),
            "\n",
        )


def script_pieces(lines: Sequence[Line]) -> Iterator[Piece]:
    """The script, and the beginning of speech."""
    yield " Text input:\n"
    for number, text in lines:
        yield f" Speaker {number}: {text}\n"
    yield from (" Speech output:\n", Mark("audio_bos"))


def make_prompt(
    lines: Sequence[Line], voice_frames: Sequence[int], tokenizer: Tokenizer, tokens: SpeechTokens
) -> Prompt:
    """`voice_frames` are the lengths of the voices of speakers 0, 1, …; a speaker without one gets any."""
    prefix = list(_ids(prefix_pieces(voice_frames), tokenizer, tokens))
    return Prompt((*prefix, *_ids(script_pieces(lines), tokenizer, tokens)), len(prefix))


def _ids(pieces: Iterator[Piece], tokenizer: Tokenizer, tokens: SpeechTokens) -> Iterator[int]:
    for piece in pieces:
        if isinstance(piece, Mark):
            yield from [getattr(tokens, piece.name)] * piece.count
        else:
            yield from tokenizer.encode(piece)
