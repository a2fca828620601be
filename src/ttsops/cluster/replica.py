"""What runs on a machine of a cluster: the server's own application, and a runtime of this replica alone.

Knows nothing of Ray but what its methods are called. Sockets, and who is sent here, are the business of Ray
Serve's proxies: https://docs.ray.io/en/latest/serve/architecture.html.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from fastapi import FastAPI

from ttsops.errors import EngineUnavailable
from ttsops.models.hub import OFFLINE
from ttsops.observe import logs
from ttsops.runtime import Runtime
from ttsops.runtime.heap import freeze_heap
from ttsops.server.app import create_app
from ttsops.server.serve import start_tracing
from ttsops.settings import Settings

PATIENT_LOADS = 3.0
"""Of the time that the last one took."""


class SpeechReplica:
    """One device and its worker process. Ray Serve makes it, asks how it is, and ends it."""

    async def __init__(self, settings: bytes) -> None:  # type: ignore[misc]  # Ray awaits it
        """`settings` as JSON. Raises whatever keeps the default engine from speaking; Ray tries again."""
        os.environ[OFFLINE] = "1"  # while it serves nothing is downloaded
        self._settings = msgspec.json.decode(settings, type=Settings)
        logs.configure(self._settings.log.level, self._settings.log.format)
        self._stop_tracing = start_tracing(self._settings, "tts-ops")
        self._runtime = Runtime(self._settings)
        try:
            await self._runtime.start()
        except BaseException:
            await self._runtime.stop()
            raise
        freeze_heap()
        self._spoke_at = time.monotonic()

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The application; Ray Serve runs its lifespan.

        Ray ends it when live requests have ended, or `runtime.drain_seconds` have passed.
        """
        app = create_app(self._runtime, self._settings)
        of_server = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            try:
                async with of_server(app):
                    yield
            finally:
                await self._runtime.stop()
                self._stop_tracing()

        app.router.lifespan_context = lifespan
        return app

    async def check_health(self) -> None:
        """Raises once it has not been able to speak for long. Three times, and Ray puts another in its place.

        Long is more than `PATIENT_LOADS` loads and the longest pause between them: the supervisor starts a
        worker that died again, and another replica would have to load as well.
        """
        now = time.monotonic()
        if self._runtime.is_ready:
            self._spoke_at = now
        load_seconds = self._runtime.service().load_seconds or 0.0
        patience = PATIENT_LOADS * load_seconds + self._settings.runtime.restart_max_seconds
        if now - self._spoke_at > patience:
            raise EngineUnavailable(f"engine `{self._runtime.default_engine}` does not come back")
