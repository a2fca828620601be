import pytest

from ttsops.runtime.playout import Playout

pytestmark = pytest.mark.unit


def test_audio_in_time_never_stalls() -> None:
    player = Playout()
    assert [player.heard(now, 1.0) for now in (10.0, 10.9, 11.5, 12.0)] == [0, 0, 0, 0]
    assert player.buffered_seconds(12.0) == pytest.approx(2.0)


def test_late_audio_stalls_by_what_the_listener_missed() -> None:
    player = Playout()
    player.heard(0.0, 1.0)
    assert player.heard(1.3, 1.0) == pytest.approx(0.3)
    assert player.buffered_seconds(1.3) == pytest.approx(1.0), "playing goes on where it stopped"


def test_a_pause_because_text_came_late_is_not_our_underrun() -> None:
    player = Playout()
    player.heard(0.0, 1.0)
    assert player.heard(9.0, 1.0, is_late_text=True) == 0.0
    assert player.heard(9.5, 1.0) == 0.0


def test_nothing_is_buffered_before_the_first_sound() -> None:
    assert Playout().buffered_seconds(5.0) == 0.0
