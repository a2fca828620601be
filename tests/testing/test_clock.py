import pytest

from ttsops.testing import VirtualClock

pytestmark = pytest.mark.unit


def test_time_passes_only_when_told_to() -> None:
    clock = VirtualClock(10.0)
    assert clock() == clock() == 10.0
    clock.advance(1.5)
    clock.sleep(0.5)
    clock.sleep(-1.0)
    assert clock() == 12.0


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        VirtualClock().advance(-0.1)
