"""A connection to a Ray cluster that runs already."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import ray

from ttsops.errors import EngineUnavailable

AUTO = "auto"
"""The cluster that this machine belongs to."""

KNOCK_SECONDS = 5.0


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Inside the block this process is a driver of the cluster at `address`. Raises `EngineUnavailable`.

    Ray prints on stdout what happens to machines; here that goes to stderr, for stdout is data.
    """
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    with redirect_stdout(sys.stderr):
        try:
            if address != AUTO:
                knock(address)  # Ray itself knocks for two minutes
            ray.init(address, log_to_driver=False, logging_level="error", configure_logging=False)
        except (ConnectionError, OSError, RuntimeError, ValueError) as e:
            raise EngineUnavailable(
                f"no Ray cluster answers at `{address}`: {e}", hint="start one with `ray start --head`"
            ) from e
        try:
            yield
        finally:
            ray.shutdown()


def knock(address: str) -> None:
    """Raises `OSError` if nobody listens at `HOST:PORT`, `ValueError` for what is no address."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), KNOCK_SECONDS).close()
