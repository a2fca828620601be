"""What the chart would start is started here: the containers' own arguments, settings and probes.

There is no cluster: what Kubernetes itself does (images, mounts, Services, limits) is not shown by this.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.conftest import free_port
from infra.chart import Manifest, Values, find, notes, render
from infra.pods import Container, localized
from ttsops.audio import decode_audio
from ttsops.server.keys import KeyStore

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]

SPEECH = "/v1/audio/speech"


def with_ports(values: Values) -> tuple[list[Manifest], dict[str, str]]:
    """Rendered for ports that are free here; and the Service's name as it is here."""
    ports = {"tts": free_port(), "agent": free_port()}
    whole: Values = {part: values.get(part, {}) | {"port": ports[part]} for part in ports}
    return render(values | whole), {"voice-agent-tts": "127.0.0.1"}


def post(url: str, body: Mapping[str, Any], key: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.post(url, json=body, headers=headers, timeout=20, trust_env=False)


def follow(said: str, forwarded: Mapping[str, str], folder: Path) -> None:
    """Do as the notes say, with what `kubectl port-forward` would have made reachable."""
    for command in re.findall(r"^ +(curl (?:.*\\\n)*.*)$", said, re.M):
        quiet = "curl() { command curl -sS --fail --noproxy '*' \"$@\"; }; "
        subprocess.run(quiet + localized(command, forwarded), shell=True, cwd=folder, check=True)


def test_default_values_make_a_server_that_talks_and_an_agent_that_answers(tmp_path: Path) -> None:
    manifests, here = with_ports({})
    tts = Container(manifests, "tts", tmp_path / "tts", here)
    agent = Container(manifests, "agent", tmp_path / "agent", here)
    with tts.running():
        assert tts.probe("readinessProbe")
        assert tts.probe("livenessProbe")
        with agent.running():
            assert agent.probe("readinessProbe")
            said = notes()
            follow(said, {"http://127.0.0.1:8001": tts.url, "http://127.0.0.1:8080": agent.url}, tmp_path)
            for name in ("hello.wav", "answer.wav") if said else ():
                samples, rate = decode_audio(tmp_path / name)
                assert len(samples) / rate > 0.3
            assert post(f"{agent.url}/chat", {"text": "Good morning."}).status_code == 200
            agent.terminate()
            assert agent.wait() == 0
        tts.terminate()
        assert tts.wait() == 0


def test_keys_are_asked_for_and_metrics_are_on_a_port_of_their_own(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys" / "keys.json")
    keys.path.parent.mkdir()
    secret = keys.add("agent")
    metrics_port = free_port()
    values: Values = {
        "tts": {"apiKeys": {"secret": "keys"}, "metricsPort": metrics_port},
        "agent": {"ttsKey": {"secret": "agent-key"}},
    }
    manifests, here = with_ports(values)
    here |= {"/etc/ttsops/keys": str(keys.path.parent)}
    secrets = {"agent-key": secret}
    tts = Container(manifests, "tts", tmp_path / "tts", here, secrets)
    agent = Container(manifests, "agent", tmp_path / "agent", here, secrets)
    with tts.running(), agent.running():
        assert tts.probe("readinessProbe"), "probes have no key"
        assert post(tts.url + SPEECH, {"input": "Hello."}).status_code == 401
        assert post(tts.url + SPEECH, {"input": "Hello."}, secret).status_code == 200
        assert post(f"{agent.url}/chat", {"text": "Hello."}).status_code == 200
        tested = tts.run(find(manifests, "Pod")["spec"]["containers"][0])
        assert tested.returncode == 0, tested.stdout + tested.stderr
        metrics = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", trust_env=False)
        assert "tts_live_streams" in metrics.text
        assert httpx.get(f"{tts.url}/metrics", trust_env=False).status_code in (401, 404)
        tts.terminate()
        assert tts.wait() == 0
        refused = tts.run(find(manifests, "Pod")["spec"]["containers"][0])
        assert refused.returncode == 3, "the chart's own test tells when nobody speaks"


TEXT = "Somebody listens to the very end of what is said. " * 3
TONE: Values = {
    "tts": {
        "engine": "tone",
        "settings": {"engines": {"tone": {"options": {"rtf": 0.5}}}},
        "preStopSeconds": 1,
        "drainSeconds": 20,
    },
    "agent": {"enabled": False},
}


def test_a_pod_that_is_taken_away_speaks_to_the_end(tmp_path: Path) -> None:
    """preStop, SIGTERM, drain, exit, in the order and within the time that Kubernetes gives."""
    manifests, here = with_ports(TONE)
    tts = Container(manifests, "tts", tmp_path / "tts", here)
    heard: dict[str, Any] = {"n_bytes": 0}

    def listen() -> None:
        body = {"input": TEXT, "response_format": "pcm"}
        with httpx.stream("POST", tts.url + SPEECH, json=body, timeout=30, trust_env=False) as answer:
            for data in answer.iter_bytes():
                heard["n_bytes"] += len(data)
        heard["is_whole"] = True

    with tts.running():
        listener = threading.Thread(target=listen)
        listener.start()
        while not heard["n_bytes"]:
            time.sleep(0.01)
        leaves_at = time.monotonic() + tts.pre_stop_seconds
        while time.monotonic() < leaves_at:  # proxies that have not heard of it still send requests here
            assert tts.probe("readinessProbe")
            assert post(tts.url + SPEECH, {"input": "Late."}).status_code == 200
        assert "is_whole" not in heard, "somebody still listens"
        tts.terminate()
        until = time.monotonic() + 5
        while tts.probe("readinessProbe"):
            assert time.monotonic() < until
        assert tts.probe("livenessProbe"), "a pod that drains is not restarted"
        assert "is_whole" not in heard
        listener.join(20)
        assert tts.wait() == 0
    assert heard["is_whole"]
    assert heard["n_bytes"] / 48_000 == pytest.approx(len(TEXT) * 0.06, rel=0.01)
