"""`ttsops agent`: the agent alone on a socket. SIGTERM and SIGINT drain it, as they do `ttsops serve`."""

from __future__ import annotations

import asyncio
import contextlib
import os

import msgspec

from ttsops.agent import Agent
from ttsops.agent.keys import read_key
from ttsops.agent.remote import RemoteSpeech, shown
from ttsops.server.agent_app import create_agent_app
from ttsops.server.serve import (
    handled,
    leave,
    listening,
    run_on_uvloop,
    say,
    sites_of,
    start_tracing,
    url_of,
)
from ttsops.settings import Settings
from ttsops.settings.names import API_KEY


def serve_agent(settings: Settings) -> int:
    """Run until a signal; the process's exit code.

    Raises `ConfigError` for an address, a key or a model that is missing, `NotInstalled` without the package
    of the provider.
    """
    return run_on_uvloop(_serve(settings))


LAST_WORDS_SECONDS = 1.0
"""For whoever is told that it was broken off."""


async def _serve(settings: Settings) -> int:
    own = msgspec.structs.replace(settings.server, host=settings.agent.host, port=settings.agent.port)
    settings = msgspec.structs.replace(settings, server=own)
    speech = RemoteSpeech(settings.agent.tts_url, os.environ.get(API_KEY, ""))
    agent = Agent(settings, speech, key=read_key(settings.llm, os.environ))
    app = create_agent_app(agent, settings)
    signals: asyncio.Queue[int] = asyncio.Queue()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(start_tracing(settings, "tts-ops-agent"))
        stack.push_async_callback(agent.aclose)
        sites = stack.enter_context(sites_of(app, settings))
        await stack.enter_async_context(handled(signals))
        servers = await stack.enter_async_context(listening(settings, sites))
        say(_ready_line(url_of(sites[0][1]), settings))
        first = asyncio.create_task(signals.get())
        done, _ = await asyncio.wait((first, *servers), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a server that broke
        code = await leave(app.state.server, signals, agent.take_no_more)
        await agent.break_off()
        await app.state.server.wait_idle(LAST_WORDS_SECONDS)
        return code


def _ready_line(url: str, settings: Settings) -> str:
    llm = settings.llm
    model = f" {llm.model}" if llm.model else ""
    speech = shown(settings.agent.tts_url)
    return (
        f"the agent listens on {url} ({llm.provider}{model}, speech from {speech}). Try:\n\n"
        f"  curl {url}/chat -H 'content-type: application/json' -d '{{\"text\": \"Hello.\"}}' -o answer.wav\n"
    )
