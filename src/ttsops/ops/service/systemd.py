"""A unit for systemd, and the words with `systemctl`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from ttsops.audio.files import write_atomically
from ttsops.ops.service.failures import ServiceError
from ttsops.ops.service.manager import ServiceState, run
from ttsops.ops.service.plan import Plan, check_reachable

SYSTEM_FOLDER = Path("/etc/systemd/system")

DESCRIPTIONS = {"tts": "tts-ops: the speech server", "agent": "tts-ops: the voice agent"}

AFTER_NETWORK = "After=network-online.target\nWants=network-online.target\n"
"""An address that is not loopback must be there to listen on it; a user's manager has no such target."""

# These need mounts and capabilities that a user's own manager may not have. No PrivateDevices: it hides GPUs.
ONLY_SYSTEM = """# Its own account has no home: caches go to its state folder.
Environment=HOME=%S/%N
{account}
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictNamespaces=yes
RemoveIPC=yes
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


class Systemd:
    """Units of the system, or of the user whose manager answers `systemctl --user`."""

    name = "systemd"

    def __init__(self, *, is_system: bool) -> None:
        self.is_system = is_system
        self._systemctl = ("systemctl",) if is_system else ("systemctl", "--user")

    def path(self, service: str) -> Path:
        """`/etc/systemd/system/ttsops-tts.service`, or in the user's folder."""
        return self._folder() / f"ttsops-{service}.service"

    def text(self, plan: Plan) -> str:
        """The unit."""
        template = Template((files(__package__) / "ttsops.service").read_text())
        account = f"User={plan.user}" if plan.user else "DynamicUser=yes"
        return template.substitute(
            description=DESCRIPTIONS[plan.name],
            after=AFTER_NETWORK if self.is_system else "",
            command=exec_line(plan.command),
            stop_seconds=plan.stop_seconds,
            only_system=ONLY_SYSTEM.format(account=account) if self.is_system else "",
            wanted_by="multi-user.target" if self.is_system else "default.target",
        )

    def install(self, plan: Plan, *, start: bool) -> Path:
        """Write, reload, enable; with `start` also restart, so that a changed unit is what runs."""
        if self.is_system and not plan.user:
            check_reachable(files_of(plan))
        path = self.path(plan.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(f"cannot make `{path.parent}`: {error.strerror}") from error
        write_atomically(path, self.text(plan).encode())
        run([*self._systemctl, "daemon-reload"])
        run([*self._systemctl, "enable", path.name])
        if start:
            run([*self._systemctl, "restart", path.name])
        return path

    def uninstall(self, service: str) -> bool:
        """Stop, disable, remove, reload. Its state folder stays."""
        path = self.path(service)
        if not path.exists():
            return False
        run([*self._systemctl, "disable", "--now", path.name])
        try:
            path.unlink()
        except OSError as error:
            raise ServiceError(f"cannot remove `{path}`: {error.strerror}") from error
        run([*self._systemctl, "daemon-reload"])
        return True

    def state(self, service: str) -> ServiceState:
        """By `systemctl show`, which answers for units that are not there, too."""
        path = self.path(service)
        properties = ("LoadState", "UnitFileState", "ActiveState", "SubState", "MainPID")
        shown = run([*self._systemctl, "show", path.name, f"--property={','.join(properties)}"])
        found = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
        if set(properties) - {*found, "UnitFileState"}:  # no UnitFileState: there is no such unit
            raise ServiceError(f"`systemctl show` did not tell of `{path.name}`: {shown.stdout.strip()!r}")
        pid = int(found["MainPID"])
        return ServiceState(
            service,
            self.name,
            str(path),
            is_installed=path.exists(),
            is_enabled=found.get("UnitFileState") == "enabled",
            is_running=found["ActiveState"] == "active",
            pid=pid or None,
            detail=f"{found['ActiveState']} ({found['SubState']})",
        )

    def _folder(self) -> Path:
        if self.is_system:
            return SYSTEM_FOLDER
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(home) / "systemd" / "user"


def files_of(plan: Plan) -> Sequence[Path]:
    """Files that whoever runs the service must read: the interpreter, the package and the settings."""
    import ttsops

    after = [Path(b) for a, b in zip(plan.command, plan.command[1:], strict=False) if a == "--config"]
    return (Path(plan.command[0]), Path(ttsops.__file__), *after)


def exec_line(command: Sequence[str]) -> str:
    """A command as `ExecStart=` takes it: quoted as systemd.syntax(7), without specifiers and variables."""
    return " ".join(_quoted(word) for word in command)


def _quoted(word: str) -> str:
    if any(ord(letter) < 0x20 for letter in word):
        raise ServiceError(f"`{word!r}` has a control character; a unit cannot hold it")
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain and re.fullmatch(r"[\w@%+=:,./$-]+", plain):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
