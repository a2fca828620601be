"""GPU figures, with a driver that is played."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from ttsops.observe import metrics
from ttsops.observe.gpu import GpuReader, GpuSample, gpu_names

pytestmark = pytest.mark.unit


class FakeNvml:
    """The part of `pynvml` that is used; handles are indices."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, has_driver: bool = True, n_devices: int = 2) -> None:
        self.has_driver = has_driver
        self.n_devices = n_devices
        self.lost: set[int] = set()
        self.mig: set[int] = set()
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        self.opened += 1
        if not self.has_driver:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        if not self.has_driver:
            raise self.NVMLError("Driver Not Loaded")
        return self.n_devices

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index in self.lost:
            raise self.NVMLError("GPU is lost")
        return index

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        if handle in self.mig:
            raise self.NVMLError("Not Supported")
        return SimpleNamespace(gpu=40 + handle, memory=1)

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return f"Device {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(used=1000 + handle, total=2000, free=0)


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


def test_every_device_is_read(nvml: FakeNvml) -> None:
    assert GpuReader().read() == [GpuSample("0", 40.0, 1000), GpuSample("1", 41.0, 1001)]


def test_the_driver_stays_open_between_readings(nvml: FakeNvml) -> None:
    reader = GpuReader()
    reader.read()
    reader.read()
    assert nvml.opened == 1


def test_a_lost_device_does_not_hide_the_others(nvml: FakeNvml) -> None:
    nvml.lost = {0}
    assert [s.index for s in GpuReader().read()] == ["1"]


def test_a_mig_slice_still_shows_its_memory(nvml: FakeNvml) -> None:
    nvml.mig = {1}
    assert GpuReader().read()[1] == GpuSample("1", None, 1001)


def test_a_driver_that_goes_and_comes_back_is_opened_again(nvml: FakeNvml) -> None:
    reader = GpuReader()
    nvml.has_driver = False
    assert reader.read() == []
    nvml.has_driver = True
    assert len(reader.read()) == 2
    nvml.has_driver = False
    assert reader.read() == []
    nvml.has_driver = True
    assert len(reader.read()) == 2


def test_without_nvml_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert GpuReader().read() == []


def test_a_scrape_asks_the_driver_and_forgets_devices_that_left(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_gpu_reader", GpuReader())
    nvml.mig = {1}
    text = metrics.render()[0].decode()
    assert 'tts_gpu_utilization_percent{gpu="0"} 40.0' in text
    assert 'tts_gpu_utilization_percent{gpu="1"}' not in text
    assert 'tts_gpu_memory_used_bytes{gpu="1"} 1001.0' in text
    nvml.n_devices = 0
    assert "tts_gpu_memory_used_bytes{" not in metrics.render()[0].decode()


def test_devices_are_called_as_the_driver_calls_them(nvml: FakeNvml) -> None:
    assert gpu_names() == ["Device 0", "Device 1"]
    nvml.lost.add(1)
    assert gpu_names() == []
    nvml.has_driver = False
    assert gpu_names() == []
