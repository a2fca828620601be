"""What `vibevoice-realtime` can do, and how it is set up. Imports no framework."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.engines.setup import NetworkOptions, describe_options

SAMPLE_RATE = 24_000

MAX_POSITIONS = 8192
"""Of a context, in the published configuration."""

BYTES_PER_POSITION = 2 * 2 * 2 * 64 * (4 + 2 * 20)
"""Of a stream, in bf16: keys and values of two heads of 64, in the four layers that read text only, and for
both branches in the twenty above them."""

PUBLISHED_VOICES = (
    "en-Carter_man",
    "en-Davis_man",
    "en-Emma_woman",
    "en-Frank_man",
    "en-Grace_woman",
    "en-Mike_man",
    "in-Samuel_man",
)
"""English voices published with the model; others are experimental."""

OPENAI_ALIASES = {
    "alloy": "en-Emma_woman",
    "ash": "en-Carter_man",
    "ballad": "en-Davis_man",
    "cedar": "en-Frank_man",
    "coral": "en-Grace_woman",
    "echo": "en-Mike_man",
    "fable": "in-Samuel_man",
    "marin": "en-Emma_woman",
    "nova": "en-Grace_woman",
    "onyx": "en-Frank_man",
    "sage": "en-Emma_woman",
    "shimmer": "en-Grace_woman",
    "verse": "en-Davis_man",
}


class RealtimeOptions(NetworkOptions, frozen=True):
    """Where the weights are, and how much of a context each stream may fill."""

    model: Annotated[
        str,
        Meta(
            description="Folder of microsoft/VibeVoice-Realtime-0.5B, or `realtime` once it is pulled",
            extra={"shapes": "files"},
        ),
    ] = ""
    tokenizer: Annotated[
        str,
        Meta(
            description="Folder of Qwen/Qwen2.5-0.5B's tokenizer; the model's folder if empty",
            extra={"shapes": "files"},
        ),
    ] = ""
    voices: Annotated[
        str,
        Meta(
            description="Folder of imported voices; `voices` in the model's folder if empty",
            extra={"shapes": "voices"},
        ),
    ] = ""
    default_voice: Annotated[
        str,
        Meta(
            description="Who speaks when a request names nobody; en-Carter_man or the first if empty",
            extra={"shapes": "nothing"},
        ),
    ] = ""
    max_positions: Annotated[
        int,
        Meta(
            ge=64,
            le=MAX_POSITIONS,
            description="Positions of a context: voice, text and speech; memory grows with it",
            extra={"shapes": "nothing"},
        ),
    ] = MAX_POSITIONS
    step_form: Annotated[
        Literal["auto", "ragged", "static"],
        Meta(
            description="How a frame is computed: row by row (`ragged`), or in fixed shapes that a GPU "
            "replays (`static`); `auto` is static on CUDA",
            extra={"shapes": "nothing"},
        ),
    ] = "auto"

    @property
    def voices_folder(self) -> Path | None:
        """Where imported voices are; None if no folder is set."""
        if self.voices:
            return Path(self.voices)
        return Path(self.model) / "voices" if self.model else None


CARD = EngineCard(
    name="vibevoice-realtime",
    summary="VibeVoice-Realtime-0.5B: neural speech from text that is still being written",
    licence="MIT (weights and code); synthetic speech must be disclosed",
    sample_rate=SAMPLE_RATE,
    default_voice="en-Carter_man",
    languages=("en", "en-IN"),
    max_batch=256,
    max_streams=256,
    takes_text_in_pieces=True,
    has_speed=False,
    bytes_per_stream=MAX_POSITIONS * BYTES_PER_POSITION,
    aliases=OPENAI_ALIASES,
    options=(
        OptionSpec(
            "steps",
            "int",
            "Solver steps of each frame: more sound cleaner and take longer",
            default=5,
            minimum=1,
            maximum=20,
        ),
        OptionSpec(
            "cfg_scale",
            "float",
            "Guidance: how closely speech follows the text; 1 switches it off, which is faster on a CPU",
            default=1.5,
            minimum=1.0,
            maximum=5.0,
        ),
        OptionSpec(
            "solver",
            "str",
            "`sde-dpmsolver++` draws fresh noise in every step and is said to sound cleaner",
            default="sde-dpmsolver++",
            choices=("sde-dpmsolver++", "dpmsolver++"),
        ),
        OptionSpec(
            "temperature",
            "float",
            "Scale of the noise that speech is made from: lower is more even, higher more varied",
            default=1.0,
            minimum=0.0,
            maximum=1.5,
        ),
    ),
    setup=describe_options(RealtimeOptions),
)
