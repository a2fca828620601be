from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest
import torch

from ttsops.engines.contract import EngineConfig
from ttsops.engines.nn.devices import check_memory, free_bytes, pick_device, pick_dtype, pick_layer
from ttsops.engines.nn.linear import Linear
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
        ("int8", "cpu", torch.float32),
    ],
)
def test_number_formats(wanted: str, device: str, expected: torch.dtype) -> None:
    assert pick_dtype(EngineConfig(dtype=wanted), torch.device(device)) == expected


def test_an_unknown_number_format_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="fp7"):
        pick_dtype(EngineConfig(dtype="fp7"), torch.device("cpu"))


def test_eight_bit_weights_are_for_a_cpu() -> None:
    with pytest.raises(ConfigError, match="int8"):
        pick_dtype(EngineConfig(dtype="int8"), torch.device("cuda"))


def test_int8_rounds_the_weights_and_fp32_does_not() -> None:
    """The largest layers are read once a frame: eight bits are a quarter of the memory they come from."""
    cpu = torch.device("cpu")
    weight, x = torch.randn(1024, 1024) / 32, torch.randn(2, 1024)
    expected = torch.nn.functional.linear(x, weight)
    errors = {}
    for dtype in ("fp32", "int8"):
        layer = pick_layer(EngineConfig(dtype=dtype), cpu, torch.float32)(weight, None)
        errors[dtype] = float((layer(x) - expected).norm() / expected.norm())
    assert errors["fp32"] < 1e-5
    assert 1e-4 < errors["int8"] < 0.02


def test_an_accelerator_keeps_the_plain_layer() -> None:
    assert pick_layer(EngineConfig(), torch.device("cuda"), torch.bfloat16) is Linear


def test_free_memory_is_known() -> None:
    assert free_bytes(torch.device("cpu")) > 0


def test_weights_larger_than_memory_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """The header tells of eight times the memory there is; the file has a hole where its data would be."""
    n_bytes = 8 * psutil.virtual_memory().total // 4096 * 4096
    tensor = {"dtype": "F32", "shape": [n_bytes // 4], "data_offsets": [0, n_bytes]}
    header = json.dumps({"a": tensor}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    try:
        os.truncate(path, 8 + len(header) + n_bytes)
    except OSError as e:
        pytest.skip(f"NOT TESTED: this file system takes no file of {n_bytes} bytes: {e}")
    cpu = torch.device("cpu")
    with pytest.raises(EngineUnavailable, match=f"the weights need {n_bytes / 2**30:.1f} GiB in fp32"):
        check_memory(tmp_path, EngineConfig(), cpu, torch.float32)
    with pytest.raises(EngineUnavailable, match=f"the weights need {n_bytes / 2**32:.1f} GiB in int8"):
        check_memory(tmp_path, EngineConfig(dtype="int8"), cpu, torch.float32)


def test_the_choice_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "ttsops.engines.nn.devices"):
        pick_dtype(EngineConfig(), pick_device(EngineConfig()))
    device, dtype = caplog.messages
    assert "`auto`" in device
    assert "`auto`" in dtype
