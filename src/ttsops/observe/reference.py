"""The pages of `docs/reference` that describe what is observed, written from the definitions themselves."""

from __future__ import annotations

from ttsops.observe.definitions import ALL, Definition


def metrics_page() -> str:
    """`docs/reference/metrics.md`."""
    sections = [_metric_section(definition) for definition in ALL]
    return _METRICS_HEAD + "\n" + "\n".join(sections)


def _metric_section(definition: Definition) -> str:
    lines = [
        f"## `{definition.name}`",
        "",
        f"{definition.help}.",
        "",
        f"{definition.kind.capitalize()}, in {definition.unit}.",
    ]
    if definition.labels:
        lines += ["", "| label | value |", "| --- | --- |"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in definition.labels.items()]
    if definition.buckets:
        bounds = ", ".join(f"{bound:g}" for bound in definition.buckets)
        lines += ["", f"Buckets: {bounds}.", "", f"Why: {definition.buckets_reason}."]
    return "\n".join(lines) + "\n"


_METRICS_HEAD = """\
# Metrics

`GET /metrics` answers in the Prometheus text format; with `server.metrics_port` set, on a port of its own.
Beside these, `process_*` gives CPU, memory and open files of the API process.

This page is written from the definitions by `make docs`.
"""
