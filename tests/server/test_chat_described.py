"""`/chat` against its own description, and the page for users: what they say is so."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from chat_talker import chat_settings
from schemathesis import GenerationMode
from server_process import any_port, running
from server_site import Site, serving
from test_openapi_fuzz import fuzz
from test_server_docs import blocks

from ttsops.agent import Agent
from ttsops.agent.local import LocalSpeech
from ttsops.audio import decode_audio
from ttsops.errors import ConfigError
from ttsops.runtime import Runtime
from ttsops.server.app import create_app
from ttsops.server.serve import serve
from ttsops.settings import AgentSettings, LlmSettings, ServerSettings, Settings

pytestmark = pytest.mark.server

PAGE = (Path(__file__).parents[2] / "docs" / "agent.md").read_text()
ADDRESS = "127.0.0.1:8001"


def describe() -> dict[str, Any]:
    settings = chat_settings()
    runtime = Runtime(settings, in_process=True)
    return create_app(runtime, settings, Agent(settings, LocalSpeech(runtime))).openapi()


DESCRIPTION = describe()
(CHAT,) = (
    found
    for one in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()
    if (found := one.ok()).path == "/chat"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(chat_settings()) as site:
        yield site


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_whatever_is_sent_is_answered_as_described(site: Site, mode: GenerationMode) -> None:
    fuzz(site, CHAT, mode)


def test_every_field_and_every_failure_is_described() -> None:
    for field, schema in DESCRIPTION["components"]["schemas"]["ChatBody"]["properties"].items():
        assert schema.get("description"), field
    assert {"200", "400", "401", "404", "413", "429", "500", "502", "503", "504"} == set(
        DESCRIPTION["paths"]["/chat"]["post"]["responses"]
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The first try of the page: the embedded voice, and an agent that echoes."""
    settings = Settings(llm=LlmSettings(provider="echo"), agent=AgentSettings(enabled=True))
    with running(any_port(settings), tmp_path_factory.mktemp("server")) as process:
        yield process.url.removeprefix("http://")


def curls() -> list[str]:
    return [
        one.strip() for one in re.findall(r"^curl(?:.*\\\n)*.*$", "\n".join(blocks(PAGE, "sh")), re.MULTILINE)
    ]


def test_the_page_begins_with_a_try_that_needs_no_key() -> None:
    first = blocks(PAGE, "sh")[0]
    assert first == "LLM_PROVIDER=echo TTSOPS_AGENT__ENABLED=true ttsops serve\n"
    assert len(curls()) == 2


@pytest.mark.parametrize("command", curls(), ids=["audio", "events"])
def test_a_curl_line_does_what_it_says(address: str, tmp_path: Path, command: str) -> None:
    quiet = "curl() { command curl -sS --noproxy '*' --fail \"$@\"; }; "
    done = subprocess.run(
        ["bash", "-c", quiet + command.replace(ADDRESS, address)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if expected := re.search(r"# → (.+)$", command):
        assert expected.group(1) in done.stdout
    else:
        samples, rate = decode_audio(tmp_path / "answer.wav")
        assert 1 < len(samples) / rate < 6


def test_the_python_of_the_page_speaks(address: str, tmp_path: Path) -> None:
    (code,) = blocks(PAGE, "python")
    done = subprocess.run(
        [sys.executable, "-c", code.replace(ADDRESS, address)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "How are you today?"
    assert (tmp_path / "answer.pcm").stat().st_size > 24_000


def test_a_server_whose_agent_lacks_a_model_says_so_and_does_not_start() -> None:
    with pytest.raises(ConfigError, match=r"llm\.provider"):
        serve(Settings(server=ServerSettings(port=0), agent=AgentSettings(enabled=True)))
