"""A property list for launchd, and the words with `launchctl`."""

from __future__ import annotations

import os
import plistlib
import re
from pathlib import Path

from ttsops.audio.files import write_atomically
from ttsops.ops.service.failures import ServiceError
from ttsops.ops.service.manager import ServiceState, run
from ttsops.ops.service.plan import Plan

SYSTEM_FOLDER = Path("/Library/LaunchDaemons")
SYSTEM_LOGS = Path("/Library/Logs")
NO_SUCH_SERVICE = 113
"""`launchctl print` of what is not loaded."""


class Launchd:
    """Daemons of the system, or agents of the user who asks."""

    name = "launchd"

    def __init__(self, *, is_system: bool) -> None:
        self.is_system = is_system

    def path(self, service: str) -> Path:
        """`~/Library/LaunchAgents/org.tts-ops.tts.plist`, or the system's folder."""
        folder = SYSTEM_FOLDER if self.is_system else Path.home() / "Library" / "LaunchAgents"
        return folder / f"{label(service)}.plist"

    def text(self, plan: Plan) -> str:
        """The property list, as XML."""
        log = str((SYSTEM_LOGS if self.is_system else Path.home() / "Library" / "Logs") / f"{plan.unit}.log")
        content: dict[str, object] = {
            "Label": label(plan.name),
            "ProgramArguments": list(plan.command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            # Seconds between starts of one that fails at once.
            "ThrottleInterval": 10,
            "ExitTimeOut": plan.stop_seconds,
            # Background processes get less of the processor and the disk: listeners would hear it.
            "ProcessType": "Interactive",
            "SoftResourceLimits": {"NumberOfFiles": 65536},
            "HardResourceLimits": {"NumberOfFiles": 65536},
            "Umask": 0o077,
            "StandardOutPath": log,
            "StandardErrorPath": log,
        }
        if self.is_system and plan.user:
            content["UserName"] = plan.user
        return plistlib.dumps(content).decode()

    def install(self, plan: Plan, *, start: bool) -> Path:
        """Write; with `start` load it in place of what was loaded, else at the next login or boot."""
        if self.is_system and not plan.user:
            raise ServiceError(
                "a daemon of macOS needs an account, or it would run as root",
                hint="name one with `--run-as`, or leave out `--system`",
            )
        path = self.path(plan.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(f"cannot make `{path.parent}`: {error.strerror}") from error
        write_atomically(path, self.text(plan).encode())
        if start:
            if self._print(plan.name) is not None:
                run(["launchctl", "bootout", self._target(plan.name)])
            run(["launchctl", "bootstrap", self._domain(), str(path)])
        return path

    def uninstall(self, service: str) -> bool:
        """Unload and remove it. Its log stays."""
        path = self.path(service)
        if not path.exists():
            return False
        if self._print(service) is not None:
            run(["launchctl", "bootout", self._target(service)])
        try:
            path.unlink()
        except OSError as error:
            raise ServiceError(f"cannot remove `{path}`: {error.strerror}") from error
        return True

    def state(self, service: str) -> ServiceState:
        """By `launchctl print`."""
        path = self.path(service)
        printed = self._print(service)
        pid = re.search(r"^\s*pid = (\d+)$", printed or "", re.MULTILINE)
        word = re.search(r"^\s*state = (.+)$", printed or "", re.MULTILINE)
        return ServiceState(
            service,
            self.name,
            str(path),
            is_installed=path.exists(),
            is_enabled=path.exists(),
            is_running=pid is not None,
            pid=int(pid[1]) if pid else None,
            detail=word[1] if word else "not loaded",
        )

    def _print(self, service: str) -> str | None:
        done = run(["launchctl", "print", self._target(service)], accept=(0, NO_SUCH_SERVICE))
        return done.stdout if done.returncode == 0 else None

    def _domain(self) -> str:
        return "system" if self.is_system else f"gui/{os.getuid()}"

    def _target(self, service: str) -> str:
        return f"{self._domain()}/{label(service)}"


def label(service: str) -> str:
    """`org.tts-ops.tts`."""
    return f"org.tts-ops.{service}"
