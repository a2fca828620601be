from __future__ import annotations

import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.devices import free_bytes, pick_device, pick_dtype
from ttsops.errors import ConfigError, EngineUnavailable

pytestmark = pytest.mark.unit


def test_a_named_device_is_taken_if_it_is_here() -> None:
    assert pick_device(EngineConfig(device="cpu")) == torch.device("cpu")
    with pytest.raises(EngineUnavailable, match="cuda:77"):
        pick_device(EngineConfig(device="cuda:77"))


def test_what_is_no_device_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="toaster"):
        pick_device(EngineConfig(device="toaster"))


@pytest.mark.parametrize(
    ("wanted", "device", "expected"),
    [
        ("auto", "cpu", torch.float32),
        ("auto", "mps", torch.float32),
        ("auto", "cuda", torch.bfloat16),
        ("fp16", "cuda", torch.float16),
    ],
)
def test_number_formats(wanted: str, device: str, expected: torch.dtype) -> None:
    assert pick_dtype(EngineConfig(dtype=wanted), torch.device(device)) == expected


def test_an_unknown_number_format_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="fp7"):
        pick_dtype(EngineConfig(dtype="fp7"), torch.device("cpu"))


def test_free_memory_is_known() -> None:
    assert free_bytes(torch.device("cpu")) > 0
