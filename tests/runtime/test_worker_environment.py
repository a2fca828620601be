"""What a worker process finds in its environment: offline, and threads and memory as set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from runtime.conftest import running, tone_settings
from ttsops.runtime.environment import worker_environment
from ttsops.settings import WorkerSettings


@pytest.mark.unit
def test_nothing_set_leaves_threads_to_the_library() -> None:
    assert worker_environment(WorkerSettings(), {}) == {"HF_HUB_OFFLINE": "1"}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("settings", "env", "expected"),
    [
        (WorkerSettings(), {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
        (WorkerSettings(wait_policy="passive"), {}, {"OMP_WAIT_POLICY": "PASSIVE"}),
        (WorkerSettings(wait_policy="active"), {"OMP_WAIT_POLICY": "x"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
        (WorkerSettings(), {"OMP_NUM_THREADS": "7"}, {"OMP_NUM_THREADS": "7"}),
        (WorkerSettings(threads=3), {"OMP_NUM_THREADS": "7"}, {"OMP_NUM_THREADS": "3"}),
        (WorkerSettings(), {"HF_HUB_OFFLINE": "0"}, {"HF_HUB_OFFLINE": "1"}),
        (
            WorkerSettings(mps_high_watermark_ratio=1.5),
            {},
            {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "1.5"},
        ),
        (
            WorkerSettings(mps_high_watermark_ratio=0),
            {},
            {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0"},
        ),
        (
            WorkerSettings(mps_high_watermark_ratio=0.8),
            {},
            {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.8", "PYTORCH_MPS_LOW_WATERMARK_RATIO": "0.8"},
        ),
    ],
)
def test_settings_go_before_the_environment(
    settings: WorkerSettings, env: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    found = worker_environment(settings, env)
    expected = {"HF_HUB_OFFLINE": "1", **expected}
    assert found == expected


def environment_of(pid: int | None) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")


@pytest.mark.server
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="NOT TESTED: this system has no /proc")
async def test_a_real_worker_has_it_and_this_process_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    worker = WorkerSettings(threads=2, mps_high_watermark_ratio=0.5)
    async with running(msgspec.structs.replace(tone_settings(), worker=worker)) as runtime:
        lines = environment_of(runtime.service().worker_pid)
    for line in ("HF_HUB_OFFLINE=1", "OMP_NUM_THREADS=2", "PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.5"):
        assert line in lines
    assert "HF_HUB_OFFLINE" not in os.environ
    assert os.environ["OMP_NUM_THREADS"] == "5"
