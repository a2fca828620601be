"""The command itself: its help, its exit codes, how errors are told."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

import ttsops as package
from ttsops import errors
from ttsops.cli.app import VERBS, app
from ttsops.cli.output import Exit, complain, exit_code, run
from ttsops.cli.verb import Verb

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]


def all_verbs(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from all_verbs(command, (*words, name))
        else:
            yield (*words, name), command


every_verb = pytest.mark.parametrize(
    ("words", "command"), list(all_verbs(app)), ids=[" ".join(words) for words, _ in all_verbs(app)]
)


@every_verb
def test_every_verb_explains_itself_with_examples_that_parse(
    words: tuple[str, ...], command: click.Command
) -> None:
    assert isinstance(command, Verb)
    assert command.help
    assert command.examples, "a verb without an example"
    for example in command.examples:
        typed = shlex.split(example.split(" > ")[0].split(" | ")[-1])
        assert typed[: len(words) + 1] == ["ttsops", *words]
        command.make_context(words[-1], typed[len(words) + 1 :])


@every_verb
def test_every_option_has_a_help_text_that_ends_with_a_period(
    words: tuple[str, ...], command: click.Command
) -> None:
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{option.name} has none"
            assert option.help.rstrip("]").endswith(".") or "  [" in option.help, option.help


@every_verb
def test_help_ends_well(words: tuple[str, ...], command: click.Command, ttsops: Ttsops) -> None:
    done = ttsops(*words, "--help")
    assert (done.code, done.err) == (0, "")
    assert all(example in done.out for example in command.examples)  # type: ignore[attr-defined]


def test_alone_it_shows_its_help_with_the_exit_codes(ttsops: Ttsops) -> None:
    done = ttsops()
    assert done.code == 0
    assert "Exit codes: 0" in done.out
    assert all(name in done.out for name in VERBS)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from ttsops.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "av",
        "soxr",
        "numpy",
        "fastapi",
        "uvicorn",
        "httpx",
        "rich",
        "structlog",
        "prometheus_client",
        "torch",
    }
    assert not heavy & set(done.stderr.split())


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ttsops", "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"ttsops {package.__version__}\n"


def test_version_is_told_for_people_and_programs(ttsops: Ttsops) -> None:
    assert ttsops("--version").out == ttsops("version").out == f"ttsops {package.__version__}\n"
    assert json.loads(ttsops("version", "--json").out)["version"] == package.__version__


EXIT_CODES = {
    errors.ConfigError: Exit.USAGE,
    errors.UnknownVoice: Exit.USAGE,
    errors.EmptyText: Exit.USAGE,
    errors.NoAudio: Exit.USAGE,
    errors.EngineUnavailable: Exit.UNAVAILABLE,
    errors.WorkerDied: Exit.UNAVAILABLE,
    errors.Overloaded: Exit.UNAVAILABLE,
    errors.AudioError: Exit.FAILED,
}


@pytest.mark.parametrize("cls", EXIT_CODES)
def test_errors_have_documented_exit_codes(cls: type[errors.TtsOpsError]) -> None:
    assert exit_code(cls("x")) == EXIT_CODES[cls]


def test_numbers_of_exit_codes_never_change() -> None:
    assert {code.name: code.value for code in Exit} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "UNAVAILABLE": 3,
        "INTERRUPTED": 130,
    }


def test_an_error_is_told_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    complain(
        errors.EngineUnavailable("engine `f5` needs the module `torch`", hint="pip install 'tts-ops[f5]'")
    )
    assert capsys.readouterr().err == (
        "error: engine `f5` needs the module `torch`\n\nhint: pip install 'tts-ops[f5]'\n"
    )


def fail() -> None:
    raise ZeroDivisionError("division by zero")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_bug_says_so_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail) == Exit.FAILED
    told = capsys.readouterr().err
    assert told.startswith("error: ZeroDivisionError: division by zero")
    assert "TTSOPS_DEBUG=1" in told
    assert "Traceback" not in told


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(interrupt) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize("words", [["nope"], ["version", "--nope"], ["config", "show", "--config"]])
def test_wrong_usage_is_2_and_points_to_help(ttsops: Ttsops, words: list[str]) -> None:
    done = ttsops(*words)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "--help` shows how" in done.err
    assert done.out == ""


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    code = "import sys; from ttsops.cli import main; sys.exit(main(['config', 'reference']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert b"Traceback" not in err
    assert process.returncode == 1
