"""The network's hot method is one graph for every batch and length."""

import sys
from collections.abc import Iterator

import pytest
import torch
from torch._dynamo.utils import counters

from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import SMALL, random_model
from ttsops.engines.f5.sampler import Flow, advance, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.nn.compiled import compile_method

pytestmark = pytest.mark.unit


def flows(model: F5Model, n_frames: int) -> list[Flow]:
    reference = torch.zeros(20, 100)
    return [
        start_flow(model, reference, [1, 2], n_frames + 9 * i, Schedule(7), cfg_strength=2.0, seed=i)
        for i in range(3)
    ]


@pytest.fixture
def untraced() -> Iterator[None]:
    """Whoever measures coverage looks at every frame, and the compiler makes more graphs of such frames."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.mark.usefixtures("untraced")
def test_the_forward_method_compiles_without_a_break_and_once_for_all_lengths(model: F5Model) -> None:
    torch.compiler.reset()
    counters.clear()
    compiled = random_model(SMALL, seed=1)
    compile_method(compiled.dit, "forward", backend="eager")
    for n_frames in (50, 64, 91):
        expected, found = flows(model, n_frames), flows(compiled, n_frames)
        for batch in (slice(None), slice(0, 2)):
            advance(model, expected[batch], together=True)
            advance(compiled, found[batch], together=True)
        for one, other in zip(expected, found, strict=True):
            torch.testing.assert_close(one.x, other.x, rtol=0, atol=1e-5)
    assert counters["stats"]["unique_graphs"] == 1
    assert counters["frames"]["ok"] == 1
    assert not counters["graph_break"]
