"""The processes of a server on this machine, and the memory each of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from ttsops.errors import InvalidValue

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at all processes of a server."""

    at: float
    """Seconds from the start of the soak."""

    requests: int
    """Ended so far."""

    bytes_by_pid: dict[int, int]
    """Memory that each process alone holds. The server's own is the first."""

    @property
    def total(self) -> int:
        """Of all processes."""
        return sum(self.bytes_by_pid.values())


def find_server(url: str, pid: int | None = None) -> psutil.Process:
    """The process that listens where `url` points, or the one with `pid`.

    Raises `InvalidValue` if it is on another machine, or cannot be found or looked into.
    """
    if pid is None:
        pid = _listener(url)
    try:
        process = psutil.Process(pid)
        process.memory_info()
    except psutil.Error as error:
        raise InvalidValue(f"process {pid} cannot be looked into: {error}", param="pid") from error
    return process


def sample(server: psutil.Process, at: float, requests: int) -> Sample:
    """Now. Raises `InvalidValue` if the server has ended."""
    found: dict[int, int] = {}
    try:
        found[server.pid] = _bytes(server)
        children = sorted(server.children(recursive=True), key=lambda one: one.pid)
    except psutil.Error as error:
        raise InvalidValue("the server ended during the soak", hint="its log says why") from error
    for child in children:
        try:
            found[child.pid] = _bytes(child)
        except psutil.Error:
            continue  # it ended between the two looks
    return Sample(at, requests, found)


def _bytes(process: psutil.Process) -> int:
    """What would be free if it ended. Pages shared with others (libraries, page by page as they are used)
    grow without being a leak; where the system does not tell them apart, they are in."""
    try:
        return int(process.memory_full_info().uss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)


def _listener(url: str) -> int:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidValue(f"`{url}` is no address of a server", hint="such as http://127.0.0.1:8001")
    if parts.hostname not in LOOPBACK:
        raise InvalidValue(
            f"`{url}` may be on another machine, whose memory cannot be read from here",
            hint="run it there, or give the server's `--pid` if it is on this one",
        )
    port = parts.port or PORTS[parts.scheme]
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue  # somebody else's
        for one in connections:
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port:
                return _oldest(process, port).pid
    raise InvalidValue(
        f"no process of this user listens on port {port}",
        hint="start one with `ttsops serve`, leave `--url` out, or give the server's `--pid`",
    )


def _oldest(process: psutil.Process, port: int) -> psutil.Process:
    """A worker may have inherited the socket: its parent is the server."""
    try:
        parent = process.parent()
        listens = parent is not None and any(
            one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
            for one in parent.net_connections(kind="tcp")
        )
    except psutil.Error:
        return process
    return _oldest(parent, port) if parent is not None and listens else process
