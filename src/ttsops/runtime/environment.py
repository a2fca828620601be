"""The environment of a worker process: nothing is downloaded there, and its threads and memory are as set.

Libraries read these when they are loaded, so they are given to the new process and not set in a running one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ttsops.models.hub import OFFLINE
from ttsops.settings import WorkerSettings

THREADS = "OMP_NUM_THREADS"
WAIT_POLICY = "OMP_WAIT_POLICY"
MPS_HIGH, MPS_LOW = "PYTORCH_MPS_HIGH_WATERMARK_RATIO", "PYTORCH_MPS_LOW_WATERMARK_RATIO"
MPS_LOW_DEFAULT = 1.4
"""PyTorch's, which refuses a high mark below the low one: https://docs.pytorch.org/docs/stable/notes/mps.html"""


def worker_environment(settings: WorkerSettings, env: Mapping[str, str]) -> dict[str, str]:
    """`env` as a worker gets it; what the settings say goes before what is there."""
    changed = {**env, OFFLINE: "1"}
    if settings.threads is not None:
        changed[THREADS] = str(settings.threads)
    if settings.wait_policy:
        changed[WAIT_POLICY] = settings.wait_policy.upper()
    ratio = settings.mps_high_watermark_ratio
    if ratio is not None:
        changed[MPS_HIGH] = f"{ratio:g}"
        if 0 < ratio < float(env.get(MPS_LOW) or MPS_LOW_DEFAULT):
            changed[MPS_LOW] = f"{ratio:g}"
    return changed
