"""The simulation and real servers under the same traffic come to the same figures."""

from __future__ import annotations

import pytest
from benchmarks.capacity.check import SCENES, TOLERATED, compare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.mark.parametrize("name", SCENES)
def test_real_servers_do_what_was_simulated(name: str) -> None:
    found = compare(SCENES[name], duration_seconds=25.0, seed=2)
    assert found["latest_send_seconds"] < 0.2, "the client was the bottleneck"
    assert found["real_audio_seconds"] == pytest.approx(found["wanted_audio_seconds"], rel=0.01)
    assert found["simulated"]["first_audio_p95"] > 0.3, "there is something to agree on"
    for figure, limit in TOLERATED.items():
        assert abs(found["apart"][figure]) <= limit, (figure, found)
