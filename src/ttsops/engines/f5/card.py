"""What `f5` can do, and how it is set up. Imports no framework."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.engines.setup import NetworkOptions, describe_options

SAMPLE_RATE = 24_000

PRESETS = {"live": 7, "balanced": 12, "recorded": 16, "archive": 32}
"""Name → steps from noise to speech."""


class F5Options(NetworkOptions, frozen=True):
    """Where the weights and the voices are."""

    model: Annotated[
        str,
        Meta(
            description="F5TTS_v1_Base of SWivid/F5-TTS: its .safetensors or folder; or `f5`, once pulled",
            extra={"shapes": "files"},
        ),
    ] = ""
    vocab: Annotated[
        str, Meta(description="Its vocab.txt; beside the checkpoint if empty", extra={"shapes": "files"})
    ] = ""
    vocoder: Annotated[
        str,
        Meta(
            description="Folder of charactr/vocos-mel-24khz; `vocos` beside the checkpoint if empty",
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
    only_nfe: Annotated[
        str,
        Meta(
            description="Offer these numbers of steps alone (`7,16`), at the default sway: frees two fifths "
            "of the weights",
            extra={"shapes": "nothing"},
        ),
    ] = ""
    compile: Annotated[
        Literal["never", "always"],
        Meta(
            description="Compile the network before it is ready, which takes minutes",
            extra={"shapes": "nothing"},
        ),
    ] = "never"
    runtime: Annotated[
        Literal["torch", "onnx"],
        Meta(description="What computes the network and the vocoder: PyTorch, or ONNX Runtime on a CPU"),
    ] = "torch"
    onnx: Annotated[
        str,
        Meta(
            description="Folder that `ttsops export onnx` wrote, of the same weights; for `runtime`",
            extra={"shapes": "files"},
        ),
    ] = ""
    live: Annotated[
        bool,
        Meta(
            description="Offer live streams even if a step takes too long for them on this device",
            extra={"shapes": "nothing"},
        ),
    ] = False

    @property
    def voices_folder(self) -> Path | None:
        """Where imported voices are; None if no folder is set."""
        if self.voices:
            return Path(self.voices)
        if not self.model:
            return None
        path = Path(self.model)
        return (path.parent if path.suffix else path) / "voices"


CARD = EngineCard(
    name="f5",
    summary="F5-TTS v1 Base with Vocos: any voice from a few seconds of it, quality or speed per request",
    licence="CC-BY-NC-4.0 (weights; non-commercial), MIT (code); synthetic speech must be disclosed",
    sample_rate=SAMPLE_RATE,
    default_voice="",
    languages=("en", "zh"),
    max_batch=32,
    max_streams=64,
    clones_voices=True,
    options=(
        OptionSpec(
            "nfe",
            "int",
            "Steps from noise to speech: more sound cleaner and take longer",
            default=7,
            minimum=5,
            maximum=64,
        ),
        OptionSpec(
            "cfg_strength",
            "float",
            "Guidance: how closely speech follows text and voice; 0 switches it off and is twice as fast",
            default=2.0,
            minimum=0.0,
            maximum=10.0,
        ),
        OptionSpec(
            "sway",
            "float",
            "Where the steps lie: below 0 more of them are early, where speech takes shape; 0 is even",
            default=-1.0,
            minimum=-1.0,
            maximum=1.0,
        ),
        OptionSpec(
            "cross_fade",
            "float",
            "Seconds over which one piece of a long text fades into the next",
            default=0.15,
            minimum=0.0,
            maximum=1.0,
        ),
        OptionSpec(
            "preset",
            "str",
            "A number of steps by name: " + ", ".join(f"{name} {nfe}" for name, nfe in PRESETS.items()),
            default="",
            choices=("", *PRESETS),
        ),
    ),
    setup=describe_options(F5Options),
)
