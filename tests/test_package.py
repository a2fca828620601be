"""The package as a newcomer meets it: cheap to import, and a README whose commands are real."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ttsops

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "transformers",
    "numba",
    "scipy",
    "av",
    "fastapi",
    "uvicorn",
    "pydantic",
    "structlog",
    "rich",
)


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_exported_names_are_these() -> None:
    assert ttsops.__all__ == [
        "SAMPLE_RATE",
        "AudioChunk",
        "Mark",
        "SpeechRequest",
        "TtsOpsError",
        "Voice",
        "__version__",
    ]


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not modules_after("import ttsops") & set(HEAVY)


@pytest.mark.parametrize(
    "module", ["ttsops.server.app", "ttsops.runtime", "ttsops.runtime.worker", "ttsops.cli"]
)
def test_the_server_imports_no_model_framework(module: str) -> None:
    assert not modules_after(f"import {module}") & {"torch", "transformers", "safetensors"}


def readme_commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.split() for line in lines if line.startswith(".venv/bin/ttsops")]


@pytest.mark.parametrize("command", readme_commands(), ids=" ".join)
def test_every_command_of_the_readme_exists(command: list[str]) -> None:
    known = help_of(command[1])
    if (
        len(command) > 2
        and command[2].isalpha()
        and re.search(rf"^  {re.escape(command[2])} ", known, re.MULTILINE)
    ):
        known = help_of(*command[1:3])
    for word in command[2:]:
        if word.startswith("--"):
            assert word in known, f"`{' '.join(command[:3])}` has no {word}"


def help_of(*verbs: str) -> str:
    asked = [sys.executable, "-m", "ttsops", *verbs, "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_every_make_verb_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"`make ([a-z-]+)`", (ROOT / "README.md").read_text())
    assert verbs
    assert all(re.search(rf"^{verb}:", makefile, re.MULTILINE) for verb in verbs)


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def test_every_link_between_the_docs_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    lost = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", without_code(page.read_text()))
        if not (page.parent / target).exists()
    ]
    assert not lost
