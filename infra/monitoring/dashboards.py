"""Writes the Grafana dashboards: `python infra/monitoring/dashboards.py`.

They are made from this file alone; a test compares what is committed with what it makes, and asks a real
Prometheus every query. What Grafana reads:
https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
"""Columns of Grafana's grid."""

JOB = 'job=~"$job"'


@dataclass(frozen=True)
class Panel:
    """One figure, or a few that belong together."""

    title: str
    queries: tuple[tuple[str, str], ...]
    """PromQL → legend."""

    unit: str = "short"
    kind: str = "timeseries"
    help: str = ""
    width: int = 8
    height: int = 7
    steps: tuple[tuple[float, str], ...] = ()
    """From this value on, this colour."""


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    help: str
    rows: dict[str, tuple[Panel, ...]] = field(default_factory=dict)


def rate(metric: str, by: str, selector: str = "") -> str:
    """A second's worth of a counter."""
    chosen = f"{JOB},{selector}" if selector else JOB
    return f"sum by ({by}) (rate({metric}{{{chosen}}}[$__rate_interval]))"


def quantile(q: float, metric: str, by: str = "engine") -> str:
    """Of a histogram."""
    buckets = f"rate({metric}_bucket{{{JOB}}}[$__rate_interval])"
    return f"histogram_quantile({q}, sum by ({by}, le) ({buckets}))"


def one(query: str, legend: str = "{{engine}}") -> tuple[tuple[str, str], ...]:
    """A panel's only query."""
    return ((query, legend),)


def share_of_requests(outcome: str) -> str:
    """How many of the requests ended so; 0 while there are others only."""
    every = rate("tts_requests_total", "job")
    return f"""{rate("tts_requests_total", "job", f'outcome="{outcome}"')} / {every} or 0 * {every}"""


GOOD_BAD = ((0.0, "red"), (1.0, "green"))

OVERVIEW = Dashboard(
    "voice-agent-overview",
    "Voice agent: overview",
    "Is it well, and who is served? The page to begin with.",
    {
        "Now": (
            Panel(
                "Engines ready",
                one(f"min by (engine) (tts_engine_ready{{{JOB}}})"),
                kind="stat",
                width=6,
                height=4,
                steps=GOOD_BAD,
                help="1: it can speak.",
            ),
            Panel(
                "Live streams",
                one(f"sum by (engine) (tts_live_streams{{{JOB}}})"),
                kind="stat",
                width=6,
                height=4,
            ),
            Panel(
                "Load",
                one(
                    f"sum by (engine) (tts_live_streams{{{JOB}}})"
                    f" / sum by (engine) (tts_max_streams{{{JOB}}})"
                ),
                unit="percentunit",
                kind="gauge",
                width=6,
                height=4,
                steps=((0.0, "green"), (0.8, "orange"), (0.95, "red")),
                help="Live streams / the most it takes.",
            ),
            Panel(
                "Versions",
                one(f"count by (version) (tts_build_info{{{JOB}}})", "{{version}}"),
                kind="stat",
                width=6,
                height=4,
                help="Servers by version.",
            ),
        ),
        "Requests": (
            Panel(
                "Requests by outcome",
                one(rate("tts_requests_total", "outcome"), "{{outcome}}"),
                unit="reqps",
                help="`failed` is our fault, `rejected` the caller's, `busy` was told to come back.",
            ),
            Panel(
                "Failed",
                one(share_of_requests("failed"), "{{job}}"),
                unit="percentunit",
                steps=((0.0, "green"), (0.005, "red")),
                help="The goal is below 0.5 %.",
            ),
            Panel(
                "Turned away (429)",
                one(share_of_requests("busy"), "{{job}}"),
                unit="percentunit",
            ),
        ),
        "What a listener feels": (
            Panel(
                "Time to first audio",
                (
                    (quantile(0.5, "tts_time_to_first_audio_seconds"), "{{engine}} p50"),
                    (quantile(0.95, "tts_time_to_first_audio_seconds"), "{{engine}} p95"),
                ),
                unit="s",
            ),
            Panel(
                "Stalls", one(rate("tts_underruns_total", "engine")), unit="ops", help="Underruns a second."
            ),
            Panel(
                "Waiting for a place",
                (
                    (f"sum by (engine) (tts_queued_streams{{{JOB}}})", "{{engine}} waiting"),
                    (quantile(0.95, "tts_queue_wait_seconds"), "{{engine}} p95, seconds"),
                ),
            ),
        ),
        "The agent": (
            Panel(
                "Turns by outcome",
                one(rate("tts_agent_turns_total", "provider, outcome"), "{{provider}} {{outcome}}"),
                unit="reqps",
            ),
            Panel(
                "Question to first audio",
                (
                    (quantile(0.5, "tts_agent_first_audio_seconds", "provider"), "{{provider}} p50"),
                    (quantile(0.95, "tts_agent_first_audio_seconds", "provider"), "{{provider}} p95"),
                ),
                unit="s",
            ),
            Panel(
                "Language model's first token",
                (
                    (quantile(0.5, "tts_agent_llm_first_token_seconds", "provider"), "{{provider}} p50"),
                    (quantile(0.95, "tts_agent_llm_first_token_seconds", "provider"), "{{provider}} p95"),
                ),
                unit="s",
            ),
        ),
        "Alerts": (
            Panel(
                "Firing",
                one(
                    'sum by (alertname, severity) (ALERTS{alertstate="firing"}) or vector(0)',
                    "{{alertname}} {{severity}}",
                ),
                kind="stat",
                width=24,
                height=4,
            ),
        ),
    },
)

