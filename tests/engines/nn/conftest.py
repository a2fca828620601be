"""One thread per test: a second one gains nothing on small models and waits for a core that others use."""

from collections.abc import Iterator

import pytest
import torch

from ttsops.engines.nn.many_rows import WEIGHT_LEVELS, is_exact


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def levels() -> int:
    """The most that a weight may be rounded to on this machine."""
    found = next((one for one in WEIGHT_LEVELS if is_exact(one)), 0)
    if not found:
        pytest.skip("products of 8-bit numbers are not exact on this machine")
    return found
