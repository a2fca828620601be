"""What `tone` can do, and how it is set up. Imports nothing heavy."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.engines.setup import EngineOptions, describe_options
from ttsops.speech import Voice

SAMPLE_RATE = 24_000

BASE_HZ = {"low": 160, "middle": 240, "high": 360, "top": 540}
"""Lowest frequency of each voice; its melody spans the octave above."""

VOICES = tuple(Voice(name, name.title(), description=f"Sine from {hz} Hz") for name, hz in BASE_HZ.items())


PACE = {"shapes": "nothing"}
"""Of an option that changes when the signal comes, or whether, and not how it sounds."""


class ToneOptions(EngineOptions, frozen=True):
    """A step takes `step_seconds` + `utterance_seconds` * batch + `rtf` * `chunk_seconds`."""

    first_audio_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds from open to the first sample", extra=PACE)
    ] = 0.0
    rtf: Annotated[
        float,
        Meta(
            ge=0, le=1000, description="Seconds of work per second of audio, for the whole batch", extra=PACE
        ),
    ] = 0.0
    step_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds each step takes whatever its batch", extra=PACE)
    ] = 0.0
    utterance_seconds: Annotated[
        float,
        Meta(ge=0, le=3600, description="Seconds each utterance of the batch adds to a step", extra=PACE),
    ] = 0.0
    chunk_seconds: Annotated[
        float,
        Meta(ge=0.001, le=10, description="Seconds of audio one step makes for each utterance", extra=PACE),
    ] = 0.08
    seconds_per_char: Annotated[
        float, Meta(ge=0.001, le=10, description="Seconds of audio one character of text becomes")
    ] = 0.06
    takes_text_in_pieces: Annotated[
        bool, Meta(description="Text may be appended while it speaks; false: whole sentences only")
    ] = True
    is_realtime: Annotated[
        bool, Meta(description="False: it says of itself that it is too slow for live streams", extra=PACE)
    ] = True
    simulates_live: Annotated[
        bool, Meta(description="It says of itself that it makes live streams whole first", extra=PACE)
    ] = False
    load_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds it takes to load", extra=PACE)
    ] = 0.0
    fail_to_load: Annotated[bool, Meta(description="Loading ends with an error", extra=PACE)] = False
    fail_after_steps: Annotated[
        int, Meta(ge=0, description="Every step after this many raises; 0 for never", extra=PACE)
    ] = 0
    hang_after_steps: Annotated[
        int,
        Meta(ge=0, description="The step after this many does not return for a day; 0 for never", extra=PACE),
    ] = 0
    crash_after_steps: Annotated[
        int, Meta(ge=0, description="The step after this many kills its process; 0 for never", extra=PACE)
    ] = 0
    leak_bytes_per_request: Annotated[
        int,
        Meta(ge=0, le=2**30, description="Bytes that every utterance leaves behind; 0 for none", extra=PACE),
    ] = 0
    gain: Annotated[
        float, Meta(ge=0, le=1000, description="Factor on the signal: 0 is silence, above 4 it clips")
    ] = 1.0
    offset: Annotated[float, Meta(ge=-1, le=1, description="Added to every sample")] = 0.0


CARD = EngineCard(
    name="tone",
    summary="Test signal, not speech: sines with a programmable pace and programmable faults",
    licence="MIT, as tts-ops itself",
    sample_rate=SAMPLE_RATE,
    default_voice="middle",
    max_batch=256,
    max_streams=1024,
    takes_text_in_pieces=True,
    has_pitch=True,
    gives_word_marks=True,
    options=(
        OptionSpec(
            "frequency",
            "int",
            "Hertz of one steady sine; 0 for a melody made from text, voice and seed",
            default=0,
            minimum=0,
            maximum=11_000,
        ),
        OptionSpec("fail", "bool", "This utterance fails, its neighbours do not", default=False),
        OptionSpec(
            "fail_after_seconds",
            "float",
            "Seconds of audio it speaks before `fail`",
            default=0.0,
            minimum=0,
            maximum=3600,
        ),
    ),
    setup=describe_options(ToneOptions),
)
