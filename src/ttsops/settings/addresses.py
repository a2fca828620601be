"""Addresses in settings, which may hold a name and a password: `https://name:password@host/`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*(?=@)")


def without_credentials(text: str) -> str:
    """`text` as it may be shown: with `***` for what stands before the host of an address in it."""
    return _CREDENTIALS.sub("***", text)


def is_address(text: str) -> bool:
    """It has a host, and a port that there may be, if any."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:
        return False
