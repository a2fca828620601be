"""Half precision for dialogues is decided by a test, on the CPU: it may pass, and it can fail."""

from __future__ import annotations

import logging
import math

import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.vibevoice import number_format
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.number_format import pick_format, prove_format
from ttsops.engines.vibevoice.random_model import SMALL, random_model
from ttsops.errors import ConfigError

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


def other_weights(device: torch.device, dtype: torch.dtype) -> VibeVoiceModel:
    """As a device that computes something else."""
    return random_model(SMALL, 1, device=device, dtype=dtype)


def overflowing(device: torch.device, dtype: torch.dtype) -> VibeVoiceModel:
    """As a format whose range is too small."""
    model = random_model(SMALL, 0, device=device, dtype=dtype)
    model.latent_bias = math.inf
    return model


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_that_speaks_alike_is_taken(
    half: torch.dtype, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert prove_format(CPU, half) == half
    assert f"{half} on `cpu` passes its test" in caplog.text


@pytest.mark.parametrize("broken", [other_weights, overflowing])
def test_a_device_that_says_something_else_gets_fp32(
    broken: number_format.MakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    assert prove_format(CPU, torch.bfloat16, broken) == torch.float32
    assert "torch.bfloat16 on `cpu` fails its test, so fp32 is used: error" in caplog.text


def test_a_format_for_which_there_are_no_kernels_gets_fp32(caplog: pytest.LogCaptureFixture) -> None:
    assert prove_format(CPU, torch.float8_e4m3fn) == torch.float32
    assert "torch.float8_e4m3fn on `cpu` fails its test, so fp32 is used" in caplog.text


@pytest.mark.parametrize("is_good", [True, False])
def test_only_mps_without_a_wish_is_tested(is_good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = []

    def test(device: torch.device, half: torch.dtype) -> torch.dtype:
        tested.append(device.type)
        return half if is_good else torch.float32

    monkeypatch.setattr(number_format, "prove_format", test)
    mps, cuda = torch.device("mps"), torch.device("cuda")
    assert pick_format(EngineConfig(), mps) == (torch.float16 if is_good else torch.float32)
    assert tested == ["mps"]
    assert pick_format(EngineConfig(dtype="bf16"), mps) == torch.bfloat16
    assert pick_format(EngineConfig(), cuda) == torch.bfloat16
    assert pick_format(EngineConfig(), CPU) == torch.float32
    with pytest.raises(ConfigError, match="int8"):
        pick_format(EngineConfig(dtype="int8"), mps)
    assert tested == ["mps"]
