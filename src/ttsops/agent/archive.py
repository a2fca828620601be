"""Conversations in one SQLite file, so that they outlive a restart. It holds what people said: mode 0600."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

import msgspec

from ttsops.agent.conversation import Exchange
from ttsops.errors import ConfigError

_TABLE = """CREATE TABLE IF NOT EXISTS conversations (
  owner TEXT NOT NULL, id TEXT NOT NULL, used_at REAL NOT NULL, exchanges BLOB NOT NULL,
  PRIMARY KEY (owner, id)) WITHOUT ROWID"""
_decoder = msgspec.json.Decoder(list[tuple[str, str]])


class Archive:
    """The file. Its calls block: they belong on a thread, and may come from several."""

    def __init__(self, path: Path) -> None:
        """Raises `ConfigError` if it cannot be had."""
        self._lock = threading.Lock()
        try:
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                os.fchmod(file, 0o600)  # if it was there, too; the files that SQLite adds have its mode
            finally:
                os.close(file)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"`agent.database`: `{path}`: {getattr(error, 'strerror', None) or error}",
                hint="name a file that may be written, or leave it empty to keep conversations in memory",
            ) from error

    def load(self, owner: str, conversation_id: str, *, not_before: float) -> list[Exchange]:
        """What was said; nothing for one that is not there, or was last used before `not_before` (Unix time).

        Raises `sqlite3.Error`.
        """
        with self._lock:
            row = self._database.execute(
                "SELECT exchanges FROM conversations WHERE owner = ? AND id = ? AND used_at >= ?",
                (owner, conversation_id, not_before),
            ).fetchone()
        with contextlib.suppress(msgspec.DecodeError):
            return [Exchange(*pair) for pair in _decoder.decode(row[0])] if row else []
        return []  # written by something else: forgotten

    def save(self, owner: str, conversation_id: str, exchanges: list[Exchange], used_at: float) -> None:
        """Keep it in place of what was there. Raises `sqlite3.Error`, and then that is still there."""
        content = msgspec.json.encode([(one.question, one.answer) for one in exchanges])
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)",
                (owner, conversation_id, used_at, content),
            )

    def forget(self, *, not_before: float, keep: int) -> None:
        """Drop what was last used before `not_before`, and all but the `keep` used last. Raises as `save`."""
        with self._lock:
            self._database.execute("DELETE FROM conversations WHERE used_at < ?", (not_before,))
            self._database.execute(
                "DELETE FROM conversations WHERE (owner, id) IN"
                " (SELECT owner, id FROM conversations ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
                (keep,),
            )

    def close(self) -> None:
        """Nothing may follow."""
        with self._lock:
            self._database.close()
