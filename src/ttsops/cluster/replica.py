"""What runs on a machine of a cluster: the server's own application, and a runtime of this replica alone.

Knows nothing of Ray but what its methods are called. Sockets, and who is sent here, are the business of Ray
Serve's proxies: https://docs.ray.io/en/latest/serve/architecture.html.
"""

from __future__ import annotations

import os

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

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The application; Ray Serve runs its lifespan."""
        return create_app(self._runtime, self._settings)

    async def check_health(self) -> None:
        """Raises while it would not speak. Three times in a row, and Ray puts another in its place.

        An engine that loads is given its time: the supervisor ends one that takes too long.
        """
        if not self._runtime.is_ready and self._runtime.service().state != "loading":
            raise EngineUnavailable(f"engine `{self._runtime.default_engine}` does not speak")

    async def __del__(self) -> None:
        """Ray has waited for live requests to end, as long as `runtime.drain_seconds`."""
        await self._runtime.stop()
        self._stop_tracing()
