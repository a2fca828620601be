"""What every manager of services does for us, and which of them this machine has."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ttsops.ops.service.failures import NoServiceManager, ServiceError
from ttsops.ops.service.plan import Plan

COMMAND_SECONDS = 90
BOOTED_WITH_SYSTEMD = Path("/run/systemd/system")
"""There while systemd is process 1, as sd_booted(3) says."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service is, by its manager."""

    name: str
    manager: str
    path: str
    """Of its unit or property list, there or not."""

    is_installed: bool
    is_enabled: bool
    """It starts with the system, or when its user logs in."""

    is_running: bool
    pid: int | None
    detail: str
    """The manager's own word."""


class Manager(Protocol):
    """systemd or launchd, for services of the system or of one user."""

    name: str

    def path(self, service: str) -> Path:
        """Where the file of `service`, a key of `NAMES`, is or would be."""
        ...

    def text(self, plan: Plan) -> str:
        """That file's content."""
        ...

    def install(self, plan: Plan, *, start: bool) -> Path:
        """Write the file and tell the manager. Raises `ServiceError`."""
        ...

    def uninstall(self, service: str) -> bool:
        """Stop it and remove its file; false if there was none. Raises `ServiceError`."""
        ...

    def state(self, service: str) -> ServiceState:
        """How it is now. Raises `ServiceError` if the manager does not answer."""
        ...


def find_manager(*, is_system: bool) -> Manager:
    """The one that runs here. Raises `NoServiceManager`."""
    from ttsops.ops.service.launchd import Launchd
    from ttsops.ops.service.systemd import Systemd

    if platform.system() == "Darwin" and shutil.which("launchctl"):
        return Launchd(is_system=is_system)
    if platform.system() == "Linux" and shutil.which("systemctl") and BOOTED_WITH_SYSTEMD.is_dir():
        return Systemd(is_system=is_system)
    raise NoServiceManager(
        "neither systemd nor launchd runs here",
        hint="`ttsops serve` runs in the foreground, for containers and other managers; "
        "`--print systemd` or `--print launchd` shows the file for another machine",
    )


def run(command: Sequence[str], *, accept: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    """A command of the manager. Raises `ServiceError` if it ends with a code not in `accept`."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceError(f"`{' '.join(command)}` failed: {error}") from error
    if done.returncode not in accept:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else "no reason given"
        raise ServiceError(
            f"`{' '.join(command)}` ended with {done.returncode}: {reason}",
            hint="services of the system are changed by root; a user's own need that user's session",
        )
    return done
