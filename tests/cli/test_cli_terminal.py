"""What only a terminal sees: progress, colour, and no binary."""

import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops import errors
from ttsops.cli.output import complain
from ttsops.cli.player import find_player
from ttsops.cli.progress import LateProgress
from ttsops.cli.sinks import PlayerSink
from ttsops.speech import Samples
from ttsops.testing import VirtualClock
from ttsops.text import group_sentences

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes stderr a terminal; called by the test itself, because pytest sets stderr after its fixtures."""

    def start() -> Terminal:
        monkeypatch.setenv("TERM", "xterm")
        stderr = Terminal()
        monkeypatch.setattr(sys, "stderr", stderr)
        return stderr

    monkeypatch.delenv("NO_COLOR", raising=False)
    return start


@pytest.mark.parametrize("total", [None, 10.0])
def test_progress_is_shown_after_a_second_and_gone_at_the_end(
    watch: Callable[[], Terminal], total: float | None
) -> None:
    terminal = watch()
    clock = VirtualClock()
    with LateProgress(total, clock) as progress:
        progress.update(1, "one s of speech")
        assert terminal.getvalue() == ""
        clock.advance(1.1)
        progress.update(2, "two s of speech")
    assert "two s of speech" in terminal.getvalue()
    assert "one s of speech" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K"), "its line is wiped"


def test_progress_is_for_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock()
    with LateProgress(10, clock) as progress:
        clock.advance(5)
        progress.update(2, "two s of speech")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("no_color", "has_colour"), [("", True), ("1", False)])
def test_errors_are_red_unless_asked_not_to_be(
    watch: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch, no_color: str, has_colour: bool
) -> None:
    terminal = watch()
    monkeypatch.setenv("NO_COLOR", no_color)
    complain(errors.EngineUnavailable("gone", hint="start it"))
    assert ("\x1b[" in terminal.getvalue()) == has_colour
    assert "gone" in terminal.getvalue()


def test_audio_is_not_written_to_a_terminal(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = ttsops("say", "Hello.", "--stdout", "--model", "tone")
    assert done.code == 2
    assert "not written to a terminal" in done.err


def test_no_text_at_a_terminal_is_wrong_usage(ttsops: Ttsops) -> None:
    done = ttsops("say", is_terminal=True)
    assert done.code == 2
    assert "no text to say" in done.err


@pytest.mark.parametrize(
    ("installed", "found"), [({"ffplay", "aplay"}, "aplay"), ({"paplay", "aplay"}, "paplay"), (set(), None)]
)
def test_the_first_player_that_is_installed_plays(installed: set[str], found: str | None) -> None:
    command = find_player(lambda name: name if name in installed else None)
    assert (command[0] if command else None) == found


def test_an_interrupt_silences_the_player(
    ttsops: Ttsops, player: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    player(0)
    sinks: list[PlayerSink] = []
    take = PlayerSink.take

    async def take_and_interrupt(self: PlayerSink, samples: Samples) -> None:
        await take(self, samples)
        sinks.append(self)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(PlayerSink, "take", take_and_interrupt)
    done = ttsops("say", "Hello.", "--seconds", 600, "--model", "tone")
    assert done.code == 130
    assert list(Path().iterdir()) == []


def test_a_long_text_is_cut_between_sentences_and_none_is_lost() -> None:
    text = "This is a sentence. " * 50
    groups = group_sentences(text, 100)
    assert "".join(groups) == text.rstrip()
    assert all(len(group) <= 100 and group.rstrip().endswith(".") for group in groups)
    assert group_sentences(" " * 200, 100) == [""], "refused by the engine, not looped over"
