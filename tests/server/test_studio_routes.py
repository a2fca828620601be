"""The studio as it is served: to browsers a page, to programs what they always got."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from server_site import Site, client_of, serving, tone_settings

from ttsops.server.keys import KeyStore
from ttsops.server.routes.studio import FOLDER
from ttsops.settings import MonitorSettings, StudioSettings

pytestmark = pytest.mark.server

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MODULES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())


def test_browsers_get_the_page_and_programs_the_facts(http: httpx.Client) -> None:
    page = http.get("/", headers=BROWSER)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert http.get("/").json()["name"] == "tts-ops"


@pytest.mark.parametrize("name", MODULES)
def test_every_file_of_the_page_is_served_with_its_type(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/studio/{name}")
    assert answer.status_code == 200
    expected = {".js": "javascript", ".css": "text/css", ".html": "text/html"}[Path(name).suffix]
    assert expected in answer.headers["content-type"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_everything_the_page_asks_for_is_here_and_nothing_from_elsewhere() -> None:
    for path in FOLDER.rglob("*"):
        if path.suffix not in (".js", ".html", ".css"):
            continue
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r'(?:from|src=|href=|addModule\() ?"([^"#]+)"', text):
            if found.startswith("data:"):
                continue
            there = FOLDER / found.removeprefix("/studio/") if found.startswith("/") else path.parent / found
            assert there.is_file(), f"{path.name} asks for {found}"
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), "works without a network"
        assert "innerHTML" not in text, "names come from people"


@pytest.mark.parametrize(
    "path", ["/studio/../app.py", "/studio/%2e%2e/app.py", "/studio/nothing.js", "/studio/js"]
)
def test_nothing_else_is_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_engines_as_a_form_needs_them(http: httpx.Client) -> None:
    (tone,) = http.get("/api/studio/engines").json()
    assert (tone["name"], tone["is_ready"], tone["default_voice"]) == ("tone", True, "middle")
    assert all(option["help"] and "default" in option for option in tone["options"])


def test_what_an_operator_looks_at(live_site: Site) -> None:
    with client_of(live_site) as http:
        secret = "the words of a secret"
        body = {"model": "tone", "input": f"{secret} " * 40, "response_format": "pcm"}
        with http.stream("POST", "/v1/audio/speech", json=body) as speaking:
            pieces = speaking.iter_raw()  # kept: whoever lets it go hangs up
            next(pieces)
            facts = http.get("/api/studio/operate").json()
        (stream,) = facts["streams"]
        assert (stream["engine"], stream["voice"], stream["is_live"]) == ("tone", "middle", True)
        assert stream["audio_seconds"] > 0
        assert (facts["has_agent"], facts["has_library"]) == (False, False)
        assert facts["capacity"]["tone"] > 0
        assert {model["name"] for model in facts["models"]} >= {"VibeVoice-1.5B", "F5TTS_v1_Base"}
        assert secret not in json.dumps(facts)


def test_reports_and_runs_are_read_and_what_is_broken_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "accept.json").write_text('{"ok": true, "engines": []}')
    written_at = datetime(2026, 11, 25, 3, 15, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "accept.json", (written_at, written_at))
    (tmp_path / "golden.json").write_text("{half")
    (tmp_path / "monitor.jsonl").write_text('{"time": "2026-11-25T03:15:00Z"}\n{broken\n')
    settings = replace(
        tone_settings(),
        studio=StudioSettings(reports=str(tmp_path)),
        monitor=MonitorSettings(history=str(tmp_path / "monitor.jsonl")),
    )
    with serving(settings) as site, client_of(site) as http:
        facts = http.get("/api/studio/operate").json()
    assert facts["reports"] == {"accept": {"ok": True, "engines": []}, "golden": None, "models": None}
    assert facts["reported_at"] == {"accept": "2026-11-25T03:15:00+00:00", "golden": None, "models": None}
    assert facts["monitor"] == [{"time": "2026-11-25T03:15:00Z"}]


def test_with_keys_the_page_is_open_and_what_it_shows_is_not(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    secret = store.add("page")
    with serving(tone_settings(server={"keys_file": str(store.path)})) as site, client_of(site) as http:
        assert http.get("/", headers=BROWSER).status_code == 200
        assert http.get("/studio/js/main.js").status_code == 200
        assert http.get("/api/studio/operate").status_code == 401
        assert http.get("/api/studio/engines").status_code == 401
        allowed = http.get("/api/studio/engines", headers={"authorization": f"Bearer {secret}"})
        assert allowed.status_code == 200


def test_it_can_be_left_out() -> None:
    settings = replace(tone_settings(), studio=StudioSettings(enabled=False))
    with serving(settings) as site, client_of(site) as http:
        assert http.get("/", headers=BROWSER).json()["name"] == "tts-ops"
        assert http.get("/studio/js/main.js").status_code == 404
        assert http.get("/api/studio/operate").status_code == 404


def test_weights_that_are_cut_short_are_named(tmp_path: Path) -> None:
    from ttsops.models.catalogue import published
    from ttsops.settings import HubSettings

    entry = published().find("vocos-mel-24khz")
    snapshot = tmp_path / f"models--{entry.repo.replace('/', '--')}" / "snapshots" / entry.revision
    snapshot.mkdir(parents=True)
    (snapshot / entry.files[0].path).write_bytes(b"x")
    settings = replace(tone_settings(), hub=HubSettings(cache=str(tmp_path)))
    with serving(settings) as site, client_of(site) as http:
        models = {one["name"]: one for one in http.get("/api/studio/operate").json()["models"]}
    found = models["vocos-mel-24khz"]
    assert found["is_here"]
    assert any(entry.files[0].path in problem for problem in found["problems"])
    assert not models["VibeVoice-1.5B"]["is_here"]
