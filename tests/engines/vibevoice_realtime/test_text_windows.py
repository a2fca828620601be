from __future__ import annotations

import pytest

from ttsops.engines.vibevoice_realtime.windows import SPEECH_WINDOW, TextWindows

pytestmark = pytest.mark.unit


def windows_of(n_ids: int, n_windows: int) -> list[tuple[int, ...]]:
    """What is read before each of `n_windows` windows of frames."""
    windows = TextWindows()
    windows.feed(range(n_ids))
    windows.end()
    read = []
    for frame in range(n_windows * SPEECH_WINDOW):
        assert not windows.is_starved
        ids = windows.take()
        if frame % SPEECH_WINDOW == 0:
            read.append(ids)
        else:
            assert not ids, "text is read only before a window"
        windows.next_frame()
    return read


@pytest.mark.parametrize(
    ("n_ids", "sizes"),
    [
        (1, [1, 0, 0]),
        (4, [4, 0, 0]),
        (5, [5, 0, 0]),
        (6, [5, 1, 0]),
        (10, [5, 5, 0]),
        (23, [5, 5, 5, 5, 3, 0]),
    ],
)
def test_windows_have_five_ids_but_the_last(n_ids: int, sizes: list[int]) -> None:
    read = windows_of(n_ids, len(sizes))
    assert [len(ids) for ids in read] == sizes
    assert [one for ids in read for one in ids] == list(range(n_ids))


def test_a_window_that_is_not_full_waits_for_more_ids_or_the_end() -> None:
    windows = TextWindows()
    assert windows.is_starved
    windows.feed([1, 2, 3, 4])
    assert windows.is_starved
    windows.feed([5])
    assert not windows.is_starved
    assert windows.peek() == (1, 2, 3, 4, 5)


def test_the_end_makes_a_short_window_complete() -> None:
    windows = TextWindows()
    windows.feed([1, 2])
    windows.end()
    assert not windows.is_starved
    assert windows.take() == (1, 2)


def test_frames_within_a_window_never_wait_for_text() -> None:
    windows = TextWindows()
    windows.feed(range(5))
    windows.take()
    for _ in range(SPEECH_WINDOW - 1):
        windows.next_frame()
        assert not windows.is_starved
        assert windows.take() == ()
    windows.next_frame()
    assert windows.is_starved, "the next window has no text yet"


def test_all_is_read_only_when_the_text_has_ended() -> None:
    windows = TextWindows()
    windows.feed(range(5))
    windows.take()
    assert not windows.is_all_read, "more may come"
    windows.end()
    assert windows.is_all_read
    assert windows.n_read == 5


def test_text_that_arrives_during_a_window_waits_for_the_next() -> None:
    windows = TextWindows()
    windows.feed(range(5))
    windows.take()
    windows.next_frame()
    windows.feed(range(5, 10))
    assert windows.take() == ()
    for _ in range(SPEECH_WINDOW - 1):
        windows.next_frame()
    assert windows.take() == (5, 6, 7, 8, 9)
