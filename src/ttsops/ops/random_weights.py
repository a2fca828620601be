"""Weights that are noise: how an engine is set up with them, and what must then be said with every figure."""

from __future__ import annotations

from typing import Literal

import msgspec

from ttsops.engines import registry
from ttsops.errors import InvalidValue
from ttsops.settings import EngineSettings

RandomWeights = Literal["", "small", "full"]

OPTION = "random_weights"
"""Set-up option of engines that can do without their weights."""

NOTES = {
    "full": "random weights: speed is real, speech is not",
    "small": "random weights of a small model: neither its speed nor its speech is that of the published one",
}


def with_random_weights(engine: str, setup: EngineSettings, random_weights: RandomWeights) -> EngineSettings:
    """The set-up of `engine` with them; unchanged for an empty word.

    Raises `InvalidValue` if random weights are asked of an engine that has none.
    """
    if not random_weights:
        return setup
    if OPTION not in {option.name for option in registry.card(engine).setup}:
        raise InvalidValue(f"engine `{engine}` has no weights that could be random", param=OPTION)
    return msgspec.structs.replace(setup, options=setup.options | {OPTION: random_weights})


def note_of(setup: EngineSettings) -> str:
    """What must be said with every figure; empty if the engine speaks as published."""
    chosen = str(setup.options.get(OPTION, ""))
    return NOTES.get(chosen, f"random weights ({chosen})" if chosen else "")
