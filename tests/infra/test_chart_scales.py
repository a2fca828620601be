"""What autoscalers ask, asked of a real Prometheus that scrapes a server which the chart describes.

Neither Prometheus Adapter nor KEDA is run: their questions are.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from e2e.conftest import free_port
from infra.chart import NAMESPACE, ROOT, Values, find, render
from infra.pods import Container
from infra.test_monitoring import program, until

pytestmark = [
    pytest.mark.programs,
    pytest.mark.usefixtures("has_helm"),
    pytest.mark.skipif(
        not shutil.which("prometheus"), reason="prometheus is not installed: NOTHING is asked of it"
    ),
]

POD = "voice-agent-tts-6c9d8f7b5d-x2x4z"

BUSY: Values = {
    "tts": {
        "engine": "tone",
        "settings": {"engines": {"tone": {"max_streams": 1, "options": {"rtf": 0.5}}}},
        "autoscaling": {"kind": "keda"},
    }
}
"""One at a time: whoever comes meanwhile waits for a second or two."""


def adapter_rules() -> dict[str, str]:
    """The queries of the page, by the name that the HPA asks for, as Prometheus Adapter fills them in."""
    page = (ROOT / "docs" / "operate" / "kubernetes.md").read_text()
    [block] = [one for one in re.findall(r"```yaml\n(.*?)```", page, re.S) if one.startswith("rules:")]
    rules = yaml.safe_load(block)["rules"]
    found = {}
    for rule in (*rules["custom"], *rules["external"]):
        series = re.match(r"\w+", rule["seriesQuery"])
        assert series
        assert re.fullmatch(rule["name"]["matches"], series.group())
        filled = rule["metricsQuery"].replace("<<.Series>>", series.group())
        filled = filled.replace("<<.LabelMatchers>>", f'namespace="{NAMESPACE}"').replace(
            "<<.GroupBy>>", "pod"
        )
        assert "<<" not in filled
        found[rule["name"]["as"]] = filled
    return found


class Site:
    """A server, and the Prometheus that scrapes it as one pod of the chart."""

    def __init__(self, container: Container, prometheus: str) -> None:
        self.container, self._prometheus = container, prometheus

    def ask(self, query: str) -> list[float]:
        url = f"{self._prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        answer = httpx.get(url, trust_env=False).json()
        assert answer["status"] == "success", answer
        return [float(one["value"][1]) for one in answer["data"]["result"]]

    def say(self, text: str) -> None:
        body = {"input": text, "response_format": "pcm"}
        url = f"{self.container.url}/v1/audio/speech"
        assert httpx.post(url, json=body, timeout=30, trust_env=False).status_code == 200


@pytest.fixture(scope="module")
def manifests(has_helm: None) -> list[dict[str, Any]]:
    whole = {**BUSY, "tts": {**BUSY["tts"], "port": free_port()}}
    return render(whole)


@pytest.fixture(scope="module")
def site(manifests: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("scales")
    container = Container(manifests, "tts", folder / "tts")
    target = {"targets": [f"127.0.0.1:{container.port}"], "labels": {"namespace": NAMESPACE, "pod": POD}}
    other = {"targets": [f"127.0.0.1:{container.port}"], "labels": {"namespace": "other", "pod": POD}}
    config = {
        "global": {"scrape_interval": "250ms"},
        "scrape_configs": [{"job_name": "tts", "static_configs": [target, other]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with container.running(), program(*command, directory=folder):
        found = Site(container, f"http://127.0.0.1:{port}")
        until(lambda: _is_scraped(found), 30, "the server is not scraped")
        yield found


def _is_scraped(site: Site) -> bool:
    try:
        return site.ask("count_over_time(tts_live_streams[1m]) > 3") != []
    except httpx.TransportError:
        return False


def test_autoscalers_see_streams_and_waiting(site: Site, manifests: list[dict[str, Any]]) -> None:
    triggers = find(manifests, "ScaledObject")["spec"]["triggers"]
    live, wait = (one["metadata"]["query"] for one in triggers)
    rules = adapter_rules()
    assert set(rules) == {"tts_live_streams", "tts_queue_wait_seconds_p95"}

    # Nobody has asked for anything: one number each, and it is 0. A quantile of nothing is NaN, or absent.
    for query in (live, wait, *rules.values()):
        assert site.ask(query) == [0.0], query

    texts = ["Somebody speaks, and others wait for it. " * 2] * 3
    threads = [threading.Thread(target=site.say, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    until(lambda: site.ask(live) == [1.0], 10, "a live stream, of this namespace only")
    assert site.ask(rules["tts_live_streams"]) == [1.0]
    for thread in threads:
        thread.join(30)
    threshold = float(triggers[1]["metadata"]["threshold"])
    for query in (wait, rules["tts_queue_wait_seconds_p95"]):
        until(lambda query=query: site.ask(query)[0] > threshold, 10, f"two waited for seconds: {query}")  # type: ignore[misc]
    until(lambda: site.ask(live) == [0.0], 10, "nobody is spoken to")


def test_the_hpa_asks_for_what_the_rules_make() -> None:
    hpa = find(render({"tts": {"autoscaling": {"kind": "adapter"}}}), "HorizontalPodAutoscaler")
    asked = [one[one["type"].lower()]["metric"]["name"] for one in hpa["spec"]["metrics"]]
    assert asked == list(adapter_rules())
