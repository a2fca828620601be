"""What docs/voices.md says is so."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_cli_voices_recorded import write_recording

from ttsops import errors
from ttsops.voices import reference

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "voices.md").read_text()


def test_its_commands_run(ttsops: Callable[..., Any]) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    write_recording("alice.wav")
    commands = block.replace("\\\n", " ").splitlines()
    assert len(commands) == 3
    for command in commands:
        done = ttsops(*shlex.split(command)[1:])
        assert done.code == 0, done.err


def test_every_reason_of_a_refusal_is_on_it() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    refusals = [one for one in classes if issubclass(one, errors.BadReference)]
    for cls in [*refusals, errors.NoConsent, errors.DuplicateVoice]:
        assert f"| `{cls.code}` |" in PAGE


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{reference.MIN_SECONDS:g} to {reference.MAX_SECONDS:g} s" in PAGE
    assert f"longer than {reference.MAX_SOURCE_SECONDS:g} s" in PAGE
    assert f"{reference.RATES[0] // 1000} to {reference.RATES[1] // 1000} kHz" in PAGE
    assert f"more than {reference.MAX_TRANSCRIPT_CHARS} characters" in PAGE
