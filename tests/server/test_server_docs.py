"""What the pages for users say is so: their examples run, and they leave nothing out."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from server_process import any_port, running

from ttsops import errors
from ttsops.agent import failures
from ttsops.audio import decode_audio
from ttsops.server import chat_protocol, protocol, session
from ttsops.server.app import READABLE_HEADERS
from ttsops.server.chat_schemas import ChatBody
from ttsops.server.errors import status_of
from ttsops.server.schemas import SpeechBody, SynthesizeBody
from ttsops.settings import Settings

pytestmark = pytest.mark.server

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text()
AGENT = (DOCS / "agent.md").read_text()
WEBSOCKET = (DOCS / "websocket.md").read_text()
ADDRESS = "127.0.0.1:8001"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Each curl line, with those it goes on in."""
    joined = "\n".join(blocks(API, "sh"))
    return [line.strip() for line in re.split(r"^(?=curl)", joined, flags=re.MULTILINE) if line.strip()]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server a newcomer starts: the embedded voice, no settings."""
    with running(any_port(Settings()), tmp_path_factory.mktemp("server")) as process:
        yield process.url.removeprefix("http://")


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.split("#")[0][:60])
def test_a_curl_line_does_what_it_says(address: str, tmp_path: Path, command: str) -> None:
    expected = re.search(r"# → (.+)$", command)
    quiet = "curl() { command curl -sS --noproxy '*' " + ("" if expected else "--fail ") + '"$@"; }; '
    done = subprocess.run(
        ["bash", "-c", quiet + command.replace(ADDRESS, address)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if expected:
        assert expected.group(1) in done.stdout
    written = [path for path in tmp_path.iterdir() if path.suffix in (".mp3", ".wav")]
    assert written or "-o" not in command or list(tmp_path.glob("*.sse"))
    for path in written:
        samples, rate = decode_audio(path)
        assert 0.5 < len(samples) / rate < 5


def test_the_page_has_a_curl_line_for_every_route() -> None:
    routes = set(re.findall(r"http://127\.0\.0\.1:8001(/[a-z0-9/._-]*)", "\n".join(commands())))
    assert routes >= {
        "/v1/audio/speech", "/synthesize", "/v1/models", "/v1/models/tts-1", "/v1/audio/voices", "/v1",
        "/health", "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip


def test_the_python_of_the_websocket_page_speaks(address: str, tmp_path: Path) -> None:
    (script,) = blocks(WEBSOCKET, "python")
    (tmp_path / "talk.py").write_text(script.replace(ADDRESS, address))
    subprocess.run([sys.executable, "-W", "ignore", "talk.py"], cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "speech.pcm").stat().st_size > 48_000, "more than a second of speech"


def test_every_error_code_is_documented_with_its_status() -> None:
    classes = [
        value for room in (errors, failures) for value in vars(room).values() if isinstance(value, type)
    ]
    rows = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", API, re.MULTILINE))
    documented = {code: int(status) for status, row in rows.items() for code in re.findall(r"`(\w+)`", row)}
    assert {cls.code: status_of(cls("x")) for cls in classes}.items() <= documented.items()


@pytest.mark.parametrize("body", [SpeechBody, SynthesizeBody])
def test_every_field_of_a_request_is_documented(body: type[SpeechBody]) -> None:
    assert [name for name in body.model_fields if f"`{name}`" not in API] == []


def test_every_header_is_documented() -> None:
    assert [name for name in READABLE_HEADERS if name not in API.lower()] == []


def test_every_message_and_field_of_the_socket_is_documented() -> None:
    messages = [*protocol.ClientMessage.__args__, *protocol.ServerMessage.__args__]
    for message in messages:
        assert f"`{message.__struct_config__.tag}`" in WEBSOCKET
        for field in msgspec.structs.fields(message):
            assert f"`{field.encode_name}" in WEBSOCKET, f"{message.__name__}.{field.encode_name}"


def test_every_message_and_field_of_a_conversation_is_documented() -> None:
    for union in (chat_protocol.ChatClientMessage, chat_protocol.ChatServerMessage):
        for message in set(union.__args__) - {protocol.Error}:
            assert f"`{message.__struct_config__.tag}`" in AGENT
            for field in msgspec.structs.fields(message):
                assert f"`{field.encode_name}" in AGENT, f"{message.__name__}.{field.encode_name}"
    assert [name for name in ChatBody.model_fields if f"`{name}`" not in AGENT] == []


def test_every_close_code_is_documented() -> None:
    for code in (session.NORMAL, session.GOING_AWAY, session.POLICY, session.INTERNAL):
        assert f"| {code} |" in WEBSOCKET
    assert f"At most {session.MAX_WAITING} utterances" in WEBSOCKET
