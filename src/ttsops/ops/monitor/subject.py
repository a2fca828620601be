"""Who is measured: revision, machine, set-up, each in a form that two runs can be compared by."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from pathlib import Path

import msgspec

import ttsops
from ttsops.ops.machine import machine
from ttsops.ops.monitor.record import Subject
from ttsops.ops.monitor.suite import Suite
from ttsops.ops.random_weights import note_of
from ttsops.settings import Settings

GIT_SECONDS = 5.0
HASH_CHARS = 12


def subject_of(settings: Settings, suite: Suite) -> Subject:
    """The default engine of `settings`, as it is set up, on this machine."""
    name = settings.engine
    setup = settings.engine_settings(name)
    described = machine()
    return Subject(
        version=ttsops.__version__,
        revision=revision(),
        machine=described,
        machine_id=_hash([described, platform.system(), platform.machine()]),
        engine=name,
        device=setup.device,
        dtype=setup.dtype,
        note=note_of(setup),
        setup_hash=_hash([name, setup, suite.id, suite.voice]),
    )


def revision(folder: Path | None = None) -> str:
    """The commit that this package is checked out from, or the one `folder` is; empty if it is none."""
    root = folder or Path(ttsops.__file__).parents[2]
    if not (root / ".git").exists():  # installed: a repository further up is not ours
        return ""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit + ("+changed" if commit and changed else "")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _hash(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:HASH_CHARS]
