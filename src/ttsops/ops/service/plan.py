"""What a service runs, and whether its user can: nothing here knows systemd or launchd."""

from __future__ import annotations

import ipaddress
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ttsops.ops.service.failures import ServiceError
from ttsops.settings import Settings

NAMES = {"tts": "serve", "agent": "agent"}
"""Name of the service → verb that it runs."""

STOP_MARGIN_SECONDS = 15
"""For what follows the last utterance when a server stops."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One service."""

    name: str
    """A key of `NAMES`."""

    command: tuple[str, ...]
    """The program, an absolute path, and its arguments."""

    host: str
    """Where it will listen, by its settings and options."""

    port: int
    is_open: bool
    """Everyone who reaches that address may speak: it is not loopback, and no key is asked for."""

    stop_seconds: int
    """After which a service that was told to stop is killed."""

    user: str = ""
    """Account of a service of the system; empty for one made for it alone."""

    @property
    def unit(self) -> str:
        """`ttsops-tts`."""
        return f"ttsops-{self.name}"

    @property
    def url(self) -> str:
        """Of the service, from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def plan(
    name: str,
    settings: Settings,
    *,
    config: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    user: str = "",
    python: str = sys.executable,
) -> Plan:
    """The service `name` of this installation.

    `settings` are those of `config` with `host` and `port` put in: what the service itself will read.
    """
    options: list[str] = ["--log-format", "json"]
    if config is not None:
        options += ["--config", str(config.resolve())]
    if host is not None:
        options += ["--host", host]
    if port is not None:
        options += ["--port", str(port)]
    own = settings.server if name == "tts" else settings.agent
    return Plan(
        name,
        # Not resolved: the link in a virtual environment is what finds its packages.
        (str(Path(python).absolute()), "-P", "-m", "ttsops", NAMES[name], *options),
        host=own.host,
        port=own.port,
        is_open=not is_loopback(own.host) and not settings.server.keys_file,
        stop_seconds=round(settings.server.lame_duck_seconds + settings.runtime.drain_seconds)
        + STOP_MARGIN_SECONDS,
        user=user,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_reachable(paths: Sequence[Path]) -> None:
    """Another account than yours must read these files: raises `ServiceError` for the first it cannot.

    Looks at the permissions for everybody, not at groups and access lists.
    """
    for path in paths:
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                raise ServiceError(
                    f"the account of the service cannot read `{path}`: `{folder}` is closed to it",
                    hint="install tts-ops and its settings where everybody may read, such as /opt/tts-ops; "
                    "or name an account with `--run-as`, or leave out `--system` for a service of your own",
                )
        if path.exists() and not path.stat().st_mode & stat.S_IROTH:
            raise ServiceError(
                f"the account of the service cannot read `{path}`",
                hint=f"chmod o+r {path}; or name its owner with `--run-as`",
            )
