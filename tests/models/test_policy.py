"""What runs where, and what is refused: every rule from both sides."""

from __future__ import annotations

import pytest

from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.policy import (
    BYTES,
    check_half,
    check_memory,
    choose_device,
    choose_dtype,
    dtypes_of,
)

pytestmark = pytest.mark.unit

GIB = 2**30


@pytest.mark.parametrize(
    ("n_cuda", "has_mps", "expected", "reason"),
    [
        (2, True, "cuda:0", "it is here"),
        (0, True, "mps", "there is no cuda"),
        (0, False, "cpu", "there is no cuda and no mps"),
    ],
)
def test_auto_takes_the_best_and_says_why(n_cuda: int, has_mps: bool, expected: str, reason: str) -> None:
    choice = choose_device("auto", n_cuda=n_cuda, has_mps=has_mps)
    assert choice.value == expected
    assert reason in choice.reason


def test_8_bit_weights_go_to_the_cpu_unless_a_device_is_named() -> None:
    assert choose_device("auto", n_cuda=1, has_mps=True, dtype="int8").value == "cpu"
    assert choose_device("cuda:0", n_cuda=1, has_mps=False, dtype="int8").value == "cuda:0"


@pytest.mark.parametrize("wanted", ["cpu", "cuda", "cuda:1"])
def test_a_device_that_is_set_is_taken_as_it_is(wanted: str) -> None:
    assert choose_device(wanted, n_cuda=2, has_mps=False).value == wanted


@pytest.mark.parametrize("wanted", ["mps", "cuda:2"])
def test_a_device_that_is_not_here_is_refused(wanted: str) -> None:
    with pytest.raises(EngineUnavailable, match=wanted):
        choose_device(wanted, n_cuda=2, has_mps=False)


@pytest.mark.parametrize("wanted", ["toaster", "cuda:x", "cpu:1", "cuda:-1", ""])
def test_what_is_no_device_is_a_wrong_setting(wanted: str) -> None:
    with pytest.raises(ConfigError):
        choose_device(wanted, n_cuda=2, has_mps=False)


@pytest.mark.parametrize(
    ("model", "device", "expected"),
    [
        ("1.5B", "cpu", "fp32"),
        ("7B", "mps", "fp16"),
        ("7B", "cuda", "bf16"),
        ("realtime", "cuda", "bf16"),
        ("f5", "cuda", "fp16"),
        ("f5", "mps", "fp32"),
        ("nobody's", "cuda", "bf16"),
    ],
)
def test_each_model_has_its_number_format(model: str, device: str, expected: str) -> None:
    assert choose_dtype("auto", device, dtypes_of(model)).value == expected
    assert choose_dtype("fp32", device, dtypes_of(model)).value == "fp32", "and may be given another"


def test_eight_bits_are_for_a_cpu() -> None:
    assert choose_dtype("int8", "cpu").value == "int8"
    for wanted, device in (("int8", "cuda"), ("int8", "mps"), ("fp7", "cpu")):
        with pytest.raises(ConfigError, match=wanted):
            choose_dtype(wanted, device)


def test_half_precision_that_a_processor_emulates_is_refused() -> None:
    has = {"avx512f", "avx512_bf16"}
    check_half("bf16", "cpu", has)
    check_half("fp16", "cpu", set())  # nothing is known of this processor
    check_half("fp16", "cuda", has)
    check_half("fp32", "cpu", has)
    with pytest.raises(ConfigError, match="fp16") as caught:
        check_half("fp16", "cpu", has)
    assert "int8" in (caught.value.hint or "")


@pytest.mark.parametrize("dtype", BYTES)
def test_weights_that_do_not_fit_are_refused_with_both_figures(dtype: str) -> None:
    needed = GIB * BYTES[dtype]
    check_memory(GIB, dtype, "cpu", needed)
    with pytest.raises(EngineUnavailable, match=rf"need {BYTES[dtype]}\.0 GiB in {dtype}, and"):
        check_memory(GIB, dtype, "cpu", needed - 1)
