"""`--option NAME=VALUE`: what only one engine takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ttsops.settings.fields import parse_scalar


def option_values(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> dict[str, Any]:
    """Callback of the option: `nfe=16` → `{"nfe": 16}`."""
    options = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{value}` must be NAME=VALUE")
        options[name] = parse_scalar(text)
    return options
