"""The pages of `docs/reference` that describe what is observed, written from the definitions themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ttsops.observe.definitions import ALL, Definition
from ttsops.observe.log_schema import EVENTS, Line, Utterance


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


def logs_page() -> str:
    """`docs/reference/logs.md`."""
    lines = [_LOGS_HEAD, "## Every line", "", *_field_table(Line), ""]
    lines += ["## `utterance`", "", (Utterance.__doc__ or "").strip(), "", *_field_table(Utterance)]
    lines += ["", "## Other events", "", "| event | what happened | fields |", "| --- | --- | --- |"]
    for event, (meaning, fields) in sorted(EVENTS.items()):
        lines.append(f"| `{event}` | {meaning} | {', '.join(f'`{field}`' for field in fields)} |")
    return "\n".join(lines) + "\n"


def _field_table(cls: type[msgspec.Struct]) -> Sequence[str]:
    schema = msgspec.json.schema(cls)["$defs"][cls.__name__]["properties"]
    rows = [f"| `{name}` | {_type_name(field)} | {field['description']} |" for name, field in schema.items()]
    return ["| field | type | meaning |", "| --- | --- | --- |", *rows]


def _type_name(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type_name(option) for option in field["anyOf"])
    return str(field["type"])


_LOGS_HEAD = """\
# Logs

On stderr: one JSON object per line, or coloured text when stderr is a terminal (`log.format` decides). Lines
of the web server and of other libraries have the same shape. The text that is spoken is never logged.

A line may have further fields beside those of the tables: an error has `exception`, a line that belongs to a
request has `request_id`, and `trace_id` where traces are on.

This page is written from the schema by `make docs`.
"""


_METRICS_HEAD = """\
# Metrics

`GET /metrics` answers in the Prometheus text format; with `server.metrics_port` set, on a port of its own.
Beside these, `process_*` gives CPU, memory and open files of the API process.

This page is written from the definitions by `make docs`.
"""
