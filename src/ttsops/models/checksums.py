"""Checksums of files: SHA-256, and the SHA-1 that git names a file's content by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from ttsops.errors import ModelError

PIECE_BYTES = 4 * 2**20

SHA256 = re.compile(r"[0-9a-f]{64}")
GIT_SHA1 = re.compile(r"[0-9a-f]{40}")

OnBytes = Callable[[int], None]
"""Told how many more bytes were read or written."""


def ignore(n_bytes: int) -> None:
    """An `OnBytes` of nobody."""


def sha256_of(path: Path, on_bytes: OnBytes = ignore) -> str:
    """Hexadecimal. Raises `ModelError` if the file cannot be read."""
    return _digest(path, hashlib.sha256(), on_bytes)


def git_sha1_of(path: Path, on_bytes: OnBytes = ignore) -> str:
    """As `git hash-object` has it. Raises `ModelError` if the file cannot be read."""
    # No secret depends on it: the hub names small files so.
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    return _digest(path, digest, on_bytes)


def _digest(path: Path, digest: hashlib._Hash, on_bytes: OnBytes) -> str:
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                on_bytes(len(piece))
    except OSError as e:
        raise ModelError(f"cannot read `{path}`: {e.strerror or e}") from e
    return digest.hexdigest()
