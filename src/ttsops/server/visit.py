"""Who is calling: what the gate found out about a request, for those who answer it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from starlette.types import Scope

from ttsops.server.quota import Quota

_SCOPE_KEY = "ttsops.visit"
_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
"""What may come back in a header and stand in a log."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request or one socket."""

    request_id: str
    """The client's own if it sent a sane one."""
    quota: Quota | None
    """Limits of the caller's key; None where no keys are asked for."""

    @property
    def owner(self) -> str:
        """The name of the caller's key; empty where no keys are asked for."""
        return self.quota.key_name if self.quota else ""


def visit_of(scope: Scope) -> Visit:
    """What the gate left in `scope`."""
    visit: Visit = scope[_SCOPE_KEY]
    return visit


def leave_visit(scope: Scope, visit: Visit) -> None:
    """For `visit_of`, in whoever answers."""
    scope[_SCOPE_KEY] = visit


def choose_request_id(sent: bytes | None) -> str:
    """The client's id, so that it finds its request in the log, or a new one."""
    if sent is not None and _SANE_ID.fullmatch(sent):
        return sent.decode()
    return f"req_{secrets.token_hex(16)}"
