from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.engines.nn.buckets import Buckets

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("first", "last", "sizes"),
    [
        (1, 256, (1, 2, 4, 8, 16, 32, 64, 128, 256)),
        (1, 6, (1, 2, 4, 6)),
        (5, 20, (5, 10, 20)),
        (512, 8192, (512, 1024, 2048, 4096, 8192)),
        (512, 104, (104,)),
        (1, 1, (1,)),
    ],
)
def test_sizes_double_up_to_the_last(first: int, last: int, sizes: tuple[int, ...]) -> None:
    assert Buckets(first, last).sizes == sizes


@given(st.integers(1, 600), st.integers(1, 9000), st.data())
def test_the_smallest_size_that_holds_it_is_taken(first: int, last: int, data: st.DataObject) -> None:
    buckets, n = Buckets(first, last), data.draw(st.integers(1, last))
    size = buckets.fit(n)
    assert size >= n
    assert all(other < n for other in buckets.sizes if other < size)
