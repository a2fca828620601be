"""A server of its own for the gates: the operator's settings, one engine, one place and a line of one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ttsops.errors import EngineUnavailable
from ttsops.settings import Settings
from ttsops.settings.fields import flatten
from ttsops.settings.names import OPERATOR_NAMES, PREFIX

STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
_ADDRESS = re.compile(r"tts-ops speaks on (\S+)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def tiny(settings: Settings) -> Settings:
    """One engine, one place, one in line: what a full server does is seen with few listeners."""
    name = settings.engine
    setup = msgspec.structs.replace(settings.engine_settings(name), max_streams=1)
    return msgspec.structs.replace(
        settings,
        engines={name: setup},
        runtime=msgspec.structs.replace(
            settings.runtime, failover="", max_queue=1, max_queue_seconds=5.0, drain_seconds=0.0
        ),
        server=msgspec.structs.replace(
            settings.server, host="127.0.0.1", port=0, metrics_port=None, keys_file="", cors_origins=()
        ),
        log=msgspec.structs.replace(settings.log, level="warning", format="json"),
    )


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """`ttsops serve` in a process of its own; its address, when the engine can speak.

    Raises `EngineUnavailable` with what the server said if it ends first, or is not ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="ttsops-accept-") as name:
        folder = Path(name)
        (folder / "ttsops.toml").write_text(as_toml(settings))
        log = folder / "server.log"
        command = [sys.executable, "-m", "ttsops", "serve", "--config", str(folder / "ttsops.toml")]
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=_environment(os.environ)
            )
        try:
            yield _address(process, log, settings.runtime.load_seconds)
        finally:
            _stop(process)


def as_toml(settings: Settings) -> str:
    """The tree as a settings file; what is not set is left out."""
    lines = [
        f"{'.'.join(map(_key, key))} = {msgspec.json.encode(value).decode()}"
        for key, value in flatten(settings).items()
        if value is not None
    ]
    return "\n".join([*lines, ""])


def _key(part: str) -> str:
    return part if _BARE_KEY.fullmatch(part) else msgspec.json.encode(part).decode()


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """Without what would be read as settings: they are in the file already."""
    return {name: value for name, value in env.items() if not _is_setting(name)}


def _is_setting(name: str) -> bool:
    return name.startswith(PREFIX) or name in OPERATOR_NAMES


def _address(process: subprocess.Popen[bytes], log: Path, limit_seconds: float) -> str:
    ends_at = time.monotonic() + limit_seconds
    while time.monotonic() < ends_at:
        has_ended = process.poll() is not None
        said = log.read_text(errors="replace")
        found = _ADDRESS.search(said)
        if found:
            return found[1]
        if has_ended:
            raise EngineUnavailable(f"the server ended: {_last_words(said)}")
        time.sleep(POLL_SECONDS)
    raise EngineUnavailable(f"the server was not ready within {limit_seconds:g} s")


def _last_words(said: str) -> str:
    """The error it ended with; the log's last line if it told none."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["without a word"])[-1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
