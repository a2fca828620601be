"""The test that decides between half precision and fp32, on the CPU: it may pass, and it can fail."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.vibevoice import number_format as longform_format
from ttsops.engines.vibevoice import random_model as longform_model
from ttsops.engines.vibevoice_realtime import number_format as realtime_format
from ttsops.engines.vibevoice_realtime import random_model as realtime_model
from ttsops.errors import ConfigError

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Family:
    """An engine family's test, and its small random model."""

    format: ModuleType
    models: ModuleType

    def other_weights(self, device: torch.device, dtype: torch.dtype) -> Any:
        """As a device that computes something else."""
        return self.models.random_model(self.models.SMALL, 1, device=device, dtype=dtype)

    def overflowing(self, device: torch.device, dtype: torch.dtype) -> Any:
        """As a format whose range is too small."""
        model = self.models.random_model(self.models.SMALL, 0, device=device, dtype=dtype)
        model.latent_bias = math.inf
        return model


@pytest.fixture(
    params=[Family(realtime_format, realtime_model), Family(longform_format, longform_model)],
    ids=["vibevoice-realtime", "vibevoice"],
)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_that_speaks_alike_is_taken(
    family: Family, half: torch.dtype, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert family.format.prove_format(CPU, half) == half
    assert f"{half} on `cpu` passes its test" in caplog.text


@pytest.mark.parametrize("broken", ["other_weights", "overflowing"])
def test_a_device_that_says_something_else_gets_fp32(
    family: Family, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = family.format.prove_format(CPU, torch.bfloat16, getattr(family, broken))
    assert found == torch.float32
    assert "torch.bfloat16 on `cpu` fails its test, so fp32 is used: error" in caplog.text


def test_a_format_for_which_there_are_no_kernels_gets_fp32(
    family: Family, caplog: pytest.LogCaptureFixture
) -> None:
    assert family.format.prove_format(CPU, torch.float8_e4m3fn) == torch.float32
    assert "torch.float8_e4m3fn on `cpu` fails its test, so fp32 is used" in caplog.text


@pytest.mark.parametrize("is_good", [True, False])
def test_only_mps_without_a_wish_is_tested(
    family: Family, is_good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick_format = family.format.pick_format
    tested = []

    def test(device: torch.device, half: torch.dtype) -> torch.dtype:
        tested.append(device.type)
        return half if is_good else torch.float32

    monkeypatch.setattr(family.format, "prove_format", test)
    mps, cuda = torch.device("mps"), torch.device("cuda")
    assert pick_format(EngineConfig(), mps) == (torch.float16 if is_good else torch.float32)
    assert tested == ["mps"]
    assert pick_format(EngineConfig(dtype="bf16"), mps) == torch.bfloat16
    assert pick_format(EngineConfig(), cuda) == torch.bfloat16
    assert pick_format(EngineConfig(), CPU) == torch.float32
    with pytest.raises(ConfigError, match="int8"):
        pick_format(EngineConfig(dtype="int8"), mps)
    assert tested == ["mps"]


# Apple's GPU, which has to speak as the CPU does before `auto` trusts it.


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


@pytest.mark.parametrize(
    ("half_passes", "fp32_passes", "expected"),
    [
        (True, True, ("mps", torch.float16)),
        (False, True, ("mps", torch.float32)),
        (False, False, ("cpu", torch.float32)),
    ],
)
def test_what_passes_on_a_mac_is_used(
    mac: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    half_passes: bool,
    fp32_passes: bool,
    expected: tuple[str, torch.dtype],
) -> None:
    half = torch.float16 if half_passes else torch.float32
    monkeypatch.setattr(longform_format, "prove_format", lambda device, dtype: half)
    monkeypatch.setattr(longform_format, "speaks_as_exact", lambda device, dtype: fp32_passes)
    device, dtype = longform_format.pick_device_and_format(EngineConfig())
    assert (device.type, dtype) == expected
    assert ("the CPU is used" in caplog.text) == (expected[0] == "cpu")


def test_on_a_mac_8_bit_weights_go_to_the_cpu_and_a_wish_is_kept(
    mac: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longform_format, "speaks_as_exact", lambda device, dtype: False)
    device, dtype = longform_format.pick_device_and_format(EngineConfig(dtype="int8"))
    assert (device.type, dtype) == ("cpu", torch.float32)
    device, dtype = longform_format.pick_device_and_format(EngineConfig(device="mps", dtype="fp32"))
    assert (device.type, dtype) == ("mps", torch.float32)


@pytest.mark.parametrize("broken", ["other_weights", "overflowing"])
def test_a_device_that_computes_something_else_is_not_trusted_in_fp32(broken: str) -> None:
    family = Family(longform_format, longform_model)
    assert longform_format.speaks_as_exact(CPU, torch.float32)
    assert not longform_format.speaks_as_exact(CPU, torch.float32, getattr(family, broken))
