"""The end of a log, without what was spoken."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ttsops.errors import InvalidValue
from ttsops.observe import logs
from ttsops.observe.log_schema import Utterance
from ttsops.ops.diag import read_tail
from ttsops.ops.diag.log_tail import LEFT_OUT, MAX_LINES

pytestmark = pytest.mark.unit

SPOKEN = "the quarterly figures are bad and nobody may know"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program itself writes, as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def tail(path: Path, text: str) -> tuple[list[dict[str, Any]], int]:
    path.write_text(text)
    found = read_tail(path)
    return list(found.lines), found.n_left_out


def test_the_line_of_an_utterance_is_kept_whole(log: io.StringIO, tmp_path: Path) -> None:
    logs.log_utterance(Utterance(request_id="r1", engine="tone", voice="low", text_chars=12, success=True))
    (line,), n_left_out = tail(tmp_path / "log", log.getvalue())
    assert line == json.loads(log.getvalue())
    assert n_left_out == 0


def test_text_in_any_other_place_is_left_out(log: io.StringIO, tmp_path: Path) -> None:
    logger = logs.get_logger("ttsops.somewhere")
    logger.warning("worker_down", engine="f5", reason=f"cannot speak `{SPOKEN}`", text=SPOKEN, n_streams=1)
    logging.getLogger("other.library").warning("said: %s", SPOKEN)
    try:
        raise ValueError(SPOKEN)
    except ValueError as error:
        logger.error("engine_bug", error="ValueError", exc_info=error)
    text = log.getvalue()
    assert text.count(SPOKEN) >= 4
    lines, _ = tail(tmp_path / "log", text)
    assert SPOKEN not in json.dumps(lines)
    assert lines[0]["reason"] == f"cannot speak {LEFT_OUT}"
    assert lines[1]["event"] == LEFT_OUT
    assert "test_log_tail.py" in lines[2]["frames"][0]


def test_names_that_an_error_quotes_are_kept(log: io.StringIO, tmp_path: Path) -> None:
    logs.get_logger("a").warning("worker_down", engine="f5", reason="needs the module `torch`, not here")
    (line,), _ = tail(tmp_path / "log", log.getvalue())
    assert line["reason"] == "needs the module `torch`, not here"


def test_secrets_are_taken_out(tmp_path: Path) -> None:
    line = {"event": "worker_down", "reason": "401 for hf_AbCdEfGhIjKlMnOpQr", "engine": "f5"}
    (found,), _ = tail(tmp_path / "log", json.dumps(line))
    assert found["reason"] == "401 for ***"


@pytest.mark.parametrize("line", [SPOKEN, "[1, 2]", '{"event": 3}', '{"no": "event"}', "{broken", "\x00\xff"])
def test_a_line_of_another_kind_is_left_out_and_counted(tmp_path: Path, line: str) -> None:
    assert tail(tmp_path / "log", line) == ([], 1)


def test_only_the_end_is_read(tmp_path: Path) -> None:
    lines = [json.dumps({"event": "draining", "limit_seconds": number}) for number in range(3 * MAX_LINES)]
    found, _ = tail(tmp_path / "log", "\n".join(lines))
    assert len(found) == MAX_LINES
    assert found[-1]["limit_seconds"] == 3 * MAX_LINES - 1


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot read the log"):
        read_tail(tmp_path / "none")
