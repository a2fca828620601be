"""`ttsops agent`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ttsops.cli.verb import config_option, log_options, verb
from ttsops.settings import load_settings


@verb(
    "agent",
    examples=(
        "ttsops agent --provider echo",
        "ttsops agent --provider local --model llama3.2 --base-url http://127.0.0.1:11434/v1",
        "ttsops agent --provider openai --model gpt-4o-mini --tts-url http://tts:8001",
    ),
)
@config_option
@click.option("--host", help="Address to listen on.  [default: `agent.host`, 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0 for any free one.  [default: `agent.port`, 8080]"
)
@click.option("--tts-url", help="The speech server.  [default: `agent.tts_url`, http://127.0.0.1:8001]")
@click.option(
    "--provider",
    type=click.Choice(["openai", "anthropic", "local", "echo"]),
    help="Who runs the language model.  [default: `llm.provider`]",
)
@click.option("--model", help="The language model's name there.  [default: `llm.model`]")
@click.option("--base-url", help="Address of its API.  [default: `llm.base_url`]")
@log_options
def agent(
    config: Path | None,
    host: str | None,
    port: int | None,
    tts_url: str | None,
    provider: str | None,
    model: str | None,
    base_url: str | None,
    log_level: str | None,
    log_format: str | None,
) -> int:
    """Start the agent beside a speech server.

    A language model answers questions on `POST /chat` and the WebSocket `/chat/stream`, and a running `ttsops
    serve` speaks its answers while they are written. Its key is read from `llm.key_file`, LLM_API_KEY,
    OPENAI_API_KEY or ANTHROPIC_API_KEY; the speech server's from TTSOPS_API_KEY. `echo` needs none.
    """
    from ttsops.observe import logs

    settings = load_settings(
        config,
        os.environ,
        {
            "agent.host": host,
            "agent.port": port,
            "agent.tts_url": tts_url,
            "llm.provider": provider,
            "llm.model": model,
            "llm.base_url": base_url,
            "log.level": log_level,
            "log.format": log_format,
        },
    )
    logs.configure(settings.log.level, settings.log.format)
    from ttsops.server.serve_agent import serve_agent

    return serve_agent(settings)
