"""What docs/operate/models.md says is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ttsops.cli.app import app
from ttsops.models import verify
from ttsops.models.catalogue import catalogue, published
from ttsops.settings import load_settings

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "operate" / "models.md").read_text()


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [[word for word in words if not word.startswith("HF_")][1:] for words in lines if words]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_taken_with_its_options(words: list[str]) -> None:
    """Parsed, not run: most of them would fetch gigabytes."""
    context = app.make_context("ttsops", [], resilient_parsing=True)
    group = app.get_command(context, words[0])
    assert group is not None
    command = group.get_command(context, words[1])  # type: ignore[attr-defined]
    assert command is not None, words
    known = {option for param in command.params for option in param.opts}
    assert {word for word in words[2:] if word.startswith("--")} <= known


def test_every_kind_of_problem_is_on_it() -> None:
    source = Path(verify.__file__).read_text()
    kinds = set(re.findall(r'(?:say|Problem)\((?:path, |file, )?"(\w+)"', source))
    assert kinds == set(re.findall(r"^\| `(\w+)` \| (?!`)", PAGE.split("## Verify")[1], re.MULTILINE))


def test_names_and_sizes_are_those_of_the_catalogue() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)`[^|]*\| `([\w.-]+)`[^|]*\|[^|]*\| ([\d.]+ \wiB) \|$", PAGE, re.MULTILINE
    )
    assert len(rows) == 6
    for name, alias, size in rows:
        entry = published().find(alias)
        assert entry.name == name
        factor = {"GiB": 2**30, "MiB": 2**20}[size.split()[1]]
        assert entry.n_bytes is not None
        assert f"{entry.n_bytes / factor:.1f}" == size.split()[0]


def test_its_settings_are_settings(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "t.toml").write_text("\n".join(blocks).replace("my-voice.json", ""))
    found = catalogue(load_settings(tmp_path / "t.toml", {}))
    assert [part.name for part in found.parts(found.find("my-voice"))] == ["vocos-mel-24khz"]
