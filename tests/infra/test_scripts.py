"""The scripts are the command line under other names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

SCRIPTS = Path(__file__).parents[2] / "scripts"
VERBS = {"run_local_tts.sh": "serve", "run_local_agent.sh": "agent", "load_test_tts.py": "loadtest"}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A copy, in a checkout without a virtual environment."""
    return Path(shutil.copytree(SCRIPTS, tmp_path / "checkout" / "scripts"))


def run(script: Path, path: Path, *words: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [script, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{path}:/usr/bin:/bin", **(env or {})},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def put(program: Path, lines: str) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(lines)
    program.chmod(0o755)


def test_every_script_is_tested() -> None:
    assert {path.name for path in SCRIPTS.iterdir()} == {*VERBS, "ttsops.sh"}


@pytest.mark.parametrize("name", VERBS)
def test_options_reach_the_verb_as_they_are(name: str, scripts: Path, tmp_path: Path) -> None:
    put(tmp_path / "bin" / "ttsops", f'#!{sys.executable}\nimport sys\nprint("PATH", sys.argv[1:])\n')
    words = ["--config", "my settings.toml", "--quiet"]
    code, out, err = run(scripts / name, tmp_path / "bin", *words)
    assert (code, out, err) == (0, f"PATH {[VERBS[name], *words]}\n", "")

    put(scripts.parent / ".venv/bin/ttsops", "#!/bin/sh\necho checkout\nexit 1\n")
    code, out, _ = run(scripts / name, tmp_path / "bin")
    assert (code, out) == (1, "checkout\n"), "the checkout's own is taken first, and its exit code passed on"


@pytest.mark.parametrize("name", VERBS)
def test_without_an_installation_they_say_what_to_do(name: str, scripts: Path, tmp_path: Path) -> None:
    code, out, err = run(scripts / name, tmp_path / "bin")
    assert (code, out) == (3, "")
    assert "make setup" in err


@pytest.mark.parametrize("name", VERBS)
def test_the_verb_is_there(name: str, scripts: Path, tmp_path: Path) -> None:
    put(tmp_path / "bin" / "ttsops", f'#!/bin/sh\nexec "{sys.executable}" -m ttsops "$@"\n')
    code, out, _ = run(scripts / name, tmp_path / "bin", "--help")
    assert code == 0
    assert f"ttsops {VERBS[name]} " in out


def test_the_agent_reads_back_unless_a_provider_is_named(scripts: Path, tmp_path: Path) -> None:
    put(tmp_path / "bin" / "ttsops", "#!/bin/sh\necho $LLM_PROVIDER\n")
    env = {"LLM_PROVIDER": "openai"}
    assert run(scripts / "run_local_agent.sh", tmp_path / "bin", env=env)[1] == "openai\n"
    assert run(scripts / "run_local_agent.sh", tmp_path / "bin", env={"LLM_PROVIDER": ""})[1] == "echo\n"
