"""The bundle: a `tar.gz` with a few files of JSON, each of them gone through for secrets."""

from __future__ import annotations

import io
import os
import platform
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec

import ttsops
from ttsops.errors import TtsOpsError
from ttsops.ops.checkup import Check, check_all
from ttsops.ops.diag.log_tail import encode, read_tail
from ttsops.ops.diag.redact import HIDDEN, hide_environment, is_secret_name, scrub_all
from ttsops.ops.health import ServerHealth
from ttsops.ops.machine import machine
from ttsops.ops.monitor.history import read_history
from ttsops.ops.monitor.subject import revision
from ttsops.settings import load_with_places
from ttsops.settings.fields import flatten

MONITOR_RUNS = 50
FOLDER = "ttsops-diag"

_ABOUT = """\
tts-ops support bundle.

versions.json     this program, Python, the system, installed packages
settings.json     every setting and where it is from
environment.json  the variables that shape this program
health.json       what `ttsops health --json` says
machine.json      cores, memory, load
monitor.jsonl     the last runs of the monitor
log.jsonl         the end of the log, if `--log` named one

Left out: what was spoken, and all that is or looks like a key, token or password (shown as ***). Of the log
only fields that hold no text are kept. Look through it before you hand it on.
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts are from."""

    config: Path | None
    env: Mapping[str, str]
    server: ServerHealth
    """What the server answered, or that it did not."""

    log: Path | None = None


def make_bundle(sources: Sources) -> tuple[bytes, list[str]]:
    """The archive, and the names of the files in it. Raises `InvalidValue` if the log cannot be read."""
    checks = check_all(sources.config, sources.env)
    files = {
        "README.txt": _ABOUT.encode(),
        "versions.json": _json(_versions()),
        "settings.json": _json(_settings(sources)),
        "environment.json": _json(hide_environment(sources.env)),
        "health.json": _json(_health(checks, sources.server)),
        "machine.json": _json(_machine()),
        "monitor.jsonl": _monitor(sources),
    }
    if sources.log is not None:
        tail = read_tail(sources.log)
        files["log.jsonl"] = encode(tail)
        files["README.txt"] += f"\n{tail.n_left_out} lines of the log were left out as a whole.\n".encode()
    return _pack(files), list(files)


def _versions() -> dict[str, Any]:
    packages = {one.name: one.version for one in distributions()}
    return {
        "tts-ops": ttsops.__version__,
        "revision": revision(),
        "python": sys.version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _settings(sources: Sources) -> list[dict[str, Any]]:
    try:
        loaded = load_with_places(sources.config, sources.env)
    except TtsOpsError as error:
        return [{"error": error.message}]
    return [
        {
            "setting": ".".join(key),
            "value": HIDDEN if value and is_secret_name(key[-1]) else value,
            "from": loaded.places.get(key, "default"),
        }
        for key, value in flatten(loaded.settings).items()
    ]


def _health(checks: list[Check], server: ServerHealth) -> dict[str, Any]:
    return {"checks": [asdict(one) for one in checks], "server": asdict(server)}


def _machine() -> dict[str, Any]:
    return {
        "machine": machine(),
        "load_average": os.getloadavg(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _monitor(sources: Sources) -> bytes:
    try:
        path = Path(load_with_places(sources.config, sources.env).settings.monitor.history)
        runs = read_history(path).runs[-MONITOR_RUNS:]
    except TtsOpsError:
        return b""
    return b"".join(msgspec.json.encode(scrub_all(msgspec.to_builtins(run))) + b"\n" for run in runs)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(scrub_all(value)), indent=1) + b"\n"


def _pack(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()
