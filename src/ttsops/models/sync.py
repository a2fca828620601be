"""Models from another machine's cache, by rsync over ssh: it only reads there, and goes on where it stopped.

What the files hold comes before the links to it, so that a copy cut off in between shows no engine a link
that leads nowhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from ttsops.errors import InvalidValue, ModelError, NotInstalled
from ttsops.models.cache import BLOBS, PREFIX, HubCache

DEFAULT_CACHE = ".cache/huggingface/hub"
"""On the other machine, from the home folder there."""

PARTIAL = ".rsync-partial"
COMMON = (
    "--recursive",
    "--links",
    "--safe-links",  # no link that leads out of what is copied
    "--times",
    f"--partial-dir={PARTIAL}",
    "--protect-args",  # no shell on the other side reads a name
    "--exclude=*.incomplete",
    "--exclude=*.lock",
    f"--exclude={PARTIAL}",
)
N_SHOWN = 3
"""Lines of what ssh and rsync complained of, in an error."""

_PLACE = re.compile(
    r"(?P<host>(?:[A-Za-z0-9_][\w.-]*@)?(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]))(?::(?P<cache>(?!:|//)[^\0\n]*))?",
    re.ASCII,
)
_PROGRESS = re.compile(r"^\s*([\d,]+)\s+\d+%")
_SENT = re.compile(r"Literal data: ([\d,]+) bytes")

OnCopied = Callable[[str, int], None]
"""Told the hub id, and how many of its bytes are here."""


def silent(repo: str, n_bytes: int) -> None:
    """An `OnCopied` of nobody."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cache on another machine."""

    host: str
    """`user@host`, or what ssh's own settings know."""

    cache: str = DEFAULT_CACHE

    def path(self, *parts: str) -> str:
        """As rsync takes it; a folder, with what is in it."""
        return f"{self.host}:{'/'.join([self.cache.rstrip('/'), *parts])}/"


def parse_place(text: str) -> Place:
    """`user@host[:cache]`. Raises `InvalidValue`."""
    found = _PLACE.fullmatch(text)
    if not found:
        raise InvalidValue(
            f"`{text}` is no place", hint="give `user@host`, or `user@host:/path/of/its/cache`"
        )
    cache = (found["cache"] or "").removeprefix("~/")
    return Place(found["host"], cache or DEFAULT_CACHE)


class Rsync:
    """rsync over `ssh`, a command such as `ssh -p 2222`. Raises `NotInstalled` if either is missing."""

    def __init__(self, ssh: str = "ssh") -> None:
        for program in ("rsync", ssh.split()[0] if ssh.split() else "ssh"):
            if shutil.which(program) is None:
                hint = "apt install rsync openssh-client, or brew install rsync"
                raise NotInstalled(f"`{program}` is not installed", hint=hint)
        self._ssh = ssh

    def repos(self, place: Place) -> tuple[str, ...]:
        """Hub ids of all that is kept at `place`. Raises `ModelError`."""
        words = ["rsync", "--list-only", "--protect-args", "-e", self._ssh, "--", place.path()]
        names = [line.split(maxsplit=4)[-1] for line in self._run(words) if line.startswith("d")]
        found = (name.removeprefix(PREFIX).replace("--", "/") for name in names if name.startswith(PREFIX))
        return tuple(sorted(found))

    def copy(
        self,
        place: Place,
        repo: str,
        cache: HubCache,
        on_copied: OnCopied = silent,
        *,
        limit_kib: int | None = None,
    ) -> int:
        """Everything of `repo` into `cache`; how many bytes had to be sent. Raises `ModelError`.

        At most `limit_kib` KiB a second are sent.
        """
        target = cache.repo_folder(repo)
        try:
            (target / BLOBS).mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise ModelError(f"cannot write `{target}`: {e.strerror or e}") from e
        limit = [f"--bwlimit={limit_kib}"] if limit_kib else []
        base = ["rsync", *COMMON, *limit, "--stats", "--info=progress2", "-e", self._ssh]
        blobs = [*base, "--", place.path(target.name, BLOBS), f"{target / BLOBS}/"]
        links = [*base, f"--exclude=/{BLOBS}", "--", place.path(target.name), f"{target}/"]
        n_sent = 0
        for words in (blobs, links):
            for line in self._run(words):
                if (seen := _PROGRESS.match(line)) and words is blobs:
                    on_copied(repo, int(seen[1].replace(",", "")))
                elif sent := _SENT.search(line):
                    n_sent += int(sent[1].replace(",", ""))
        shutil.rmtree(target / BLOBS / PARTIAL, ignore_errors=True)
        return n_sent

    def _run(self, words: list[str]) -> Iterator[str]:
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=complaints) as process,
        ):
            assert process.stdout is not None
            try:
                yield from _lines(process.stdout)
            except BaseException:
                process.terminate()  # it keeps what has come
                raise
            code = process.wait()
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
        if code:
            raise ModelError(
                f"rsync ended with {code}: {'; '.join(said[-N_SHOWN:]) or 'no reason given'}",
                hint="the same command goes on where it stopped; `ssh HOST` shows whether you get in",
            )


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines; progress ends with a carriage return only."""
    rest = b""
    while piece := stream.read1(65536) if hasattr(stream, "read1") else stream.read(65536):
        *whole, rest = re.split(rb"[\r\n]", rest + piece)
        yield from (line.decode(errors="replace") for line in whole if line)
    if rest:
        yield rest.decode(errors="replace")