PERFORMANCE = Dashboard(
    "tts-performance",
    "Speech: performance",
    "How fast speech is made, and what it takes of the machine.",
    {
        "Speed": (
            Panel(
                "RTF",
                (
                    (
                        f"{rate('tts_rtf_sum', 'engine')} / {rate('tts_rtf_count', 'engine')}",
                        "{{engine}} mean",
                    ),
                    (quantile(0.95, "tts_rtf"), "{{engine}} p95"),
                ),
                steps=((0.0, "green"), (0.25, "orange"), (0.3, "red")),
                help="Synthesis time / audio time; above 1 it stalls.",
            ),
            Panel(
                "Step",
                (
                    (quantile(0.5, "tts_step_duration_seconds"), "{{engine}} p50"),
                    (quantile(0.99, "tts_step_duration_seconds"), "{{engine}} p99"),
                ),
                unit="s",
                help="One step over its batch; cancelling waits for one.",
            ),
            Panel(
                "Batch",
                one(f"{rate('tts_batch_size_sum', 'engine')} / {rate('tts_batch_size_count', 'engine')}"),
                help="Utterances that one step advances together.",
            ),
            Panel(
                "Time to first audio, p99", one(quantile(0.99, "tts_time_to_first_audio_seconds")), unit="s"
            ),
            Panel("Synthesis, p95", one(quantile(0.95, "tts_synthesis_duration_seconds")), unit="s"),
            Panel(
                "Speech made",
                one(rate("tts_audio_seconds_total", "engine")),
                help="Seconds of audio a second.",
            ),
        ),
        "Machine": (
            Panel(
                "Memory of workers",
                one(
                    f"max by (instance, engine) (tts_worker_memory_bytes{{{JOB}}})", "{{engine}} {{instance}}"
                ),
                unit="bytes",
            ),
            Panel(
                "Memory of servers",
                one(f"max by (instance) (process_resident_memory_bytes{{{JOB}}})", "{{instance}}"),
                unit="bytes",
            ),
            Panel(
                "Cores of servers",
                one(
                    f"max by (instance) (rate(process_cpu_seconds_total{{{JOB}}}[$__rate_interval]))",
                    "{{instance}}",
                ),
            ),
            Panel(
                "Event loop, p99 late",
                one(quantile(0.99, "tts_event_loop_lag_seconds", "instance"), "{{instance}}"),
                unit="s",
                help="Every listener's audio is late by as much.",
            ),
            Panel(
                "Disks free",
                one(
                    f"min by (instance, disk) (tts_disk_free_bytes{{{JOB}}} / tts_disk_size_bytes{{{JOB}}})",
                    "{{disk}} {{instance}}",
                ),
                unit="percentunit",
            ),
            Panel("Open files", one(f"max by (instance) (process_open_fds{{{JOB}}})", "{{instance}}")),
        ),
        "Graphics card": (
            Panel(
                "Busy",
                one(f"max by (instance, gpu) (tts_gpu_utilization_percent{{{JOB}}})", "{{gpu}} {{instance}}"),
                unit="percent",
                width=12,
            ),
            Panel(
                "Memory",
                one(f"max by (instance, gpu) (tts_gpu_memory_used_bytes{{{JOB}}})", "{{gpu}} {{instance}}"),
                unit="bytes",
                width=12,
            ),
        ),
        "Workers": (
            Panel(
                "Restarts",
                one(f"sum by (engine) (increase(tts_worker_restarts_total{{{JOB}}}[1h]))"),
                width=12,
                help="In the last hour.",
            ),
            Panel(
                "Time to load",
                one(f"max by (engine) (tts_model_load_time_seconds{{{JOB}}})"),
                unit="s",
                width=12,
            ),
        ),
    },
)

