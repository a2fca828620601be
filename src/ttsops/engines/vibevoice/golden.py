"""Compares this engine's own code with a recorded case of the reference implementations.

A case is a folder: `config.json` (the model's), `model.safetensors`, `inputs.safetensors` with the exact
noise of every draw, `outputs.safetensors` and `meta.json` with its settings. A folder of tables has the
solver's numbers and the prompts' text, without a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError

from ttsops.engines.nn.comparison import Comparison
from ttsops.engines.vibevoice.golden_tables import compare_prompts, compare_solver
from ttsops.engines.vibevoice.golden_utterance import compare_utterance
from ttsops.errors import InvalidValue

SOLVER_TABLE, PROMPT_TABLE = "dpm_solver.safetensors", "prompt_strings.json"


def check_case(folder: Path) -> list[Comparison]:
    """One line per recorded tensor or text. Raises `InvalidValue` if the folder is no case of this engine."""
    try:
        with torch.inference_mode():
            return list(_compare(folder))
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        reason = f"`{e.args[0]}` is missing" if isinstance(e, KeyError) else str(e)
        raise InvalidValue(f"`{folder}` is no case of VibeVoice: {reason}") from e


def _compare(folder: Path) -> Iterator[Comparison]:
    has_tables = False
    for name, compare_table in ((SOLVER_TABLE, compare_solver), (PROMPT_TABLE, compare_prompts)):
        if (folder / name).exists():
            has_tables = True
            yield from compare_table(folder / name)
    if not has_tables or (folder / "outputs.safetensors").exists():
        yield from compare_utterance(folder)
