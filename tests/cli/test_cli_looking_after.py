"""`ttsops health`, `status` and `diag` on a machine."""

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.server_process import any_port, running
from ttsops.settings import EngineSettings, Settings

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]
PASSWORD = "swordfish-and-chips"
KEY = "sk-live-0123456789abcdefABCDEF"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the test engine."""
    settings = Settings(engine="tone", engines={"tone": EngineSettings(max_streams=7)})
    with running(any_port(settings), tmp_path_factory.mktemp("server")) as process:
        yield process.url


def at(url: str, more: str = "") -> None:
    """Settings of this directory, which say that the server is there."""
    Path("ttsops.toml").write_text(f"engine = 'tone'\n[server]\nport = {url.rpartition(':')[2]}\n{more}")


def test_health_tells_of_machine_and_server(ttsops: Ttsops, url: str) -> None:
    at(url)
    done = ttsops("health")
    assert done.code == 0, done.out
    assert "engine tone" in done.out
    assert f"{url} is ok" in done.out
    facts = json.loads(ttsops("health", "--json").out)
    assert facts["server"]["is_ready"]
    assert {one["name"] for one in facts["checks"]} >= {"settings", "engine tone", "memory", "monitor"}


def test_without_a_server_health_ends_with_3_and_tells_the_rest(ttsops: Ttsops) -> None:
    at("http://127.0.0.1:1")
    done = ttsops("health")
    assert (done.code, "is down" in done.out, "settings" in done.out) == (3, True, True)


def test_something_bad_goes_before_a_server_that_is_well(ttsops: Ttsops, url: str) -> None:
    at(url)
    text = Path("ttsops.toml").read_text()
    Path("ttsops.toml").write_text(text.replace("'tone'", "'nobody'"))
    done = ttsops("health")
    assert (done.code, "BAD" in done.out) == (1, True)


def test_settings_that_are_wrong_are_told_with_the_rest(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("[server]\nprot = 1\n")
    done = ttsops("health")
    assert (done.code, "did you mean" in done.out or "prot" in done.out) == (1, True)


def test_status_fits_on_a_screen_and_has_the_streams(ttsops: Ttsops, url: str) -> None:
    at(url)
    done = ttsops("status")
    assert done.code == 0
    assert "streams: 0 live of 7, 0 queued" in done.out
    assert len(done.out.splitlines()) < 24
    assert json.loads(ttsops("status", "--json").out)["streams"] == {"live": 0, "capacity": 7, "queued": 0}


def test_status_ends_with_0_also_without_a_server(ttsops: Ttsops) -> None:
    at("http://127.0.0.1:1")
    done = ttsops("status")
    assert (done.code, "is down" in done.out) == (0, True)


def test_a_bundle_has_everything_but_secrets_and_text(
    ttsops: Ttsops, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = "nobody may know what was said here"
    at(url, f"[engines.tone.options]\nhub_token = '{PASSWORD}'\nmirror = 'https://a:{PASSWORD}@b/'\n")
    monkeypatch.setenv("TTSOPS_API_KEY", KEY)
    monkeypatch.setenv("TTS_DEVICE", "cpu")
    lines = [
        json.dumps({"event": "utterance", "engine": "tone", "text": spoken, "rtf": 0.1}),
        json.dumps({"event": f"POST /?key={KEY}", "logger": "uvicorn"}),
        spoken,
    ]
    Path("server.log").write_text("\n".join(lines))
    done = ttsops("diag", "--log", "server.log", "--out", "bundle.tar.gz")
    assert (done.code, done.out) == (0, "bundle.tar.gz\n")
    with tarfile.open("bundle.tar.gz") as archive:
        files = {one.name.partition("/")[2]: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    assert set(files) == {
        "README.txt", "versions.json", "settings.json", "environment.json", "health.json", "machine.json",
        "monitor.jsonl", "log.jsonl",
    }  # fmt: skip
    everything = "".join(files.values())
    assert not [one for one in (PASSWORD, KEY, spoken) if one in everything]
    values = {one["setting"]: one["value"] for one in json.loads(files["settings.json"])}
    assert values["engines.tone.options.hub_token"] == "***"
    assert values["engines.tone.options.mirror"] == "https://***@b/"
    assert values["engine"] == "tone"
    environment = json.loads(files["environment.json"])
    assert (environment["TTSOPS_API_KEY"], environment["TTS_DEVICE"]) == ("***", "cpu")
    assert json.loads(files["health.json"])["server"]["status"] == "ok"
    assert json.loads(files["versions.json"])["packages"]["numpy"]
    assert "1 lines of the log were left out" in files["README.txt"]
    assert len(files["log.jsonl"].splitlines()) == 2


def test_a_bundle_is_made_also_where_nothing_works(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text("engine = 3\n")
    done = ttsops("diag")
    assert done.code == 0
    assert Path(done.out.strip()).stat().st_size > 500
