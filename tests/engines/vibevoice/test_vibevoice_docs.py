"""What the engine's page says can be done as it is printed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
import torch
from checkpoints import Shapes

from ttsops.cli.app import app
from ttsops.engines.setup import read_options
from ttsops.engines.vibevoice.card import CARD, VibeVoiceOptions
from ttsops.engines.vibevoice.casting import cast, read_lines
from ttsops.engines.vibevoice.config import VibeVoiceConfig
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.random_model import FULL, LARGE
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.runtime.checks import check_request
from ttsops.settings import load_settings
from ttsops.speech import SpeechRequest, Voice

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[3] / "docs"
FILE = DOCS / "engines" / "vibevoice.md"
PAGE = FILE.read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("ttsops ")]


def test_the_settings_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "ttsops.toml"
    path.write_text(blocks("toml")[0])
    settings = load_settings(path, {})
    options = read_options(CARD.name, settings.engine_settings(settings.engine).options, VibeVoiceOptions)
    assert (settings.engine, options.voices_folder) == (CARD.name, Path("weights/voices"))
    assert options.max_positions == VibeVoiceOptions().max_positions, "the page says that it is the default"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_exists(words: list[str]) -> None:
    command: click.Command = app
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found, f"no command `{words[0]}`"
        command, words = found, words[1:]
    command.make_context("ttsops", list(words))


def test_the_request_is_accepted_by_the_card_and_can_be_cast() -> None:
    body = json.loads(re.findall(r"-d '(.*?)'", "".join(blocks("sh")), re.DOTALL)[0])
    request = SpeechRequest(body["input"], voice=body["voice"], seed=body["seed"], options=body["options"])
    checked = check_request(request, CARD, [Voice(body["voice"], "Alice")])
    _, voices = cast(read_lines(checked.text), checked.voice, str(checked.options["speakers"]))
    assert voices == ["en-Alice_woman", "en-Bob_man"]


def test_every_option_is_explained() -> None:
    for option in CARD.options:
        assert f"| `{option.name}` |" in PAGE


@pytest.mark.parametrize(
    ("column", "sizes", "dtype"),
    [(0, FULL, torch.bfloat16), (1, FULL, torch.float32), (2, LARGE, torch.bfloat16)],
    ids=["1.5B bf16", "1.5B fp32", "Large bf16"],
)
def test_the_memory_of_a_dialogue_is_what_is_allocated(
    column: int, sizes: VibeVoiceConfig, dtype: torch.dtype
) -> None:
    weights = Shapes()
    weights.dtype = dtype
    model = VibeVoiceModel(weights, sizes)
    rows = re.findall(r"^\| (\d[\d ]*?)(?: \(default\))? \| [^|]+ \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for positions, told in rows:
        cell = told.split(" | ")[column]
        n_positions = int(positions.replace(" ", ""))
        if n_positions > sizes.language_model.max_position_embeddings:
            assert cell == "no such"
            continue
        n_bytes = DialogueSlots(model, 1, n_positions).bytes_per_stream
        assert f"{n_bytes / 1e9:.2f}" == cell.split()[0]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        file = (DOCS / "engines" / path) if path else FILE
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, target
