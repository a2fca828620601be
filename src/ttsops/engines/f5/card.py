"""What `f5` can do, and how it is set up. Imports no framework."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ttsops.engines.contract import EngineCard, OptionSpec
from ttsops.engines.setup import EngineOptions, describe_options

SAMPLE_RATE = 24_000


class F5Options(EngineOptions, frozen=True):
    """Where the weights and the voices are."""

    model: Annotated[
        str,
        Meta(description="F5TTS_v1_Base of SWivid/F5-TTS: its .safetensors file or folder"),
    ] = ""
    vocab: Annotated[str, Meta(description="Its vocab.txt; beside the checkpoint if empty")] = ""
    vocoder: Annotated[
        str, Meta(description="Folder of charactr/vocos-mel-24khz; `vocos` beside the checkpoint if empty")
    ] = ""
    voices: Annotated[
        str, Meta(description="Folder of imported voices; `voices` in the model's folder if empty")
    ] = ""
    default_voice: Annotated[
        str, Meta(description="Who speaks when a request names nobody; the first if empty")
    ] = ""
    random_weights: Annotated[
        Literal["", "small", "full"],
        Meta(
            description="`small` or `full`: noise instead of speech, for tests and benchmarks without weights"
        ),
    ] = ""
    random_seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Seed of random weights")] = 0
    threads: Annotated[
        int, Meta(ge=0, le=1024, description="CPU threads of a step; 0 for the library's choice")
    ] = 0


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
            "A set of the values above by name",
            default="",
            choices=("", "live", "balanced", "recorded", "archive"),
        ),
    ),
    setup=describe_options(F5Options),
)
