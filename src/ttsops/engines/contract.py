"""The contract every engine keeps: open / step / close over a batch of utterances.

An engine is one loaded model on one device. It is blocking and owned by exactly one thread of one worker
process. It knows nothing of sockets, queues, clocks or other processes. A step is short: cancellation is
looked at between steps, never inside one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from ttsops.errors import EngineError, TtsOpsError
from ttsops.speech import Mark, OptionValue, Samples, SpeechRequest, Voice

Utterance: TypeAlias = Any
"""An engine's own state for one utterance: slots, caches, generator. Opaque to everybody else."""

NO_SAMPLES: Samples = np.zeros(0, np.float32)


Shapes: TypeAlias = Literal["value", "files", "voices", "nothing"]
"""What of an option is heard: its value; what is in the files that it names, wherever they lie; the voice
that is asked for, of those in the folder it names; nothing, as it is about pace, memory or when to fail."""


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """One option of a request that only this engine takes."""

    name: str
    kind: Literal["bool", "int", "float", "str"]
    help: str
    """A line: meaning, unit, direction."""

    default: OptionValue
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    shapes: Shapes = "value"
    """What of a set-up option is heard; an option that says nothing counts by its value."""


@dataclass(frozen=True, slots=True)
class EngineCard:
    """Declared up front, so that a request can be refused before it costs device time."""

    name: str

    summary: str
    """A line for those who choose an engine."""

    licence: str
    """Licence of what speaks (library or weights), and what it asks of the user."""

    sample_rate: int
    """Hertz. Every sample this engine yields has this rate; the runtime resamples to 24 kHz as a stream."""

    default_voice: str

    languages: tuple[str, ...] = ()
    """BCP 47 tags; empty if unknown."""

    max_batch: int = 1
    """How many utterances one step may advance together; 1 = the scheduler takes turns."""

    max_streams: int = 256
    """How many utterances may be open at once; from memory, for engines that keep state on a device."""

    max_text_chars: int = 20_000
    """Characters of one utterance, all pieces joined."""

    takes_text_in_pieces: bool = False
    """True if `append` and `end` may follow `open`; otherwise the runtime opens whole sentences."""

    has_speed: bool = True
    """`SpeechRequest.speed` is applied by the engine."""

    has_pitch: bool = False
    """`SpeechRequest.pitch` is applied by the engine."""

    gives_word_marks: bool = False

    clones_voices: bool = False

    is_realtime: bool = True
    """False if it was measured to be slower than playback on its device: it makes files, no live streams."""

    simulates_live: bool = False
    """It is slower than playback, and makes a live stream whole before it is sent at the pace of play."""

    deterministic: bool = True
    """Same request and seed, same samples."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    """Voice names of other systems (OpenAI's thirteen) → voice ids of this engine."""

    voice_variants: tuple[str, ...] = ()
    """What may follow any voice id after a `+` (`en-us+f3`)."""

    options: tuple[OptionSpec, ...] = ()
    """What a request may carry in `SpeechRequest.options`."""

    setup: tuple[OptionSpec, ...] = ()
    """What its set-up takes in `EngineConfig.options`."""

    bytes_per_stream: int = 0
    """Device memory of one open utterance; 0 where it does not matter."""


GUARD = "guard"
"""The option of a request that says what an engine does about faults in its own speech; `off` is nothing."""

FaultKind: TypeAlias = Literal["silence", "noise", "sudden_end", "endless"]
"""What an engine noticed in its own speech: nothing is heard, or only noise; it ended long before its text,
or not at all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with what was made, and what was done about it."""

    kind: FaultKind
    answer: Literal["again", "let_pass"]
    """Made again with another seed; or left as it is: it was heard already, or too many tries were made."""


@dataclass(slots=True)
class Step:
    """What one step did for one utterance."""

    samples: Samples = field(default_factory=lambda: NO_SAMPLES)
    """New audio [N] at the card's rate; often empty (an ODE step, a prefill)."""

    marks: tuple[Mark, ...] = ()
    """Times count from the utterance's first sample. A mark comes no later than the audio it points into."""

    is_done: bool = False
    """The utterance has said everything; only `close` may follow."""

    needs_text: bool = False
    """Starved: stepping again is pointless before `append` or `end`."""

    faults: tuple[Fault, ...] = ()
    """What the engine noticed and dealt with; counted, never told to the listener."""

    error: TtsOpsError | None = None
    """This utterance failed; its neighbours did not. Only `close` may follow."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How an engine is set up; everything that is not part of a request."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda:N` or `mps`."""

    dtype: str = "auto"
    max_batch: int | None = None
    """Lower the card's `max_batch`."""

    max_streams: int | None = None
    """Lower the card's `max_streams`."""

    options: Mapping[str, OptionValue] = field(default_factory=dict)
    """What only this engine knows (`[engines.tone] rtf = 0.5`); an unknown name is refused by its factory."""


class Engine(Protocol):
    """Subclass it to inherit the answers of an engine that needs whole texts and no warm-up."""

    card: EngineCard

    def voices(self) -> Sequence[Voice]:
        """Everybody this engine speaks as; `card.default_voice` is one of them."""
        ...

    def warm_up(self) -> None:
        """Pay first-call costs before readiness. Called once, on the thread that steps."""
        return

    def open(self, request: SpeechRequest) -> Utterance:
        """Voice in, state allocated. Raises `RequestError` for what the card could not rule out."""
        ...

    def append(self, utterance: Utterance, text: str) -> None:
        """More text. Only for engines whose card says `takes_text_in_pieces`."""
        raise EngineError(f"engine `{self.card.name}` takes no text in pieces")

    def end(self, utterance: Utterance) -> None:
        """No more text will come. Only for engines whose card says `takes_text_in_pieces`."""
        raise EngineError(f"engine `{self.card.name}` takes no text in pieces")

    def step(self, batch: Sequence[Utterance]) -> list[Step]:
        """Move each utterance one unit of progress forward in one batched call; one `Step` each, in order."""
        ...

    def close(self, utterance: Utterance) -> None:
        """Free its state, also when it was cut off half-way. Never raises."""
        ...

    def shutdown(self) -> None:
        """Give the device back. Nothing may follow."""
        return


@runtime_checkable
class Resumable(Protocol):
    """An engine whose long utterances can be kept on the disk and gone on with to the same bit.

    For whoever steps an utterance alone, from its beginning.
    """

    def is_at_pause(self, utterance: Utterance) -> bool:
        """A segment of speech has just ended, and all of its samples were given: now is the time to save."""
        ...

    def save(self, utterance: Utterance, folder: Path, number: int) -> None:
        """Checkpoint `number`, counted from 1, each behind the one before. Raises `AudioError`."""
        ...

    def resume(self, request: SpeechRequest, folder: Path, number: int) -> Utterance:
        """The same request again, where it was when it was saved. Raises `JobDamaged`."""
        ...
