"""Rules, alerts and dashboards on the real programs: prometheus, promtool, alertmanager and amtool."""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from server.server_process import running
from ttsops.observe import definitions
from ttsops.observe.textfile import write_integrity
from ttsops.settings import AgentSettings, EngineSettings, LlmSettings, ServerSettings, Settings

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "infra" / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yml"))
ALERTS = re.findall(r"- alert: (\w+)", (MONITORING / "rules" / "alerts.yml").read_text())

NEEDS_A_CARD = ("tts_gpu_utilization_percent", "tts_gpu_memory_used_bytes")
"""Metrics that are there only with a graphics card and its driver."""

programs = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not all(map(shutil.which, ("prometheus", "promtool", "prometheus-alertmanager", "amtool"))),
        reason="prometheus and prometheus-alertmanager are not installed",
    ),
]


def tool(*command: object) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def load_dashboards() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboards", MONITORING / "dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["dashboards"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


DASHBOARDS = load_dashboards()
QUERIES = sorted(
    {
        query
        for one in DASHBOARDS.ALL
        for row in one.rows.values()
        for panel in row
        for query, _ in panel.queries
    }
)


# ---- what can be said without a program -----------------------------------------------------


@pytest.mark.unit
def test_the_dashboards_are_what_the_generator_makes() -> None:
    assert {path.stem for path in (MONITORING / "dashboards").glob("*.json")} == {
        one.uid for one in DASHBOARDS.ALL
    }
    for one in DASHBOARDS.ALL:
        found = json.loads((MONITORING / "dashboards" / f"{one.uid}.json").read_text(encoding="utf-8"))
        assert found == DASHBOARDS.to_json(one), "run `python infra/monitoring/dashboards.py`"


@pytest.mark.unit
def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    for one in DASHBOARDS.ALL:
        panels = DASHBOARDS.to_json(one)["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken
            assert at["x"] + at["w"] <= DASHBOARDS.WIDTH
            taken |= cells


@pytest.mark.unit
def test_every_metric_that_is_asked_for_is_defined() -> None:
    texts = [*QUERIES, *(path.read_text() for path in RULES)]
    names = {name for text in texts for name in re.findall(r"\btts_[a-z0-9_]+", text)}
    recorded = set(
        re.findall(r"record: \w+:(tts_\w+):", (MONITORING / "rules" / "recording.yml").read_text())
    )
    known = {one.name for one in definitions.ALL} | recorded
    for name in names - known:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert base in known, f"{name} is no metric"


@pytest.mark.unit
def test_every_alert_has_its_section_of_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operate" / "runbook.md").read_text()
    page = (ROOT / "docs" / "operate" / "monitoring.md").read_text()
    text = (MONITORING / "rules" / "alerts.yml").read_text()
    assert len(ALERTS) == len(set(ALERTS)) == text.count("runbook: ") == 13
    for name in ALERTS:
        assert f"### {name}\n" in runbook
        assert f"runbook: docs/operate/runbook.md#{name.lower()}\n" in text
    named = re.findall(r"`(Tts\w+)`", page)
    assert set(ALERTS) - {"TtsErrorBudgetBurnSlow"} <= set(named)


# ---- checked by the programs ----------------------------------------------------------------


class TestChecked:
    pytestmark = programs

    def test_rules_and_configuration_can_be_read(self) -> None:
        assert "13 rules found" in tool("promtool", "check", "rules", *RULES)
        tool("promtool", "check", "config", MONITORING / "prometheus.yml")
        assert "2 receivers" in tool("amtool", "check-config", MONITORING / "alertmanager.yml")

    def test_histories_raise_the_alerts_they_should_and_no_others(self) -> None:
        assert "SUCCESS" in tool("promtool", "test", "rules", MONITORING / "tests" / "alerts.yml")

    def test_every_alert_has_a_history(self) -> None:
        text = (MONITORING / "tests" / "alerts.yml").read_text()
        assert [name for name in ALERTS if name not in text] == []

    @pytest.mark.parametrize(("severity", "receiver"), [("page", "on-call"), ("ticket", "chat")])
    def test_pages_go_to_whoever_is_on_call(self, severity: str, receiver: str) -> None:
        config = f"--config.file={MONITORING / 'alertmanager.yml'}"
        found = tool("amtool", "config", "routes", "test", config, f"severity={severity}", "alertname=X")
        assert found.splitlines()[0] == receiver


# ---- a live server, its agent, and everything that looks at it -----------------------------


class Hook(http.server.ThreadingHTTPServer):
    """Takes what Alertmanager sends, and hands out one file of metrics."""

    def __init__(self, textfile: Path) -> None:
        self.heard: list[tuple[str, str]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
                for alert in body["alerts"]:
                    self.heard.append((alert["labels"]["alertname"], alert["status"]))
                handler.send_response(200)
                handler.end_headers()

            def do_GET(handler) -> None:  # noqa: N805
                handler.send_response(200)
                handler.send_header("content-type", "text/plain; version=0.0.4")
                handler.end_headers()
                handler.wfile.write(textfile.read_bytes())

            def log_message(handler, *_: Any) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def program(*command: object, directory: Path) -> Iterator[None]:
    with (directory / f"{command[0]}.log").open("w") as log:
        process = subprocess.Popen([str(one) for one in command], stdout=log, stderr=log, cwd=directory)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def get(url: str, data: dict[str, Any] | None = None) -> bytes:
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)


class Site:
    """Server, Prometheus, Alertmanager, and the hook that is told."""

    def __init__(self, url: str, prometheus: str, hook: Hook, pid: int) -> None:
        self.url, self.prometheus, self.hook, self.pid = url, prometheus, hook, pid

    def ask(self, query: str) -> list[Any]:
        query = query.replace("$__rate_interval", "30s").replace("$job", ".*")
        url = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        answer = json.loads(get(url))
        assert answer["status"] == "success", answer
        found: list[Any] = answer["data"]["result"]
        return found

    def load(self) -> None:
        """Some of everything: speech, an answer of the agent, a mistake, a hang-up."""
        for number in range(3):
            get(f"{self.url}/v1/audio/speech", {"model": "tone", "voice": "low", "input": f"Words {number}."})
        get(f"{self.url}/chat", {"text": "Good morning."})
        with contextlib.suppress(urllib.error.HTTPError):
            get(f"{self.url}/v1/audio/speech", {"model": "tone", "voice": "nobody", "input": "Words."})
        body = json.dumps(
            {"model": "tone", "voice": "low", "input": "Words. " * 500, "response_format": "pcm"}
        )
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as leaving:
            head = f"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
            leaving.sendall(f"{head}content-type: application/json\r\n\r\n{body}".encode())
            leaving.recv(1000)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    write_integrity(folder / "models.prom", {"F5-TTS": True})
    hook = Hook(folder / "models.prom")
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    settings = Settings(
        engine="tone",
        engines={"tone": EngineSettings(options={"step_seconds": 0.005})},
        server=ServerSettings(port=0),
        agent=AgentSettings(enabled=True),
        llm=LlmSettings(provider="echo"),
    )
    prometheus_port, alertmanager_port, cluster_port = free_port(), free_port(), free_port()
    (folder / "rules").mkdir()
    for path in RULES:  # nobody waits for minutes here
        text = re.sub(r"for: \d+[mh]", "for: 0s", path.read_text())
        (folder / "rules" / path.name).write_text(text)
    config = (MONITORING / "alertmanager.yml").read_text()
    config = re.sub(r"http://\w+\.invalid/hook", f"http://{hook.url}/hook", config)
    config = re.sub(r"group_wait: \S+", "group_wait: 0s", config)
    config = re.sub(r"group_interval: \S+", "group_interval: 1s", config)
    (folder / "alertmanager.yml").write_text(config)
    with running(settings, folder) as server:
        target = server.url.removeprefix("http://")
        (folder / "prometheus.yml").write_text(
            json.dumps(  # JSON is YAML
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [str(folder / "rules" / "*.yml")],
                    "alerting": {
                        "alertmanagers": [
                            {"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}
                        ]
                    },
                    "scrape_configs": [
                        {"job_name": "tts", "static_configs": [{"targets": [target]}]},
                        {"job_name": "models", "static_configs": [{"targets": [hook.url]}]},
                    ],
                }
            )
        )
        with (
            program(
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                f"--cluster.listen-address=127.0.0.1:{cluster_port}",
                directory=folder,
            ),
            program(
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{prometheus_port}",
                "--rules.alert.resend-delay=1s",
                directory=folder,
            ),
        ):
            found = Site(server.url, f"http://127.0.0.1:{prometheus_port}", hook, server.popen.pid)
            until(lambda: _answers(f"{found.prometheus}/-/ready"), 30, "Prometheus does not start")
            until(lambda: bool(found.ask("tts_build_info")), 20, "the server is not scraped")
            for _ in range(3):  # twice at least, and scraped before, between and after
                found.load()
                time.sleep(1.5)
            yield found
    hook.shutdown()
    hook.server_close()


def _answers(url: str) -> bool:
    try:
        get(url)
    except OSError:
        return False
    return True


class TestLive:
    pytestmark = programs

    @pytest.mark.parametrize("query", QUERIES)
    def test_every_panel_shows_something(self, site: Site, query: str) -> None:
        found = site.ask(query)
        if any(name in query for name in NEEDS_A_CARD):
            return  # asked, and understood: that is all that can be seen here
        assert found, "no data"
        assert any(one["value"][1] != "NaN" for one in found)

    def test_every_recorded_figure_is_there(self, site: Site) -> None:
        for name in re.findall(r"record: (\S+)", (MONITORING / "rules" / "recording.yml").read_text()):
            until(lambda name=name: bool(site.ask(name)), 20, f"{name} is not recorded")  # type: ignore[misc]

    def test_memory_of_the_worker_and_disks_are_measured(self, site: Site) -> None:
        (worker,) = site.ask('tts_worker_memory_bytes{engine="tone"}')
        assert float(worker["value"][1]) > 10e6
        assert {one["metric"]["disk"] for one in site.ask("tts_disk_free_bytes")} == {"state", "models"}

    def test_a_killed_worker_is_told_of_and_so_is_its_return(self, site: Site) -> None:
        def kill_worker() -> None:
            for child in psutil.Process(site.pid).children():
                with contextlib.suppress(psutil.Error):
                    os.kill(child.pid, signal.SIGKILL)

        def is_told(status: str) -> bool:
            return ("TtsBreakerOpen", status) in site.hook.heard

        def is_told_while_it_is_killed() -> bool:
            kill_worker()
            return is_told("firing")

        until(is_told_while_it_is_killed, 60, "nobody is told")
        until(lambda: is_told("resolved"), 60, "nobody is told that it speaks again")
        get(f"{site.url}/v1/audio/speech", {"model": "tone", "voice": "low", "input": "Again."})
