"""What a crash leaves of it, and a full disk."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ttsops.batch.journal import FILE, Failed, Journal, Spoken
from ttsops.errors import JobDamaged

pytestmark = pytest.mark.unit


def ended(folder: Path) -> dict[str, Spoken | Failed]:
    with closing(Journal(folder)) as journal:
        return journal.ended


def spoken(name: str) -> Spoken:
    return Spoken(
        line=1,
        id=name,
        digest="d",
        file=f"{name}.wav",
        n_bytes=3,
        audio_seconds=1.5,
        engine="tone",
        voice="low",
    )


def test_what_was_appended_is_read_again_and_the_last_word_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    failed = Failed(line=1, id="a", digest="d", code="no_audio", message="nothing")
    for record in (failed, spoken("b"), spoken("a")):
        journal.append(record)
    journal.close()
    assert ended(tmp_path) == {"a": spoken("a"), "b": spoken("b")}


@pytest.mark.parametrize("n_cut", [1, 10, 80])
def test_a_torn_last_record_is_cut_off(tmp_path: Path, n_cut: int) -> None:
    journal = Journal(tmp_path)
    journal.append(spoken("a"))
    journal.append(spoken("b"))
    journal.close()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-n_cut])
    again = Journal(tmp_path)
    assert list(again.ended) == ["a"]
    again.append(spoken("c"))
    again.close()
    assert list(ended(tmp_path)) == ["a", "c"]


def test_a_damaged_record_is_told_with_its_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(spoken("a"))
    journal.close()
    path = tmp_path / FILE
    path.write_bytes(b'{"type": "poem"}\n' + path.read_bytes())
    with pytest.raises(JobDamaged, match="line 1 is no record"):
        Journal(tmp_path)
