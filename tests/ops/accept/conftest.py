"""A server to be accepted, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from server.server_site import serving
from ttsops.ops.accept.client import Client
from ttsops.settings import Settings

Serve = Callable[[Settings], Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(settings)` answers until the test ends."""
    with contextlib.ExitStack() as stack:

        def start(settings: Settings) -> Client:
            return Client(stack.enter_context(serving(settings)).url, settings.engine)

        yield start
