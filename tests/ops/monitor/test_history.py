"""The history: whole lines, whatever happens."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.monitor.runs import SUBJECT, run
from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.monitor import append_run, comparable, read_history

pytestmark = pytest.mark.unit


def test_what_was_added_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "monitor.jsonl"
    runs = [run(rtf_best=0.1 + number / 100) for number in range(3)]
    for one in runs:
        append_run(path, one)
    history = read_history(path)
    assert (list(history.runs), history.damaged) == (runs, ())
    assert len(path.read_text().splitlines()) == 3


def test_no_file_is_an_empty_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "none.jsonl").runs == ()


def test_a_torn_last_line_is_told_and_the_next_run_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "monitor.jsonl"
    append_run(path, run())
    append_run(path, run(rtf_best=0.2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    torn = read_history(path)
    assert ([one.figures.rtf_best for one in torn.runs], torn.damaged) == ([0.1], (2,))
    append_run(path, run(rtf_best=0.3))
    mended = read_history(path)
    assert ([one.figures.rtf_best for one in mended.runs], mended.damaged) == ([0.1, 0.3], (2,))


@pytest.mark.parametrize("line", [b"{}", b"\xff\xfe", b"null", b'{"format": 99}'])
def test_a_line_that_is_no_run_is_told_by_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "monitor.jsonl"
    append_run(path, run())
    path.write_bytes(line + b"\n\n" + path.read_bytes())
    history = read_history(path)
    assert (len(history.runs), history.damaged) == (1, (1,))


def test_processes_that_write_at_the_same_time_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "monitor.jsonl"
    code = (
        "import sys; from pathlib import Path; from ops.monitor.runs import run\n"
        "from ttsops.ops.monitor import append_run\n"
        "for _ in range(20): append_run(Path(sys.argv[1]), run())"
    )
    tests = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r})\n{code}", str(path)]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [one.wait(60) for one in writers] == [0, 0, 0]
    history = read_history(path)
    assert (len(history.runs), history.damaged) == (60, ())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot write the history"):
        append_run(Path("/dev/full"), run())


def test_a_folder_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot read the history"):
        read_history(tmp_path)
    with pytest.raises(AudioError, match="cannot write the history"):
        append_run(tmp_path, run())


def test_only_good_runs_of_the_same_machine_and_set_up_are_compared_with() -> None:
    good = [run(rtf_best=0.1 + number / 100) for number in range(4)]
    others = [run(engine="espeak"), run(setup_hash="t"), run(word="regression")]
    assert comparable([good[0], *others, *good[1:]], SUBJECT, 3) == tuple(good[1:])


def test_a_new_baseline_hides_what_was_before() -> None:
    fresh = run(is_new_baseline=True, rtf_best=0.5)
    assert comparable([run(), run(), fresh, run(rtf_best=0.6)], SUBJECT, 10) == (fresh, run(rtf_best=0.6))
