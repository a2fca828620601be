"""`ttsops serve`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ttsops.cli.verb import config_option, log_options, verb
from ttsops.settings import load_settings


@verb(
    "serve",
    examples=(
        "ttsops serve",
        "ttsops serve --port 8001 --host 0.0.0.0",
        "ttsops serve --config prod.toml --log-format json",
    ),
)
@config_option
@click.option("--host", help="Address to listen on.  [default: `server.host`, 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0 for any free one.  [default: `server.port`, 8001]"
)
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Metrics on a port of their own.")
@click.option("-m", "--model", "--engine", "engine", help="The default engine.  [default: `engine`, espeak]")
@click.option("--keys-file", help="File of hashed API keys, made by `ttsops keys add`.")
@log_options
def serve(
    config: Path | None,
    host: str | None,
    port: int | None,
    metrics_port: int | None,
    engine: str | None,
    keys_file: str | None,
    log_level: str | None,
    log_format: str | None,
) -> int:
    """Start the server.

    It speaks OpenAI's `POST /v1/audio/speech`, a WebSocket for text in pieces, and Prometheus metrics; the
    API is described at `/docs`. SIGTERM and Ctrl-C let live utterances end, then it stops with exit code 0;
    a second signal stops it at once.
    """
    from ttsops.observe import logs

    settings = load_settings(
        config,
        os.environ,
        {
            "server.host": host,
            "server.port": port,
            "server.metrics_port": metrics_port,
            "server.keys_file": keys_file,
            "engine": engine,
            "log.level": log_level,
            "log.format": log_format,
        },
    )
    logs.configure(settings.log.level, settings.log.format)
    from ttsops.server.serve import serve as run_server

    return run_server(settings)
