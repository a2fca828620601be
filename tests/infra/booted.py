"""A Debian with systemd as its first process, in namespaces of its own: what a virtual machine would be."""

import subprocess
import textwrap
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup/systemd")
"""systemd's own hierarchy (cgroup v1), the one that can be lent to another; hosts with v2 alone have none."""


def what_is_missing() -> str:
    """For booting; empty if nothing is."""
    return "" if CGROUPS.is_dir() else f"systemd cannot be booted here: there is no {CGROUPS}"


class Booted:
    """`tree` as a machine."""

    def __init__(self, tree: Path, log: Path) -> None:
        self.tree = tree
        devices = " ".join(("null", "zero", "random", "urandom", "full", "tty"))
        setup = textwrap.dedent(f"""\
            set -e
            ip link set lo up
            mount --make-rprivate /
            mount --bind {tree} {tree}
            mount -t proc proc {tree}/proc
            mount -t sysfs sysfs {tree}/sys
            mount -t tmpfs tmpfs {tree}/run
            mount -t tmpfs tmpfs {tree}/tmp
            mount -t tmpfs tmpfs {tree}/dev
            mkdir {tree}/dev/shm {tree}/dev/pts
            for name in {devices}; do touch {tree}/dev/$name; mount --bind /dev/$name {tree}/dev/$name; done
            mount -t tmpfs tmpfs {tree}/sys/fs/cgroup
            mkdir {tree}/sys/fs/cgroup/systemd
            mount --bind {CGROUPS} {tree}/sys/fs/cgroup/systemd
            exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot {tree} \\
                /lib/systemd/systemd --system --log-target=console --show-status=0 --unit=basic.target
        """)
        # `unshare` waits for its child, which is process 1 of the namespace and takes everything with it.
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc"]
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "sh", "-c", setup], stdout=out, stderr=subprocess.STDOUT
            )

    def wait_until_up(self) -> None:
        """By its own word."""
        deadline = time.monotonic() + 60
        while self.run("systemctl", "is-system-running").stdout.strip() not in ("running", "degraded"):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.5)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of root on it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            return subprocess.CompletedProcess(words, 1, "", "it has not begun to boot")
        enter = ["nsenter", f"--target={children[0]}", "--mount", "--pid", "--net", "--uts", "--ipc"]
        path = "PATH=/opt/tts-ops/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        inside = ["chroot", str(self.tree), "/usr/bin/env", "-i", path, *words]
        return subprocess.run([*enter, *inside], capture_output=True, text=True, timeout=120, check=False)

    def stop(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait()
