"""What changed between two states."""

import pytest

from ttsops.ops.backup import Difference, State, differences

pytestmark = pytest.mark.unit


def settings(old: bytes | None, new: bytes | None) -> list[Difference]:
    return differences(State(old, None), State(new, None))


def test_the_same_is_not_different() -> None:
    assert settings(b"engine = 'tone'\n", b"engine = 'tone'\n") == []
    assert settings(None, None) == []


def test_a_setting_is_told_with_both_values() -> None:
    old, new = b"[server]\nport = 1\n", b"[server]\nport = 2\n"
    assert settings(old, new) == [Difference("setting", "server.port", "changed", 1, 2)]


def test_no_file_is_the_defaults() -> None:
    assert settings(None, b"engine = 'tone'\n") == [
        Difference("setting", "engine", "changed", "espeak", "tone")
    ]


def test_an_option_of_an_engine_comes_and_goes() -> None:
    with_option = b"[engines.tone.options]\nrtf = 0.5\n"
    name = "engines.tone.options.rtf"
    added = settings(b"[engines.tone]\n", with_option)
    assert Difference("setting", name, "added", None, 0.5) in added
    assert Difference("setting", name, "removed", 0.5, None) in settings(with_option, b"[engines.tone]\n")


def test_a_secret_is_not_shown() -> None:
    (found,) = settings(
        b"[engines.tone.options]\nhub_token = 'old-secret'\n",
        b"[engines.tone.options]\nhub_token = 'new-secret'\n",
    )
    assert (found.old, found.new) == ("***", "***")


def test_comments_alone_are_told_as_such() -> None:
    (found,) = settings(b"engine = 'tone'\n", b"# why\nengine = 'tone'\n")
    assert (found.kind, found.new) == ("file", "in order or comments only")


def test_settings_that_are_wrong_are_told_as_such() -> None:
    (found,) = settings(b"engine = 'tone'\n", b"engine = [")
    assert found.kind == "file"
    assert "one of them is wrong" in found.new


def test_voices_come_go_and_change() -> None:
    old = {"en-A_man": {"voice.json": b"1", "baseline.wav": b"a"}, "en-B_man": {"voice.json": b"2"}}
    new = {"en-A_man": {"voice.json": b"1", "baseline.wav": b"b"}, "en-C_man": {"voice.json": b"3"}}
    assert differences(State(None, old), State(None, new)) == [
        Difference("voice", "en-A_man", "changed", new=["baseline.wav"]),
        Difference("voice", "en-B_man", "removed"),
        Difference("voice", "en-C_man", "added"),
    ]
