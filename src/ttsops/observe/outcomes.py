"""How a request ended, in one word: the `outcome` label, and what an alert may count as our fault."""

from __future__ import annotations

import asyncio
from typing import Literal

from ttsops.errors import CapacityError, NoAudio, RequestError, StreamEnded

Outcome = Literal["ok", "rejected", "busy", "failed", "ended"]


def outcome_of(error: BaseException | None) -> Outcome:
    """`ok` without an error; `failed` for everything that is neither the caller's doing nor lack of room.

    A cancelled task is a listener who hung up; a text with nothing to speak in it is its writer's doing.
    """
    match error:
        case None:
            return "ok"
        case RequestError() | NoAudio():
            return "rejected"
        case CapacityError():
            return "busy"
        case StreamEnded() | asyncio.CancelledError():
            return "ended"
        case _:
            return "failed"
