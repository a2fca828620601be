"""The application: routes, the gate before them, and one shape for every error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from ttsops import __version__
from ttsops.agent import Agent
from ttsops.observe.loop_lag import sample_loop_lag
from ttsops.runtime import Runtime
from ttsops.server.gate import Gate
from ttsops.server.openapi import describe
from ttsops.server.refusals import add_error_handlers
from ttsops.server.render_book import RenderBook
from ttsops.server.routes import (
    chat,
    consents,
    health,
    made_voices,
    metrics,
    models,
    references,
    renders,
    root,
    speech,
    stream,
    studio,
    synthesize,
    voices,
)
from ttsops.server.site import SiteState
from ttsops.server.state import ServerState
from ttsops.settings import Settings

READABLE_HEADERS = (
    "retry-after",
    "x-request-id",
    "x-trace-id",
    "x-ttsops-audio-seconds",
    "x-ttsops-conversation",
    "x-ttsops-engine",
    "x-ttsops-error",
    "x-ttsops-failover",
    "x-ttsops-first-audio-seconds",
    "x-ttsops-ignored",
    "x-ttsops-queue-seconds",
    "x-ttsops-rtf",
    "x-ttsops-synthesis-seconds",
    "x-ttsops-synthetic",
    "x-ttsops-voice",
)
"""What a page of an allowed origin may read of an answer."""


def create_app(runtime: Runtime, settings: Settings, agent: Agent | None = None) -> FastAPI:
    """The server as an ASGI application. `runtime` is started and stopped by the caller, and so is `agent`:
    with one it answers `/chat`, too.

    Raises `ConfigError` for a key file that cannot be read.
    """
    state = ServerState(runtime, settings)
    app = FastAPI(title="tts-ops", version=__version__, lifespan=lifespan, redoc_url=None)
    app.state.server = state
    app.state.renders = RenderBook(runtime, settings.render) if settings.render.folder else None
    resources = (
        speech,
        stream,
        synthesize,
        models,
        voices,
        made_voices,
        consents,
        references,
        renders,
        health,
    )
    for resource in resources:
        app.include_router(resource.router)
    if settings.studio.enabled:
        app.include_router(studio.router)
        app.mount("/studio", studio.files())
    app.include_router(root.router)
    if agent is not None:
        app.state.agent = agent
        app.include_router(chat.router)
    finish_app(app, state)
    return app


def finish_app(app: FastAPI, state: SiteState) -> None:
    """What every application has beside its routes: metrics, errors of one shape, the gate, a description."""
    settings = state.settings
    if settings.server.metrics_port is None:
        app.include_router(metrics.router)
    add_error_handlers(app)
    app.add_middleware(Gate, state=state)
    if settings.server.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.server.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=READABLE_HEADERS,
        )
    app.openapi = partial(describe, app, has_keys=state.keys is not None)  # type: ignore[method-assign]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Beside the answers: the loop's lag is sampled, and codecs are warmed up."""
    state: SiteState = app.state.server
    tasks = [asyncio.create_task(sample_loop_lag()), asyncio.create_task(state.warm_up())]
    renders: RenderBook | None = getattr(app.state, "renders", None)
    if renders is not None:
        renders.start()
    try:
        yield
    finally:
        if renders is not None:
            await renders.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        state.encoders.close()
