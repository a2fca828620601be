"""Long recordings as jobs over HTTP."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from msgspec.structs import replace
from server_site import client_of, serving, tone_settings

from ttsops.server.keys import KeyStore
from ttsops.settings import RenderSettings, Settings

pytestmark = pytest.mark.server

SCRIPT = "\n".join(f"Speaker {1 + i % 2}: This is turn {i}, and it is not very long." for i in range(6))


def settings(folder: Path, max_jobs: int = 20, **tone: Any) -> Settings:
    return replace(tone_settings(**tone), render=RenderSettings(folder=str(folder), max_jobs=max_jobs))


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(settings(tmp_path / "jobs")) as site, client_of(site) as client:
        yield client


def begin(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/v1/renders", json={"script": SCRIPT, "response_format": "wav"} | body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def until(http: httpx.Client, job_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    end = time.monotonic() + 30
    while not condition(job := http.get(f"/v1/renders/{job_id}").json()):
        assert time.monotonic() < end, job
        time.sleep(0.02)
    return job


def is_over(job: dict[str, Any]) -> bool:
    return job["status"] in ("done", "failed")


def test_a_job_from_script_to_files(http: httpx.Client) -> None:
    job = begin(http, voices=["low", "high"])
    assert (job["object"], job["status"] in ("queued", "running")) == ("render", True)
    done = until(http, job["id"], is_over)
    assert done["status"] == "done"
    assert done["progress"]["share"] == 1.0
    assert done["files"] == ["speech.wav", "speech.srt", "speech.vtt", "speech.chapters.json"]
    audio = http.get(f"/v1/renders/{job['id']}/files/speech.wav")
    assert audio.headers["content-type"] == "audio/wav"
    samples, rate = soundfile.read(io.BytesIO(audio.content))
    assert len(samples) / rate == pytest.approx(done["audio_seconds"])
    assert float(np.abs(samples).max()) > 0.5
    assert "Speaker 2" in http.get(f"/v1/renders/{job['id']}/files/speech.srt").text
    assert [one["id"] for one in http.get("/v1/renders").json()["data"]] == [job["id"]]


def test_what_cannot_be_spoken_is_refused_at_once(http: httpx.Client) -> None:
    for body, code in (
        ({"script": "Speaker 1: x\nlost"}, "invalid_value"),
        ({"script": "  "}, "empty_text"),
        ({"voices": ["nobody"]}, "unknown_voice"),
        ({"voices": ["low", "high", "top"]}, "invalid_value"),
        ({"model": "none"}, "unknown_engine"),
        ({"speed": 9}, "invalid_value"),
        ({"response_format": "pcm"}, "unsupported_format"),
        ({"unknown": 1}, "invalid_value"),
    ):
        answer = http.post("/v1/renders", json={"script": SCRIPT} | body)
        assert 400 <= answer.status_code < 500, body
        assert answer.json()["error"]["code"] == code, body
    assert http.get("/v1/renders").json()["data"] == []


@pytest.mark.parametrize("name", ["speech.mp3", "request.json", "..%2frequest.json", "state.json"])
def test_only_its_own_files_are_given_away(http: httpx.Client, name: str) -> None:
    job = begin(http)
    until(http, job["id"], is_over)
    assert http.get(f"/v1/renders/{job['id']}/files/{name}").status_code == 404
    assert http.get("/v1/renders/job_000000000000000000000000").status_code == 404


def test_a_running_job_is_heard_stopped_and_deleted(tmp_path: Path) -> None:
    with serving(settings(tmp_path / "jobs", rtf=0.3)) as site, client_of(site) as http:
        job = begin(http, script="\n".join([SCRIPT] * 20))
        running = until(http, job["id"], lambda one: (one["progress"] or {}).get("turns_done", 0) >= 1)
        assert running["progress"]["eta_seconds"] > 0
        partial = http.get(f"/v1/renders/{job['id']}/files/partial.wav")
        samples, _ = soundfile.read(io.BytesIO(partial.content))
        assert len(samples) > 10_000
        assert http.delete(f"/v1/renders/{job['id']}").json() == {"id": job["id"], "deleted": True}
        assert http.get(f"/v1/renders/{job['id']}").status_code == 404
        assert list((tmp_path / "jobs").iterdir()) == []
        assert site.runtime.n_live == 0


def test_after_a_restart_it_goes_on_to_the_same_samples(tmp_path: Path) -> None:
    script = "\n".join([SCRIPT] * 4)
    with serving(settings(tmp_path / "whole")) as site, client_of(site) as http:
        job = begin(http, script=script)
        until(http, job["id"], is_over)
        whole = http.get(f"/v1/renders/{job['id']}/files/speech.wav").content
    with serving(settings(tmp_path / "jobs", rtf=0.1)) as site, client_of(site) as http:
        job = begin(http, script=script)
        until(http, job["id"], lambda one: (one["progress"] or {}).get("turns_done", 0) >= 3)
    with serving(settings(tmp_path / "jobs")) as site, client_of(site) as http:
        done = until(http, job["id"], is_over)
        assert done["status"] == "done", done
        assert http.get(f"/v1/renders/{job['id']}/files/speech.wav").content == whole


def test_no_more_jobs_are_kept_than_there_is_room_for(tmp_path: Path) -> None:
    with serving(settings(tmp_path / "jobs", max_jobs=1)) as site, client_of(site) as http:
        job = begin(http)
        answer = http.post("/v1/renders", json={"script": SCRIPT})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "overloaded")
        assert int(answer.headers["retry-after"]) > 0
        http.delete(f"/v1/renders/{job['id']}")
        begin(http)


def test_a_job_is_its_keys_own(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    mine, theirs = ({"authorization": f"Bearer {store.add(name)}"} for name in ("mine", "theirs"))
    locked = replace(
        settings(tmp_path / "jobs"), server=tone_settings(server={"keys_file": str(store.path)}).server
    )
    with serving(locked) as site, client_of(site) as http:
        job = http.post("/v1/renders", json={"script": SCRIPT}, headers=mine).json()
        assert http.get(f"/v1/renders/{job['id']}", headers=mine).status_code == 200
        assert http.get(f"/v1/renders/{job['id']}", headers=theirs).status_code == 404
        assert http.delete(f"/v1/renders/{job['id']}", headers=theirs).status_code == 404
        assert http.get("/v1/renders", headers=theirs).json()["data"] == []


def test_without_a_folder_there_are_no_jobs() -> None:
    with serving(tone_settings()) as site, client_of(site) as http:
        answer = http.post("/v1/renders", json={"script": SCRIPT})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert "ttsops render" in answer.json()["error"]["hint"]
