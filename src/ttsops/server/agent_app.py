"""The agent as an application of its own: questions in, speech from a speech server elsewhere."""

from __future__ import annotations

from fastapi import FastAPI

from ttsops import __version__
from ttsops.agent import Agent
from ttsops.server.app import finish_app, lifespan
from ttsops.server.routes import agent_health, chat
from ttsops.server.site import SiteState
from ttsops.settings import Settings


def create_agent_app(agent: Agent, settings: Settings) -> FastAPI:
    """`agent` is closed by the caller. Raises `ConfigError` for a key file that cannot be read."""
    site = SiteState(settings)
    app = FastAPI(title="tts-ops agent", version=__version__, lifespan=lifespan, redoc_url=None)
    app.state.server = site
    app.state.agent = agent
    app.include_router(chat.router)
    app.include_router(agent_health.router)
    finish_app(app, site)
    return app
