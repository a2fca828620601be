"""`ttsops engines`, `voices` and `keys`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.engines import registry
from ttsops.server.keys import KeyStore

pytestmark = pytest.mark.unit

Ttsops = Callable[..., Any]


def test_engines_state_their_licence_where_they_are_chosen(ttsops: Ttsops) -> None:
    done = ttsops("engines")
    assert done.code == 0
    for name in registry.names():
        assert f"{name}: {registry.card(name).summary}" in done.out
        assert registry.card(name).licence in done.out
    assert "GPL-3.0" in done.out


def test_an_engine_lists_its_options_with_their_ranges(ttsops: Ttsops) -> None:
    done = ttsops("engines", "tone")
    assert "frequency (int, 0 to 11000, default 0): Hertz" in done.out
    assert "[engines.tone.options]" in done.out
    for option in registry.card("tone").setup:
        assert option.help in done.out


def test_an_engine_tells_the_memory_of_a_stream(ttsops: Ttsops) -> None:
    assert "memory of a stream: 176 MiB" in ttsops("engines", "vibevoice-realtime").out
    assert "memory of a stream" not in ttsops("engines", "espeak").out


def test_engines_as_json_are_their_cards(ttsops: Ttsops) -> None:
    listed = json.loads(ttsops("engines", "--json").out)
    assert [one["name"] for one in listed] == list(registry.names())
    assert json.loads(ttsops("engines", "tone", "--json").out)["installed"] is True


def test_an_engine_that_is_not_installed_says_how_it_would_be(
    ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    done = ttsops("engines", "espeak")
    assert "installed: no; pip install" in done.out


def test_an_unknown_engine_is_wrong_usage(ttsops: Ttsops) -> None:
    assert ttsops("engines", "nope").code == 2


def test_voices_lists_who_speaks_and_marks_the_default(ttsops: Ttsops) -> None:
    done = ttsops("voices", "--engine", "tone")
    rows = done.out.splitlines()
    assert [row.split()[-2] for row in rows] == ["low", "middle", "high", "top"]
    assert [row[0] for row in rows] == [" ", "*", " ", " "]
    assert "4 voices" in done.err


def test_voices_of_a_language_are_found_by_the_beginning_of_its_tag(ttsops: Ttsops) -> None:
    tags = {one["language"] for one in json.loads(ttsops("voices", "--language", "EN", "--json").out)}
    assert {"en-US", "en-GB"} <= tags
    assert all(tag.lower().startswith("en-") or tag.lower() == "en" for tag in tags)
    assert json.loads(ttsops("voices", "--language", "e", "--json").out) == []


def test_a_key_is_shown_once_and_opens_until_it_is_removed(ttsops: Ttsops) -> None:
    added = ttsops("keys", "add", "website", "--file", "keys.json", "--max-concurrency", "2")
    secret = added.out.strip()
    assert added.code == 0
    assert "`website`" in added.err
    assert secret not in Path("keys.json").read_text()
    listed = ttsops("keys", "list", "--file", "keys.json")
    assert listed.out.startswith("website")
    assert "2 at once" in listed.out
    store = KeyStore("keys.json")
    store.load()
    found = store.find(secret)
    assert found
    assert (found.name, found.max_concurrency) == ("website", 2)
    assert ttsops("keys", "remove", "website", "--file", "keys.json").code == 0
    assert ttsops("keys", "list", "--file", "keys.json").out == ""


def test_keys_as_json_hold_no_hashes(ttsops: Ttsops) -> None:
    ttsops("keys", "add", "a", "--file", "keys.json", "--rate-per-minute", "30")
    (listed,) = json.loads(ttsops("keys", "list", "--file", "keys.json", "--json").out)
    assert (listed["name"], listed["rate_per_minute"]) == ("a", 30)
    assert "sha256" not in listed


def test_the_key_file_is_the_one_of_the_settings(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("server.keys_file = 'mine.json'")
    assert ttsops("keys", "add", "a").code == 0
    assert Path("mine.json").exists()


@pytest.mark.parametrize("words", [("list",), ("add", "a"), ("remove", "a", "--file", "none.json")])
def test_a_key_that_cannot_be_is_wrong_usage(ttsops: Ttsops, words: tuple[str, ...]) -> None:
    done = ttsops("keys", *words)
    assert done.code == 2
    assert "hint: " in done.err
