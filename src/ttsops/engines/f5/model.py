"""Everything of one loaded model: the network, what it is shown of texts and voices, and the vocoder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from torch import Tensor

from ttsops.engines.f5.config import F5Config
from ttsops.engines.f5.dit import DiT
from ttsops.engines.f5.mel import MelSpectrogram
from ttsops.engines.f5.modulation import Modulations
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.f5.text_embedding import TextEmbedding
from ttsops.engines.f5.vocos import Vocos
from ttsops.engines.nn.weights import Weights

PREFIX = "ema_model.transformer"

UNUSED = (
    "initted",  # how far the averaging of the weights was
    "step",
    "ema_model.mel_spec.",  # windows and filters of older checkpoints
    f"{PREFIX}.rotary_embed.",  # computed here
)
"""Beginnings of names that a checkpoint may hold and nothing here needs."""


class Network(Protocol):
    """What a flow is moved by: `DiT`, or what computes the same."""

    def forward(
        self, x: Tensor, cond: Tensor, text: Tensor, modulations: Tensor, mask: Tensor | None
    ) -> Tensor:
        """As `DiT.forward`."""
        ...


class Vocoder(Protocol):
    """What makes samples of a mel: `Vocos`, or what computes the same."""

    def __call__(self, mel: Tensor) -> Tensor:
        """As `Vocos.__call__`."""
        ...

    def decode(self, mel: Tensor, start: int, end: int) -> Tensor:
        """As `Vocos.decode`."""
        ...


class F5Model:
    """Modules in the published layout; stateless but for the tables of schedules."""

    def __init__(self, weights: Weights, vocos_weights: Weights, config: F5Config) -> None:
        """Raises `EngineUnavailable` for a checkpoint that is not exactly this model.

        `weights` may be in half precision on an accelerator; those of Vocos are fp32.
        """
        self.config = config
        self.device, self.dtype = weights.device, weights.dtype
        self.mel = MelSpectrogram(config.mel, self.device)
        self.text = TextEmbedding(weights, f"{PREFIX}.text_embed", config.dit)
        self.modulations = Modulations(weights, PREFIX, config.dit)
        self.dit: Network = DiT(weights, PREFIX, config.dit)
        weights.finish(UNUSED)
        self.vocos: Vocoder = Vocos(vocos_weights, config.vocos)

    def prepare(self, schedules: Iterable[Schedule]) -> None:
        """Make the tables of these schedules now."""
        for schedule in schedules:
            self.modulations.table(schedule)

    def drop_modulation_weights(self) -> None:
        """Free two fifths of the weights: from now on only schedules that were prepared can be sampled."""
        self.modulations.drop_weights()
