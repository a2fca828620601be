"""A real sshd on a high port of loopback, with keys of its own; it lets this user in, by key only."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")
MISSING = [
    name
    for name, found in (
        ("sshd", SSHD),
        ("ssh", shutil.which("ssh")),
        ("ssh-keygen", shutil.which("ssh-keygen")),
        ("rsync", shutil.which("rsync")),
    )
    if not found
]

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
"""


@dataclass(frozen=True)
class SshServer:
    place: str
    """`user@host`."""

    ssh: str
    """The command that gets in."""


def _key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    assert SSHD is not None
    folder.mkdir(mode=0o700)
    _key(folder / "host_key")
    _key(folder / "user_key")
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    port = _free_port()
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd keeps nothing, and asks for all the same
    words = [SSHD, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
    with subprocess.Popen(words) as process:
        try:
            _wait_for(port, process, folder / "log")
            yield SshServer(
                f"{getpass.getuser()}@127.0.0.1",
                f"ssh -F none -p {port} -i {folder}/user_key -o BatchMode=yes "
                f"-o UserKnownHostsFile={folder}/known_hosts",
            )
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "sshd does not answer"
            time.sleep(0.02)
