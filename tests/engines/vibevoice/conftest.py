"""One thread per test: a second one gains nothing on small models and waits for a core that others use."""

from collections.abc import Iterator

import pytest
import torch

from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.random_model import SMALL, random_model


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def model() -> VibeVoiceModel:
    return random_model(SMALL, 0)
