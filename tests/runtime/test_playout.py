import pytest

from ttsops.runtime.playout import Playout

pytestmark = pytest.mark.unit


def test_audio_in_time_never_stalls() -> None:
    player = Playout()
    assert [player.heard(now, 1.0) for now in (10.0, 10.9, 11.5, 12.0)] == [0, 0, 0, 0]
    assert player.heard(14.5, 1.0) == pytest.approx(0.5), "four seconds were in hand at 10 s"


def test_late_audio_stalls_by_what_the_listener_missed() -> None:
    player = Playout()
    player.heard(0.0, 1.0)
    assert player.heard(1.3, 1.0) == pytest.approx(0.3)
    assert player.heard(2.3, 1.0) == 0.0, "playing goes on where it stopped"


def test_a_pause_because_text_came_late_is_not_our_underrun() -> None:
    player = Playout()
    player.heard(0.0, 1.0)
    assert player.heard(9.0, 1.0, is_late_text=True) == 0.0
    assert player.heard(9.5, 1.0) == 0.0


def test_waiting_for_the_first_sound_is_no_stall() -> None:
    assert Playout().heard(5.0, 1.0) == 0.0


def test_what_is_in_hand_is_played_down() -> None:
    player = Playout()
    assert player.buffered_seconds(5.0) == 0.0
    player.heard(10.0, 2.0)
    assert [player.buffered_seconds(now) for now in (10.5, 13.0)] == [1.5, 0.0]
