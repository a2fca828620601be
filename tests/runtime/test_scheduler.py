import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.runtime.scheduler import FILE_PATIENCE_SECONDS, Turn, pick

pytestmark = pytest.mark.unit


def live(now: float = 0.0, window: float = 8.0) -> Turn:
    return Turn(now, is_live=True, window_seconds=window)


def file_job(now: float = 0.0) -> Turn:
    return Turn(now, is_live=False, window_seconds=60.0)


def test_a_listener_with_seconds_in_hand_yields_to_one_who_has_heard_nothing() -> None:
    rich, new = live(), live()
    rich.stepped(0.0, 4.0)
    assert pick([rich, new], 0.1, max_batch=1) == [new]


def test_the_comfortable_stay_out_of_an_urgent_step_even_where_there_is_room() -> None:
    rich, new = live(), live()
    rich.stepped(0.0, 4.0)
    assert pick([rich, new], 0.1, max_batch=8) == [new]


def test_without_urgency_the_batch_is_filled() -> None:
    one, other = live(), live()
    one.stepped(0.0, 1.0)
    other.stepped(0.0, 4.0)
    assert pick([other, one], 0.1, max_batch=8) == [one, other]


def test_new_listeners_are_served_in_order_of_arrival() -> None:
    late, early = live(0.3), live(0.1)
    assert pick([late, early], 0.4, max_batch=1) == [early]


def test_a_file_job_takes_what_is_left() -> None:
    job, listener = file_job(), live()
    job.stepped(0.0, 0.1)
    listener.stepped(0.0, 1.0)
    assert pick([job, listener], 0.5, max_batch=1) == [listener]
    listener.stepped(0.5, 5.0)
    assert pick([job, listener], 0.6, max_batch=1) == [job]


def test_a_file_job_is_not_starved_by_listeners_who_are_never_satisfied() -> None:
    job = file_job()
    job.stepped(0.0, 0.1)
    listeners = [live() for _ in range(4)]
    now, waited = 0.0, 0.0
    while pick([job, *listeners], now, max_batch=1) != [job]:
        chosen = pick([job, *listeners], now, max_batch=1)[0]
        chosen.stepped(now, 0.05)  # overload: every step costs as much as it gives to one of four
        now += 0.05
        waited += 0.05
        assert waited < 4 * FILE_PATIENCE_SECONDS


def test_a_reader_who_does_not_read_is_parked_and_released_by_reading() -> None:
    turn = live(window=1.0)
    turn.stepped(0.0, 1.0)
    assert turn.is_parked
    assert pick([turn], 0.1, max_batch=4) == []
    turn.read(0.5)
    assert pick([turn], 0.1, max_batch=4) == [turn]


def test_a_starved_stream_is_not_stepped_and_its_pause_is_no_debt() -> None:
    starved, other = live(), live()
    starved.waits_for_text = True
    assert pick([starved], 5.0, max_batch=4) == []
    starved.resumed(5.0)
    other.due_at = 4.9
    assert pick([starved, other], 5.0, max_batch=1) == [other]


def test_a_step_without_audio_leaves_a_listeners_deadline_alone() -> None:
    turn = live()
    turn.stepped(0.5, 0.0)
    assert turn.due_at == 0.0


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 20), st.booleans()), max_size=40),
    st.integers(1, 16),
    st.floats(0, 10),
)
def test_a_batch_is_runnable_bounded_unique_and_holds_the_most_urgent(
    rows: list[tuple[bool, float, bool]], max_batch: int, now: float
) -> None:
    turns = []
    for is_live, due_at, waits in rows:
        turn = live() if is_live else file_job()
        turn.due_at, turn.waits_for_text = due_at, waits
        turns.append(turn)
    batch = pick(turns, now, max_batch)
    runnable = [turn for turn in turns if turn.is_runnable]
    assert len(batch) <= max_batch
    assert len({id(turn) for turn in batch}) == len(batch)
    assert all(turn.is_runnable for turn in batch)
    assert bool(batch) == bool(runnable)
    if batch:
        assert batch[0].due_at == min(turn.due_at for turn in runnable)
