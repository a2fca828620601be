"""Everything in the transformer that depends on time alone: shifts, scales and gates of its blocks.

A schedule has few times, so each gets a table once. With all schedules known, the layers that tables are made
by, two fifths of the model, are not needed any more and can be let go (`drop_weights`).

Legend: n steps, C hidden size, M = (6 · depth + 2) · C.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.f5.config import DiTConfig
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.nn.layers import load_linear
from ttsops.engines.nn.linear import Layer, Linear
from ttsops.engines.nn.weights import Weights
from ttsops.errors import InvalidValue

N_FREQUENCIES = 128
MAX_PERIOD = 10_000.0
TIME_SCALE = 1000.0

MAX_TABLES = 32
"""Kept at a time while weights are there: requests may name any sway, and 64 steps take 35 MB in fp32."""


class Modulations:
    """Tables by schedule, and what makes them."""

    def __init__(self, weights: Weights, prefix: str, config: DiTConfig) -> None:
        dim = config.dim
        self._dtype, self._device = weights.dtype, weights.device

        def load(name: str, n_in: int, n_out: int) -> Layer:
            # Few rows, once per schedule, and a part of everything: never rounded.
            return load_linear(weights, f"{prefix}.{name}", n_in, n_out, layer=Linear)

        self._time_in = load("time_embed.time_mlp.0", 2 * N_FREQUENCIES, dim)
        self._time_out = load("time_embed.time_mlp.2", dim, dim)
        self._layers = [
            *(load(f"transformer_blocks.{i}.attn_norm.linear", dim, 6 * dim) for i in range(config.depth)),
            load("norm_out.linear", dim, 2 * dim),
        ]
        self._tables: OrderedDict[Schedule, Tensor] = OrderedDict()

    def table(self, schedule: Schedule) -> Tensor:
        """A row for each step [n, M].

        Raises `InvalidValue` for a schedule that was not prepared before the weights were dropped.
        """
        table = self._tables.get(schedule)
        if table is None:
            table = self._tables[schedule] = self._made(schedule)
            if len(self._tables) > MAX_TABLES:
                self._tables.popitem(last=False)  # flows that use it hold it themselves
        self._tables.move_to_end(schedule)
        return table

    def __len__(self) -> int:
        """Tables that are kept."""
        return len(self._tables)

    def drop_weights(self) -> None:
        """Free what tables are made by. Only schedules that have one can be sampled from now on."""
        self._layers.clear()

    def at(self, times: Tensor) -> Tensor:
        """Times [n], fp32 → [n, M]."""
        embedded = self._time_out(functional.silu(self._time_in(time_sinusoid(times).to(self._dtype))))
        active = functional.silu(embedded)
        return torch.cat([layer(active) for layer in self._layers], dim=-1)

    def _made(self, schedule: Schedule) -> Tensor:
        if not self._layers:
            known = ", ".join(f"{one.n_steps} steps with sway {one.sway:g}" for one in self._tables)
            raise InvalidValue(
                f"{schedule.n_steps} steps with sway {schedule.sway:g} are not prepared on this server",
                hint=f"prepared: {known or 'none'}",
            )
        return self.at(schedule.times()[:-1].to(self._device))


def time_sinusoid(times: Tensor) -> Tensor:
    """[n] → [n, 256], sines before cosines, in fp32."""
    exponents = torch.arange(N_FREQUENCIES, device=times.device).float() * (
        -math.log(MAX_PERIOD) / (N_FREQUENCIES - 1)
    )
    angles = TIME_SCALE * times.float()[:, None] * exponents.exp()
    return torch.cat((angles.sin(), angles.cos()), dim=-1)