QUALITY = Dashboard(
    "tts-quality",
    "Speech: quality",
    "What listeners would complain of, and whether the weights are the ones.",
    {
        "Heard": (
            Panel(
                "Silence that stalls added",
                one(
                    f"{rate('tts_underrun_seconds_total', 'engine')}"
                    f" / {rate('tts_audio_seconds_total', 'engine')}"
                ),
                unit="percentunit",
                steps=((0.0, "green"), (0.01, "red")),
            ),
            Panel(
                "Faults noticed in speech",
                one(
                    f"{rate('tts_speech_faults_total', 'engine, fault, answer')} or vector(0)",
                    "{{engine}} {{fault}} {{answer}}",
                ),
                unit="ops",
                help="Silence, noise and wrong ends, and whether they were made again.",
            ),
            Panel(
                "Spoken by another engine",
                one(f"{rate('tts_failovers_total', 'engine, used')} or vector(0)", "{{engine}} → {{used}}"),
                unit="ops",
            ),
        ),
        "Cut short": (
            Panel(
                "Cut short by",
                one(rate("tts_cancels_total", "reason"), "{{reason}}"),
                unit="ops",
                help="`hangup`, `client` and `barge_in` are listeners' wishes.",
            ),
            Panel("Errors by code", one(rate("tts_errors_total", "code"), "{{code}}"), unit="ops"),
            Panel(
                "Language model's errors",
                one(
                    f"{rate('tts_agent_llm_errors_total', 'provider, code')} or vector(0)",
                    "{{provider}} {{code}}",
                ),
                unit="ops",
            ),
        ),
        "Weights": (
            Panel(
                "Whole",
                one("min by (model) (tts_model_integrity_ok)", "{{model}}"),
                kind="stat",
                width=12,
                steps=GOOD_BAD,
                help="`ttsops models verify --prometheus FILE` writes it.",
            ),
            Panel(
                "Verified",
                one("time() - max by (model) (tts_model_verified_timestamp_seconds)", "{{model}}"),
                unit="s",
                kind="stat",
                width=12,
                help="How long ago.",
            ),
        ),
    },
)

ALL = (OVERVIEW, PERFORMANCE, QUALITY)


def to_json(dashboard: Dashboard) -> dict[str, Any]:
    """As Grafana reads it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in dashboard.rows.items():
        panels.append(
            {
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "id": len(panels) + 1,
                "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
            }
        )
        y, x, height = y + 1, 0, 0
        for panel in row:
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            panels.append(_panel(panel, len(panels) + 1, x, y))
            x, height = x + panel.width, panel.height
        y += height
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.help,
        "tags": ["tts-ops"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_job_variable()]},
        "panels": panels,
    }


def _job_variable() -> dict[str, Any]:
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": "label_values(tts_build_info, job)", "refId": "job"},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    steps = [
        {"value": None if i == 0 else value, "color": colour} for i, (value, colour) in enumerate(panel.steps)
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["color"] = {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": DATASOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": query, "legendFormat": legend}
            for i, (query, legend) in enumerate(panel.queries)
        ],
    }


def main() -> None:
    """Write every dashboard into its file."""
    FOLDER.mkdir(exist_ok=True)
    for dashboard in ALL:
        text = json.dumps(to_json(dashboard), indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{dashboard.uid}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
