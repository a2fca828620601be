"""An image without a Docker engine: built by buildah from a Debian made here, and run as Docker would run it.

Debian bookworm by debootstrap, with its Python, stands in for the published base image. Every RUN of the
Dockerfile is executed. Then the image's own command runs as its user in namespaces of its own: root file
system read-only, tmpfs where Compose gives one, no network but its own loopback.
"""

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAMS = ("buildah", "debootstrap", "unshare", "nsenter", "ip", "tar")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")


def what_is_missing() -> str:
    """For building and running images here; empty if nothing is."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: buildah debootstrap iproute2 util-linux)"
    return "" if os.geteuid() == 0 else "building and mounting images here takes root"


class Store:
    """Images, kept in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._options = [f"--root={folder}/storage", f"--runroot={folder}/run", "--storage-driver=vfs"]
        # Where packages come through a proxy with a certificate of its own, the build must know it.
        (folder / "pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")

    def buildah(self, *words: str) -> str:
        """Its stdout; raises AssertionError with what it said."""
        done = subprocess.run(
            ["buildah", *self._options, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (
            f"buildah {' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done.stdout.strip()

    def make_base(self) -> None:
        """`localhost/python:base`: Debian with Python, as little as the Dockerfiles need."""
        tree = self.folder / "debian"
        packages = "--include=ca-certificates,python3,python3-venv"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", str(tree), MIRROR],
            check=True,
            capture_output=True,
        )
        archive = self.folder / "debian.tar"
        leave_out = [f"--exclude=./{name}/*" for name in ("dev", "proc", "sys", "var/cache/apt")]
        subprocess.run(["tar", "-C", str(tree), *leave_out, "-cf", str(archive), "."], check=True)
        shutil.rmtree(tree)
        container = self.buildah("from", "scratch")
        self.buildah("add", container, str(archive), "/")
        self.buildah("commit", container, "localhost/python:base")
        self.buildah("rm", container)
        archive.unlink()

    def build(self, dockerfile: str, tag: str) -> dict[str, Any]:
        """Run every step of it; what the image says of itself, in Docker's format."""
        self.buildah(
            *("bud", "--format=docker", "--layers=false", "--isolation=chroot", "--network=host"),
            f"--volume={CERTIFICATES}:{CERTIFICATES}:ro",
            f"--volume={self.folder}/pip.conf:/etc/pip.conf:ro",
            "--build-arg=PYTHON_IMAGE=localhost/python",
            "--build-arg=PYTHON_DIGEST=:base",
            f"--file={dockerfile}",
            f"--tag={tag}",
            ".",
        )
        found: dict[str, Any] = json.loads(self.buildah("inspect", "--type=image", tag))["Docker"]["config"]
        return found

    @contextmanager
    def running(self, tag: str, config: dict[str, Any], **env: str) -> Iterator["Running"]:
        """Its entry point and command, until the block ends."""
        container = self.buildah("from", tag)
        tree = self.buildah("mount", container)
        running = Running(Path(tree), config, env, self.folder / "log")
        try:
            yield running
        finally:
            running.stop()
            self.buildah("rm", container)


class Running:
    """One image's program."""

    def __init__(self, tree: Path, config: dict[str, Any], env: dict[str, str], log: Path) -> None:
        self.tree = tree
        self.user = config["User"]
        self.env = [*config["Env"], *(f"{name}={value}" for name, value in env.items())]
        uid, gid = self.user.split(":")
        setup = textwrap.dedent(f"""\
            set -e
            ip link set lo up
            mount --bind {tree} {tree}
            mount -o remount,bind,ro {tree}
            mount -t tmpfs -o mode=1777 tmpfs {tree}/tmp
            mount -t tmpfs -o uid={uid},gid={gid} tmpfs {tree}{config["WorkingDir"]}
            mount -t proc proc {tree}/proc
            mount --rbind /dev {tree}/dev
            exec "$@"
        """)
        program = self._inside(*config["Entrypoint"], *config["Cmd"], folder=config["WorkingDir"])
        command = ["unshare", "--mount", "--net", "sh", "-c", setup, "sh", *program]
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def _inside(self, *words: str, folder: str = "/") -> list[str]:
        enter = ["chroot", f"--userspec={self.user}", "--groups=", str(self.tree), "/usr/bin/env", "-i"]
        return [*enter, f"--chdir={folder}", *self.env, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another program of the image beside it, as `docker exec` would."""
        return self._beside("--mount", "--net", *self._inside(*words))

    def run_outside(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """A program of this machine that has the image's network."""
        return self._beside("--net", *words)

    def _beside(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["nsenter", f"--target={self.process.pid}", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def stop(self) -> int:
        """SIGTERM, as Docker does; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
