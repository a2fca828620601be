"""What `vibevoice` can do, and how it is set up. Imports no framework."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from ttsops.engines.contract import GUARD, EngineCard, OptionSpec
from ttsops.engines.setup import NetworkOptions, describe_options

SAMPLE_RATE = 24_000

MAX_SPEAKERS = 4
"""Of one script: the model was trained on no more."""

MAX_POSITIONS = 65_536
"""Of a context of VibeVoice-1.5B, about 90 minutes; VibeVoice-Large has half."""

DEFAULT_POSITIONS = 16_384
"""Half an hour: what more takes in memory should be asked for."""

BYTES_PER_POSITION = 2 * 28 * 2 * 2 * 128 * 2
"""Of VibeVoice-1.5B in bf16: both branches, 28 layers, keys and values of two heads of 128."""

MAX_TEXT_CHARS = 100_000
"""90 minutes of speech have about 80 000."""


class VibeVoiceOptions(NetworkOptions, frozen=True):
    """Where the weights and the voices are, and how long a dialogue may be."""

    model: Annotated[
        str,
        Meta(
            description="Folder of VibeVoice-1.5B or Large in either layout; `1.5B` or `large` once pulled",
            extra={"shapes": "files"},
        ),
    ] = ""
    tokenizer: Annotated[
        str,
        Meta(
            description="Folder of Qwen/Qwen2.5-1.5B's tokenizer; the model's folder if empty",
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
            description="Who speaks when a request names nobody; the first if empty",
            extra={"shapes": "nothing"},
        ),
    ] = ""
    max_positions: Annotated[
        int,
        Meta(
            ge=256,
            le=MAX_POSITIONS,
            description="Positions of a dialogue: voices, script, and 7.5 for each second of speech; memory "
            "grows with it. No more than the model has",
            extra={"shapes": "nothing"},
        ),
    ] = DEFAULT_POSITIONS
    step_form: Annotated[
        Literal["auto", "ragged", "static"],
        Meta(
            description="How a step is computed: row by row (`ragged`), or in fixed shapes that a GPU "
            "replays (`static`); `auto` is static on CUDA",
            extra={"shapes": "nothing"},
        ),
    ] = "auto"
    max_frames_per_char: Annotated[
        float,
        Meta(
            ge=0.1,
            le=100.0,
            description="Where speech without an end is cut off: frames (7.5 a second) for each character; "
            "speech has about 0.5",
            extra={"shapes": "nothing"},
        ),
    ] = 2.0
    live: Annotated[
        bool,
        Meta(
            description="Offer live streams even if a frame takes too long for them on this device",
            extra={"shapes": "nothing"},
        ),
    ] = False

    simulate_live: Annotated[
        bool,
        Meta(
            description="Where a frame takes too long for live streams: make each whole, then send it at the "
            "pace of play",
            extra={"shapes": "nothing"},
        ),
    ] = False

    @property
    def voices_folder(self) -> Path | None:
        """Where imported voices are; None if no folder is set."""
        if self.voices:
            return Path(self.voices)
        return Path(self.model) / "voices" if self.model else None


CARD = EngineCard(
    name="vibevoice",
    summary="VibeVoice-1.5B and Large: long dialogues of up to four voices, each from a recording",
    licence="MIT (weights and code); advised for research only, synthetic speech must be disclosed",
    sample_rate=SAMPLE_RATE,
    default_voice="",
    languages=("en", "zh"),
    max_batch=32,
    max_streams=32,
    max_text_chars=MAX_TEXT_CHARS,
    has_speed=False,
    clones_voices=True,
    bytes_per_stream=DEFAULT_POSITIONS * BYTES_PER_POSITION,
    options=(
        OptionSpec(
            "speakers",
            "str",
            "Voices of `Speaker 2:`, `Speaker 3:` and `Speaker 4:` in a script, with commas between them; "
            "the request's own voice is `Speaker 1:`",
            default="",
        ),
        OptionSpec(
            "steps",
            "int",
            "Solver steps of each frame: more sound cleaner and take longer",
            default=10,
            minimum=1,
            maximum=50,
        ),
        OptionSpec(
            "cfg_scale",
            "float",
            "Guidance: how closely speech follows the text; 1 switches it off, which is faster on a CPU",
            default=1.3,
            minimum=1.0,
            maximum=5.0,
        ),
        OptionSpec(
            "solver",
            "str",
            "`sde-dpmsolver++` draws fresh noise in every step; the published code does not",
            default="dpmsolver++",
            choices=("dpmsolver++", "sde-dpmsolver++"),
        ),
        OptionSpec(
            GUARD,
            "str",
            "What is done about silence, noise, and an end too early or never. `live`: frames in doubt are "
            "held, and made again with another seed if doubt lasts; `file`: nothing leaves before all of it",
            default="live",
            choices=("off", "live", "file"),
        ),
    ),
    setup=describe_options(VibeVoiceOptions),
)
