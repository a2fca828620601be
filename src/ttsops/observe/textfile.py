"""Figures of commands that end, for the textfile collector of node_exporter: it hands them on meanwhile.

https://github.com/prometheus/node_exporter#textfile-collector
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile

from ttsops.observe import metrics


def write_integrity(path: Path, models: Mapping[str, bool], now: float | None = None) -> None:
    """Whether each model's weights are right: a `.prom` file that is whole or not there. Raises `OSError`."""
    metrics.MODEL_INTEGRITY.clear()
    metrics.MODEL_VERIFIED_AT.clear()
    for model, is_whole in models.items():
        metrics.MODEL_INTEGRITY.labels(model=model).set(is_whole)
        metrics.MODEL_VERIFIED_AT.labels(model=model).set(time.time() if now is None else now)
    registry = CollectorRegistry()
    registry.register(metrics.MODEL_INTEGRITY)
    registry.register(metrics.MODEL_VERIFIED_AT)
    write_to_textfile(str(path), registry)
