"""Who reaches whom: network policies and proxies."""

from __future__ import annotations

from typing import Any

import pytest

from infra.chart import (
    Manifest,
    find,
    render,
)
from infra.chart_cases import CASES, OPEN
from ttsops.settings import load_settings

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]


# ---- network ---------------------------------------------------------------------------------------------


def test_who_may_reach_whom(default: list[Manifest], production: list[Manifest]) -> None:
    def who(manifests: list[Manifest], part: str) -> set[tuple[str, str | int]]:
        spec = find(manifests, "NetworkPolicy", f"voice-agent-{part}")["spec"]
        return {
            (name_of(peer), port["port"])
            for rule in spec["ingress"]
            for peer in rule["from"]
            for port in rule["ports"]
        }

    def name_of(peer: Manifest) -> str:
        if "podSelector" in peer:
            return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"])
        return str(peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])

    assert who(default, "tts") == {("agent", "http"), ("test", "http"), ("monitoring", "http")}
    assert who(default, "agent") == {("monitoring", "http")}
    assert who(production, "tts") == {
        ("agent", "http"),
        ("test", "http"),
        ("ingress-nginx", "http"),
        ("monitoring", "metrics"),
    }
    assert who(production, "agent") == {("ingress-nginx", "http"), ("monitoring", "metrics")}


def test_where_they_may_go(default: list[Manifest], production: list[Manifest]) -> None:
    def where(manifests: list[Manifest], part: str) -> list[Any]:
        spec = find(manifests, "NetworkPolicy", f"voice-agent-{part}")["spec"]
        return [sorted({port["port"] for port in rule["ports"]}) for rule in spec["egress"]]

    assert where(default, "tts") == [[53]], "names, and nothing else"
    assert where(default, "agent") == [[53], ["http"]]
    assert where(production, "tts") == [[53], [443], [80]], "the bucket, and its credentials"
    assert where(production, "agent") == [[53], ["http"], [443]], "the language model"


# ---- ingress ---------------------------------------------------------------------------------------------


def test_a_proxy_neither_holds_streams_back_nor_gives_up_on_them() -> None:
    settings = load_settings(None, {}, {})
    manifests = render(OPEN)
    for part in ("tts", "agent"):
        annotations = find(manifests, "Ingress", f"voice-agent-{part}")["metadata"]["annotations"]
        own = {key.removeprefix("nginx.ingress.kubernetes.io/"): value for key, value in annotations.items()}
        assert own["proxy-buffering"] == "off"
        for name in ("proxy-read-timeout", "proxy-send-timeout"):
            assert float(own[name]) > settings.server.websocket_idle_seconds
            assert float(own[name]) > settings.runtime.slow_reader_seconds
        assert int(own["proxy-body-size"].removesuffix("m")) * 2**20 > settings.voices.max_reference_bytes
        assert ("affinity" in own) is (part == "agent")
        assert "non_idempotent" not in own["proxy-next-upstream"], "what changes something is sent once"
    speech = find(manifests, "Ingress", "voice-agent-tts-speech")
    paths = [(one["path"], one["pathType"]) for one in speech["spec"]["rules"][0]["http"]["paths"]]
    assert paths == [("/v1/audio/speech", "Exact"), ("/synthesize", "Exact")]
    again = speech["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-next-upstream"]
    assert {"http_503", "non_idempotent"} <= set(again.split())
    f5 = find(render(CASES["ingress by F5"]), "Ingress", "voice-agent-tts")["metadata"]["annotations"]
    assert (f5["nginx.org/proxy-buffering"], f5["nginx.org/websocket-services"]) == (
        "False",
        "voice-agent-tts",
    )
    other = find(render(CASES["ingress by another"]), "Ingress", "voice-agent-tts")
    assert "annotations" not in other["metadata"]
