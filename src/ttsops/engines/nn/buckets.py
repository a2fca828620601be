"""A few sizes that stand for all: what is prepared for a size serves every smaller one. Pure."""

from __future__ import annotations

from bisect import bisect_left


class Buckets:
    """`first`, twice that, and so on, and last of all `last`."""

    def __init__(self, first: int, last: int) -> None:
        sizes = [min(first, last)]
        while sizes[-1] < last:
            sizes.append(min(2 * sizes[-1], last))
        self.sizes = tuple(sizes)

    def fit(self, n: int) -> int:
        """The smallest size of at least `n`, which is not above the last."""
        return self.sizes[bisect_left(self.sizes, n)]
