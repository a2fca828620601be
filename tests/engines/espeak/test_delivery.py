import pytest

from ttsops.engines.espeak.delivery import to_delivery

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("speed", "words_per_minute", "word_gap"),
    [
        (1.0, 175, 0),
        (2.033, 350, 0),
        (4.0, 702, 0),
        (0.798, 140, 0),
        (0.5, 86, 0),
        (0.473, 80, 0),
        (0.25, 80, 17),
    ],
)
def test_speed_becomes_a_rate_and_below_the_slowest_gaps(
    speed: float, words_per_minute: int, word_gap: int
) -> None:
    delivery = to_delivery("x", speed, 1.0)
    assert (delivery.words_per_minute, delivery.word_gap) == (words_per_minute, word_gap)


def test_faster_is_never_slower() -> None:
    deliveries = [to_delivery("x", speed / 100, 1.0) for speed in range(25, 401)]
    rates = [one.words_per_minute for one in deliveries]
    gaps = [one.word_gap for one in deliveries]
    assert rates == sorted(rates)
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize(("factor", "pitch"), [(0.5, 0), (0.7, 18), (1.0, 50), (1.5, 86), (2.0, 100)])
def test_pitch_and_intonation_move_together(factor: float, pitch: int) -> None:
    delivery = to_delivery("x", 1.0, factor)
    assert (delivery.pitch, delivery.pitch_range) == (pitch, round(50 * factor))
