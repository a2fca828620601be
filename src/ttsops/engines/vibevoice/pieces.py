"""Work that takes seconds, cut so that whoever speaks meanwhile waits for a piece of it only."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from torch import Tensor

Pieces: TypeAlias = Generator[None, None, Tensor]
"""Each `next` does a piece; what it returns at the end is the result."""


def finish(pieces: Pieces) -> Tensor:
    """All that is left, at once."""
    while True:
        try:
            next(pieces)
        except StopIteration as done:
            result: Tensor = done.value
            return result


class Gradual:
    """A tensor that is made in pieces by whoever needs it next; several may wait for the same one."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces: Pieces | None = pieces
        self._result: Tensor | None = None

    @property
    def is_done(self) -> bool:
        """The result is there."""
        return self._result is not None

    @property
    def result(self) -> Tensor:
        """Only once it is done."""
        assert self._result is not None
        return self._result

    def advance(self) -> None:
        """A piece more. Raises `RuntimeError` if an earlier piece failed."""
        if self._pieces is None:
            return
        try:
            next(self._pieces)
        except StopIteration as done:
            if done.value is None:
                raise RuntimeError("a piece of this work failed before") from None
            self._result, self._pieces = done.value, None
