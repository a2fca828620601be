"""What the engine's page says can be done as it is printed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
import torch
from torch import Tensor

from ttsops.cli.app import app
from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.setup import read_options
from ttsops.engines.vibevoice_realtime.card import CARD, RealtimeOptions
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import FULL
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.runtime.checks import check_request
from ttsops.settings import load_settings
from ttsops.speech import SpeechRequest, Voice

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "engines" / "vibevoice_realtime.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("ttsops ")]


def test_the_settings_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "ttsops.toml"
    path.write_text(blocks("toml")[0])
    settings = load_settings(path, {})
    setup = settings.engine_settings(settings.engine)
    options = read_options(CARD.name, setup.options, RealtimeOptions)
    assert (settings.engine, options.voices_folder) == (CARD.name, Path("weights/voices"))
    assert EngineConfig(device=setup.device, dtype=setup.dtype).device == "auto"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_exists(words: list[str]) -> None:
    command: click.Command = app
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found, f"no command `{words[0]}`"
        command, words = found, words[1:]
    command.make_context("ttsops", list(words))


def test_the_request_is_accepted_by_the_card() -> None:
    body = json.loads(re.findall(r"-d '(.*?)'", "".join(blocks("sh")), re.DOTALL)[0])
    voices = [Voice(voice_id, voice_id) for voice_id in CARD.aliases.values()]
    request = SpeechRequest(body["input"], voice=body["voice"], seed=body["seed"], options=body["options"])
    assert check_request(request, CARD, voices).voice == CARD.aliases[body["voice"]]


def test_every_option_is_explained() -> None:
    for option in CARD.options:
        assert f"| `{option.name}` |" in PAGE


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
def test_the_memory_of_a_stream_is_what_is_allocated(dtype: torch.dtype) -> None:
    class Shapes(RandomWeights):
        def take(self, name: str, *shape: int, **how: object) -> Tensor:
            return torch.zeros(shape, device="meta" if shape else "cpu", dtype=dtype)

    model = RealtimeModel(Shapes(0, device=torch.device("meta"), dtype=dtype), FULL)
    rows = re.findall(r"^\| (\d+) \| (\d+) MiB \| (\d+) MiB \|$", PAGE, re.MULTILINE)
    assert len(rows) == 3
    for n_positions, bf16, fp32 in rows:
        told = bf16 if dtype == torch.bfloat16 else fp32
        assert round(StreamSlots(model, 1, int(n_positions)).bytes_per_stream / 2**20) == int(told)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        file = (DOCS / "engines" / path) if path else DOCS / "engines" / "vibevoice_realtime.md"
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, target
