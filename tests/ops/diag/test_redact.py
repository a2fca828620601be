"""Secrets are taken out by their name and by their looks; what helps stays."""

from pathlib import Path
from typing import Any

import pytest

from ttsops.ops.diag import HIDDEN, hide_environment, is_secret_name, scrub, scrub_all
from ttsops.server.keys import KEY_PREFIX

pytestmark = pytest.mark.unit

SECRETS = (
    "sk-proj-abcdEFGH12345678",
    "hf_AbCdEfGhIjKlMnOp",
    "ghp_0123456789abcdefABCDEF",
    f"{KEY_PREFIX}Zx81_kkQ-aaaaBBBBccccDDDD1111222233334444",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("sentence", ["{}", "the key `{}` is refused", "https://h/?key={}&x=1", '"a": "{}"'])
def test_a_key_is_taken_out_wherever_it_stands(secret: str, sentence: str) -> None:
    assert secret not in scrub(sentence.format(secret))
    assert secret[8:] not in scrub(sentence.format(secret))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://anna:hunter2@mirror.example/x", f"https://{HIDDEN}@mirror.example/x"),
        ("Authorization: Bearer abc.def-123", f"Authorization: {HIDDEN}"),
        ("password=hunter2 next", f"{HIDDEN} next"),
    ],
)
def test_credentials_are_taken_out_and_the_rest_stays(text: str, expected: str) -> None:
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "engine `espeak` needs the module `espeakng_loader`, which is not installed",
        "/opt/tts-ops/.venv/bin/ttsops",
        "2026-11-25T23:11:00Z",
        "2 x Intel(R) Xeon(R) Processor, 24 GiB",
        "VibeVoice-Realtime-0.5B",
        "http://127.0.0.1:8001",
        "0123456789ab+changed",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert scrub(text) == text


def test_the_home_directory_is_not_told() -> None:
    assert scrub(f"{Path.home()}/voices") == "~/voices"


@pytest.mark.parametrize(
    "name",
    ["hub_token", "HF_TOKEN", "api_key", "apikey", "password", "client_secret", "TTSOPS_API_KEY", "auth"],
)
def test_a_secrets_name_hides_its_value(name: str) -> None:
    assert is_secret_name(name)
    assert scrub_all({name: "swordfish", "deep": [{name: 7}]}) == {name: HIDDEN, "deep": [{name: HIDDEN}]}


@pytest.mark.parametrize("name", ["tokenizer", "keys_file", "max_text_chars", "keyboard", "engine"])
def test_another_name_hides_nothing(name: str) -> None:
    assert scrub_all({name: "word"}) == {name: "word"}


@pytest.mark.parametrize("value", [None, "", 3, 0.5, True, [], {}])
def test_what_is_no_text_stays_as_it_is(value: Any) -> None:
    assert scrub_all({"a": value}) == {"a": value}


def test_of_the_environment_only_what_shapes_this_program_is_told() -> None:
    env = {
        "TTSOPS_API_KEY": "swordfish",
        "TTS_DEVICE": "cpu",
        "HF_TOKEN": "swordfish",
        "AWS_SECRET_ACCESS_KEY": "swordfish",
        "MY_NAME": "swordfish",
    }
    assert hide_environment(env) == {"HF_TOKEN": HIDDEN, "TTSOPS_API_KEY": HIDDEN, "TTS_DEVICE": "cpu"}
