"""Which provider, with which key: told in a sentence where something is missing."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ttsops.agent.keys import read_key
from ttsops.agent.providers import create_provider
from ttsops.errors import ConfigError, NotInstalled
from ttsops.settings import LlmSettings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("settings", "key", "message", "hint"),
    [
        (LlmSettings(), "", "`llm.provider` is not set", "LLM_PROVIDER=echo"),
        (LlmSettings(provider="openai", model="m"), "", "there is no key", "OPENAI_API_KEY"),
        (LlmSettings(provider="anthropic", model="m"), "", "there is no key", "ANTHROPIC_API_KEY"),
        (LlmSettings(provider="anthropic"), "k", "`llm.model` is not set", "LLM_MODEL"),
        (LlmSettings(provider="local", model="m"), "", "`llm.base_url` is not set", "11434"),
    ],
)
def test_what_is_missing_is_said(settings: LlmSettings, key: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create_provider(settings, key)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://u:hunter2@h:99999/v1", "http://u:hunter2@h /v1", "http:///v1"]
)
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"`llm\.base_url` is no address") as caught:
        create_provider(LlmSettings(provider="local", model="m", base_url=url), "")
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_echo_needs_nothing() -> None:
    assert create_provider(LlmSettings(provider="echo"), "").name == "echo"


def test_a_key_is_read_from_its_file_first_then_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-file\n")
    file.chmod(stat.S_IRUSR)
    env = {"LLM_API_KEY": "sk-any", "OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-anthropic"}
    openai, anthropic = LlmSettings(provider="openai"), LlmSettings(provider="anthropic")
    assert read_key(LlmSettings(provider="openai", key_file=str(file)), env) == "sk-file"
    assert read_key(openai, env) == read_key(anthropic, env) == "sk-any"
    del env["LLM_API_KEY"]
    assert read_key(openai, env) == "sk-openai"
    assert read_key(anthropic, env) == "sk-anthropic"
    assert read_key(LlmSettings(provider="local"), env) == "", "a key goes to nobody but its own provider"
    assert read_key(openai, {}) == ""


@pytest.mark.parametrize("content", ["", " \n", "two words", "sk-\x00x", "schlüssel"])
def test_a_file_that_holds_no_key_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(ConfigError, match="holds no key") as caught:
        read_key(LlmSettings(provider="openai", key_file=str(file)), {})
    assert not content.strip() or content.strip() not in caught.value.message
    with pytest.raises(ConfigError, match="No such file"):
        read_key(LlmSettings(provider="openai", key_file=str(tmp_path / "none")), {})


def test_a_key_in_the_environment_that_is_none_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        read_key(LlmSettings(provider="openai"), {"OPENAI_API_KEY": "two words"})
    assert "two words" not in caught.value.message


@pytest.mark.parametrize("package", ["openai", "anthropic"])
def test_without_the_extra_it_is_said_how_to_install_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotInstalled, match=package) as caught:
        create_provider(LlmSettings(provider=package, model="m"), "k")  # type: ignore[arg-type]
    assert caught.value.hint == "pip install 'tts-ops[agent]'"


def test_the_server_imports_no_providers_package() -> None:
    code = "import sys, ttsops.server.app, ttsops.server.agent_app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"openai", "anthropic", "torch"} & set(loaded.split())
