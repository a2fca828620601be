"""What is captured when, and what a replay does. Capturing needs a GPU: a recording stands in for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import torch

from engines.nn.recorded_graph import RecordingCapture
from ttsops.engines.nn.cuda_graphs import GraphCache, graphs_for
from ttsops.engines.nn.staging import ToDevice, ToHost

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


class Doubling:
    """A pass over fixed memory, and one that is not."""

    def __init__(self) -> None:
        self.given = ToDevice((4,), torch.float32, CPU)
        self.made = ToHost((4,), torch.float32, CPU)
        self.n_calls = 0
        self.factor = 2.0
        self.bound = torch.ones(4)

    def double(self, n: int) -> None:
        self.n_calls += 1
        self.made.device[:n] = self.given.device[:n] * 2

    def double_by_python(self, n: int) -> None:
        self.made.device[:n] = self.bound[:n] * self.factor

    def give(self, *numbers: float) -> None:
        self.given.host[: len(numbers)] = numbers
        self.given.send(4)


def test_without_capture_a_pass_is_called() -> None:
    work, graphs = Doubling(), graphs_for(CPU)
    graphs.prepare([(work.double, (4,))])
    assert work.n_calls == 0
    work.give(1, 2, 3, 4)
    graphs.run(work.double, 4)
    assert work.n_calls == 1
    assert work.made.fetch(4).tolist() == [2, 4, 6, 8]


def test_a_prepared_pass_is_replayed_on_what_its_memory_holds_now() -> None:
    work, capture = Doubling(), RecordingCapture()
    graphs = GraphCache(capture)
    graphs.prepare([(work.double, (4,))])
    n_calls = work.n_calls
    for first in (1.0, 5.0):
        work.give(first, 2, 3, 4)
        graphs.run(work.double, 4)
        assert work.made.fetch(4).tolist() == [2 * first, 4, 6, 8]
    assert work.n_calls == n_calls
    assert (capture.n_captured, capture.n_replayed) == (1, 2)


def test_a_size_that_was_not_prepared_is_called_and_never_captured() -> None:
    work, capture = Doubling(), RecordingCapture()
    graphs = GraphCache(capture)
    graphs.prepare([(work.double, (4,))])
    n_calls = work.n_calls
    work.give(1, 2)
    for _ in range(2):
        graphs.run(work.double, 2)
    assert work.n_calls == n_calls + 2
    assert (capture.n_captured, capture.n_replayed) == (1, 0)
    assert work.made.fetch(2).tolist() == [2, 4]


def test_what_python_decided_is_frozen_in_a_replay() -> None:
    """This is what the recording is for: such a pass is wrong on a GPU, and it is seen here."""
    work, graphs = Doubling(), GraphCache(RecordingCapture())
    graphs.prepare([(work.double_by_python, (4,))])
    work.factor = 10.0
    work.bound = torch.full((4,), 7.0)
    graphs.run(work.double_by_python, 4)
    assert work.made.fetch(4).tolist() == [2, 2, 2, 2]


def test_sending_copies_into_the_memory_that_was_captured() -> None:
    given = ToDevice((3, 2), torch.int64, CPU)
    address = given.device.data_ptr()
    given.host[:] = 5
    given.send(2)
    assert given.device.data_ptr() == address
    assert given.device.tolist() == [[5, 5], [5, 5], [0, 0]]


def test_what_was_fetched_is_kept_when_the_next_is_made() -> None:
    made = ToHost((2,), torch.float32, CPU)
    made.device.fill_(1)
    first = made.fetch(2)
    made.device.fill_(2)
    assert (first.tolist(), made.fetch(1).tolist()) == ([1, 1], [2])


def test_a_device_that_refuses_a_capture_is_told_of_and_its_passes_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorded = RecordingCapture()

    def refuse_the_second(function: Callable[[], None]) -> Callable[[], None]:
        if recorded.n_captured:
            raise RuntimeError("operation not permitted when stream is capturing")
        return recorded(function)

    work, graphs = Doubling(), GraphCache(refuse_the_second)
    graphs.prepare([(work.double, (size,)) for size in (4, 2, 1)])
    assert "1 of 3 passes were captured, then `double` (2,) failed" in caplog.text
    n_calls = work.n_calls
    work.give(3)
    for size in (1, 2, 4):
        graphs.run(work.double, size)
        assert work.made.fetch(1).tolist() == [6]
    assert (work.n_calls - n_calls, recorded.n_replayed) == (2, 1)


def test_progress_is_told(caplog: pytest.LogCaptureFixture) -> None:
    work, graphs = Doubling(), GraphCache(RecordingCapture())
    with caplog.at_level(logging.INFO):
        graphs.prepare([(work.double, (1 + i % 4,)) for i in range(25)])
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 9
    assert told[0].startswith("captured 3 of 25 passes")
    assert told[-1].startswith("captured 25 of 25 passes")
