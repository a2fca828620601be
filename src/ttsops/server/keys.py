"""API keys: a file of hashes, and whose key a caller holds.

The file is JSON, written by `ttsops keys`, and read again when it changes:

    {"keys": [{"name": "website", "sha256": "…", "created_at": 1767225600,
               "max_concurrency": 4, "rate_per_minute": 60.0}]}

A key is 256 random bits, so that a plain SHA-256 cannot be searched; slow hashes are for passwords people
choose. The key itself is shown once, by `add`, and kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ttsops.audio import write_atomically
from ttsops.errors import ConfigError, InvalidValue, NotFound
from ttsops.observe.logs import get_logger

KEY_PREFIX = "sk-ttsops-"
"""Found by secret scanners, and by people who wonder what a string is."""

RELOAD_SECONDS = 1.0
"""The file's time stamp is looked at no more often."""

log = get_logger(__name__)


class ApiKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One caller, without its secret."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    created_at: int
    """Unix time."""
    max_concurrency: Annotated[int, Meta(ge=1)] | None = None
    """Utterances at once; None for no limit of its own."""
    rate_per_minute: Annotated[float, Meta(gt=0)] | None = None
    """Utterances per minute, as many at once if it has rested a minute; None for no limit of its own."""


class _KeyFile(Struct, forbid_unknown_fields=True):
    keys: tuple[ApiKey, ...] = ()


class KeyStore:
    """The keys in one file.

    A file that goes missing or bad while a server runs leaves the keys as they were, with an error in the
    log: a slip of an editor must neither lock everybody out nor let anybody in.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = Path(path)
        self._clock = clock
        self._keys: tuple[ApiKey, ...] = ()
        self._signature: tuple[int, int, int] | None = None
        self._looked_at = -float("inf")

    # ---- by hand -----------------------------------------------------------------------

    def add(
        self, name: str, *, max_concurrency: int | None = None, rate_per_minute: float | None = None
    ) -> str:
        """A new key for `name`, to be shown once. Raises `InvalidValue` for a name in use or a bad limit."""
        keys = self.list()
        if any(key.name == name for key in keys):
            raise InvalidValue(f"there is a key named `{name}` already", param="name", hint="remove it first")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        fields = {
            "name": name,
            "sha256": _digest(secret),
            "created_at": int(time.time()),
            "max_concurrency": max_concurrency,
            "rate_per_minute": rate_per_minute,
        }
        try:
            key = msgspec.convert(fields, ApiKey)
        except msgspec.ValidationError as error:
            raise InvalidValue(f"this key cannot be: {error}") from error
        self._write((*keys, key))
        return secret

    def remove(self, name: str) -> None:
        """Its key opens nothing any more. Raises `NotFound`."""
        keys = self.list()
        if all(key.name != name for key in keys):
            raise NotFound(f"there is no key named `{name}`", hint="`ttsops keys list` names them")
        self._write(tuple(key for key in keys if key.name != name))

    def list(self) -> tuple[ApiKey, ...]:
        """What the file says now; empty if there is none. Raises `ConfigError` if it is not a key file."""
        try:
            return _parse(self.path.read_bytes(), self.path)
        except FileNotFoundError:
            return ()

    def _write(self, keys: tuple[ApiKey, ...]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_KeyFile(keys)), indent=2)
        write_atomically(self.path, content + b"\n")
        self.path.chmod(0o600)

    # ---- in a server -------------------------------------------------------------------

    def load(self) -> None:
        """Read the file for the first time. Raises `ConfigError` if it is missing or bad."""
        try:
            self._signature = _signature(self.path)
            self._keys = _parse(self.path.read_bytes(), self.path)
        except OSError as error:
            raise ConfigError(
                f"the key file `{self.path}` cannot be read: {error.strerror}",
                hint="make a first key with `ttsops keys add NAME`, or empty `server.keys_file`",
            ) from error
        self._looked_at = self._clock()

    def find(self, secret: str) -> ApiKey | None:
        """Whose key this is. Takes as long for a wrong key as for a right one."""
        self._reload_if_changed()
        wanted = _digest(secret)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, wanted):
                found = key
        return found

    def _reload_if_changed(self) -> None:
        now = self._clock()
        if now - self._looked_at < RELOAD_SECONDS:
            return
        self._looked_at = now
        try:
            signature = _signature(self.path)
            if signature != self._signature:
                self._keys = _parse(self.path.read_bytes(), self.path)
                self._signature = signature
                log.info("keys_reloaded", n_keys=len(self._keys))
        except (OSError, ConfigError) as error:
            log.error("keys_not_reloaded", path=str(self.path), reason=str(error))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _signature(path: Path) -> tuple[int, int, int]:
    # The inode, since a replaced file may have the same size and, on coarse clocks, the same time.
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _parse(content: bytes, path: Path) -> tuple[ApiKey, ...]:
    try:
        keys = msgspec.json.decode(content, type=_KeyFile).keys
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"`{path}` is not a key file: {error}") from error
    names = [key.name for key in keys]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"`{path}` has several keys named {', '.join(twice)}")
    return keys
