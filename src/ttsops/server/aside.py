"""Work on files off the event loop, and errors about a form's file under the name the form has for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ttsops.errors import RequestError

T = TypeVar("T")


async def aside(function: Callable[..., T], *arguments: object) -> T:
    """Off the event loop: it reads and writes files."""
    return await asyncio.to_thread(function, *arguments)


@contextmanager
def file_is_called(field: str) -> Iterator[None]:
    """A refusal of the file names `field`: what made it knows of no form."""
    try:
        yield
    except RequestError as error:
        if error.param == "file":
            error.param = field
        raise
