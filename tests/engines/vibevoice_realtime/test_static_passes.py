"""No pass waits for the host, takes its shape from a value, or mixes devices: shown without a device.

The tensors here have shapes and no numbers. Whether a GPU captures the passes is not shown by it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from capturing import OneDevice, every_pass
from torch import Tensor
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from ttsops.engines.nn.cuda_graphs import GraphCache
from ttsops.engines.nn.weights import RandomWeights
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import SMALL
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.static_form import StaticForm
from ttsops.engines.vibevoice_realtime.static_passes import StaticPasses

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "vibevoice_realtime.md"
N_STREAMS, N_POSITIONS = 6, 512


class Elsewhere(RandomWeights):
    """Weights on a device whose tensors have shapes and no numbers."""

    def take(self, name: str, *shape: int, dtype: torch.dtype | None = None, **_: object) -> Tensor:
        return torch.zeros(shape, device="meta" if shape else "cpu", dtype=dtype or self.dtype)


def model_elsewhere() -> RealtimeModel:
    return RealtimeModel(Elsewhere(0, device=torch.device("meta"), dtype=torch.bfloat16), SMALL)


def passes_elsewhere() -> StaticPasses:
    model = model_elsewhere()
    return StaticPasses(model, StreamSlots(model, N_STREAMS, N_POSITIONS))


def test_so_many_graphs_are_captured_as_the_page_says() -> None:
    captured = []

    def capture(function: Callable[[], None]) -> Callable[[], None]:
        captured.append(function)
        return function

    model = model_elsewhere()
    StaticForm(model, StreamSlots(model, 256, 8192), GraphCache(capture)).warm_up()
    assert f"{len(captured)} graphs for 256 streams and 8192 positions" in " ".join(PAGE.read_text().split())


def test_every_pass_runs_without_a_number_being_known() -> None:
    """`.item()`, `nonzero` and the like raise here, and so does a tensor that is on another device."""
    passes = passes_elsewhere()
    with torch.inference_mode(), FakeTensorMode(allow_non_fake_inputs=True), OneDevice():
        for work, sizes in every_pass(passes, N_STREAMS):
            work(*sizes)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda hidden: hidden[:, 0] * float(hidden.sum()), DataDependentOutputException),
        (lambda hidden: hidden[(hidden[:, 0] > 0).nonzero()[:, 0], 0], DynamicOutputShapeException),
        (lambda hidden: hidden[:, 0] + torch.ones(len(hidden)), AssertionError),
        (lambda hidden: hidden[:, 0] + torch.ones(()), AssertionError),
    ],
    ids=["looks at a number", "has a shape of its own", "mixes devices", "takes a number from the CPU"],
)
def test_a_pass_that_cannot_be_captured_would_be_found(
    wrong: Callable[[Tensor], Tensor], error: type[Exception]
) -> None:
    passes = passes_elsewhere()
    passes._model.eos = wrong  # type: ignore[assignment]
    with (
        torch.inference_mode(),
        FakeTensorMode(allow_non_fake_inputs=True),
        OneDevice(),
        pytest.raises(error),
    ):
        passes.read_latents(2, 64)
