"""In which pieces a script is spoken, and what each asks of the engine. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from ttsops.engines.contract import EngineCard
from ttsops.errors import InvalidValue
from ttsops.render.script import RenderScript
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.text import TextOptions, split_sentences

SPEAKERS_OPTION = "speakers"
"""An engine with it reads scripts: it takes the voices of all speakers at once."""

MAX_PIECE_CHARS = 500
"""Of a sentence, where a turn has to be cut for an engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a script is to be rendered."""

    voices: Sequence[str] = ()
    """Of the speakers in ascending order of their numbers; of those without, the engine's default."""

    language: str = ""
    speed: float = 1.0
    seed: int = 0
    """Piece i is spoken with `seed` + i, so that each can be made again alone."""

    options: Mapping[str, OptionValue] = field(default_factory=dict)
    """What only the engine takes."""

    text_options: TextOptions = field(default_factory=TextOptions)
    turns_per_context: int = 0
    """Turns that are spoken in one go, by an engine that reads scripts; 0 for all of them."""

    is_matched: bool = True
    """Loudness, and pace where it strays, are matched between pieces."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a script that is spoken in one go, with a context of its own."""

    first_turn: int
    n_turns: int
    requests: tuple[SpeechRequest, ...]
    """One, or several where a turn is longer than an utterance may be."""


def reads_scripts(card: EngineCard) -> bool:
    """Whether the engine speaks as several voices in one utterance."""
    return any(option.name == SPEAKERS_OPTION for option in card.options)


def cast_voices(script: RenderScript, wish: Wish, default: str) -> dict[int, str]:
    """Speaker → voice id. Raises `InvalidValue` for more voices than speakers."""
    if len(wish.voices) > len(script.speakers):
        raise InvalidValue(
            f"{len(wish.voices)} voices are named, and {len(script.speakers)} speak in the script",
            hint="name one voice for each speaker, in the order of their numbers",
            param="voices",
        )
    return {
        speaker: wish.voices[i] if i < len(wish.voices) else default
        for i, speaker in enumerate(script.speakers)
    }


def plan_chunks(script: RenderScript, wish: Wish, card: EngineCard, voices: Mapping[int, str]) -> list[Chunk]:
    """Every turn in one of them, in order."""
    n_turns = len(script.turns)
    size = (wish.turns_per_context or n_turns) if reads_scripts(card) else 1
    return [
        _chunk(script, wish, card, voices, first, min(size, n_turns - first), number)
        for number, first in enumerate(range(0, n_turns, size))
    ]


def _chunk(
    script: RenderScript,
    wish: Wish,
    card: EngineCard,
    voices: Mapping[int, str],
    first: int,
    n_turns: int,
    number: int,
) -> Chunk:
    turns = script.turns[first : first + n_turns]
    options = dict(wish.options)
    if reads_scripts(card):
        order = script.speakers
        numbers = {speaker: i for i, speaker in enumerate(order, start=1)}
        texts = ["\n".join(f"Speaker {numbers[turn.speaker]}: {turn.text}" for turn in turns if turn.text)]
        voice = voices[order[0]]
        if len(order) > 1:
            options[SPEAKERS_OPTION] = ",".join(voices[speaker] for speaker in order[1:])
    else:
        texts = _pieces(turns[0].text, card.max_text_chars)
        voice = voices[turns[0].speaker]
    return Chunk(
        first,
        n_turns,
        tuple(
            SpeechRequest(
                text,
                voice=voice,
                language=wish.language,
                speed=wish.speed,
                seed=wish.seed + number,
                options=options,
            )
            for text in texts
            if text.strip()
        ),
    )


def _pieces(text: str, max_chars: int) -> list[str]:
    """`text` cut between sentences where it is longer than an utterance may be."""
    if len(text) <= max_chars:
        return [text]
    pieces = [""]
    for sentence in split_sentences(text, max_chars=min(MAX_PIECE_CHARS, max_chars)):
        if len(pieces[-1]) + len(sentence) > max_chars:
            pieces.append("")
        pieces[-1] += sentence
    return pieces


def fingerprint(script: RenderScript, wish: Wish, engine: str, weights: Mapping[str, str]) -> str:
    """Of all that shapes the result: jobs that share one make the same file, and may continue each other."""
    what = {
        "engine": engine,
        "weights": dict(weights),
        "turns": [(turn.speaker, turn.text) for turn in script.turns],
        "chapters": {str(at): title for at, title in script.chapters.items()},
        "wish": msgspec.to_builtins(wish),
    }
    return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()
