"""Log lines as they are really written, against their documented schema."""

import ast
import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ttsops.observe import logs
from ttsops.observe.log_schema import EVENTS, Line, Utterance
from ttsops.observe.reference import logs_page

pytestmark = pytest.mark.unit

SRC = Path(__file__).parents[2] / "src" / "ttsops"
DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, show = root.handlers[:], root.level, warnings.showwarning
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:], warnings.showwarning = handlers, show
    root.setLevel(level)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in lines:
        msgspec.convert(line, Line)
    return lines


def test_an_event_is_one_json_line_with_its_fields(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logs.get_logger("ttsops.test").info("worker_started", engine="espeak", pid=7)
    (line,) = lines_of(stream)
    assert line["event"] == "worker_started"
    assert (line["engine"], line["pid"], line["level"], line["logger"]) == (
        "espeak",
        7,
        "info",
        "ttsops.test",
    )


def test_other_libraries_lines_have_the_same_shape(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 5)
    with warnings.catch_warnings(action="always"):
        logging.captureWarnings(False)
        logs.configure(stream=stream)  # inside: catch_warnings has put its own hook in place
        warnings.warn("old option", UserWarning, stacklevel=1)
    first, second = lines_of(stream)
    assert first["event"] == "Started server process [5]"
    assert second["logger"] == "py.warnings"


def test_a_traceback_stays_on_its_line_and_shows_no_variables(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    spoken = "-".join(["what", "listeners", "hear"])
    try:
        raise ValueError(f"broken after {len(spoken)} characters")
    except ValueError:
        logs.get_logger("ttsops.test").exception("step_failed")
    (line,) = lines_of(stream)
    assert "ValueError: broken after 19 characters" in line["exception"]
    assert spoken not in stream.getvalue()


@pytest.mark.parametrize("format", ["json", "console"])
def test_lines_below_the_level_are_dropped(stream: io.StringIO, format: Any) -> None:
    logs.configure("warning", format, stream=stream)
    log = logs.get_logger("ttsops.test")
    log.info("quiet")
    log.warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_bound_fields_are_on_every_line_inside(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    log = logs.get_logger("ttsops.test")
    with logs.bound(request_id="r1"):
        log.info("inside")
    log.info("outside")
    inside, outside = lines_of(stream)
    assert inside["request_id"] == "r1"
    assert "request_id" not in outside


def test_auto_is_json_when_nobody_watches(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logs.get_logger("ttsops.test").info("started")
    assert stream.getvalue().startswith('{"time":')


def test_a_terminal_gets_colour_unless_it_asks_for_none(stream: io.StringIO) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for env, has_colour in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = Terminal()
        logs.configure(stream=terminal, env=env)
        logs.get_logger("ttsops.test").info("started")
        assert ("\x1b[" in terminal.getvalue()) == has_colour
        assert not terminal.getvalue().startswith("{")


def test_an_utterance_line_matches_its_schema(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    utterance = Utterance(
        request_id="r1",
        route="/v1/audio/speech",
        engine="espeak",
        voice="en-us",
        format="mp3",
        text_chars=11,
        success=True,
        duration_seconds=1.5,
        rtf=0.00234567,
        first_chunk_ms=3.25,
    )
    logs.log_utterance(utterance)
    logs.log_utterance(
        Utterance(
            request_id="r2", engine="e", voice="v", text_chars=3, success=False, error_code="worker_died"
        )
    )
    good, bad = lines_of(stream)
    assert (good["event"], good["level"], bad["level"]) == ("utterance", "info", "warning")
    assert good["rtf"] == 0.0023
    for line in (good, bad):
        fields = {name: value for name, value in line.items() if name not in Line.__struct_fields__}
        assert set(fields) == set(Utterance.__struct_fields__), "every field, on every line"
        msgspec.convert(fields, Utterance)


@pytest.mark.parametrize(
    ("code", "level"),
    [("empty_text", "info"), ("overloaded", "info"), ("cancelled", "info"), ("worker_died", "warning")],
)
def test_a_callers_mistake_is_no_warning(stream: io.StringIO, code: str, level: str) -> None:
    logs.configure(stream=stream)
    logs.log_utterance(
        Utterance(request_id="r", engine="e", voice="v", text_chars=0, success=False, error_code=code)
    )
    assert lines_of(stream)[0]["level"] == level


def logged_events() -> Iterator[tuple[str, ast.Call]]:
    """Every call such as `log.info("keys_reloaded", n_keys=2)` in the package."""
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text()
        if "get_logger" not in text or path.parent.name == "observe":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_log = isinstance(node.func.value, ast.Name) and node.func.value.id in (
                    "log",
                    "_log",
                    "logger",
                )
                if is_log and node.func.attr in (
                    "debug",
                    "info",
                    "warning",
                    "error",
                    "exception",
                    "critical",
                ):
                    yield path.name, node


def test_every_event_of_the_package_is_documented_with_its_fields() -> None:
    found = set()
    for name, call in logged_events():
        event = call.args[0]
        assert isinstance(event, ast.Constant), f"{name}: an event's name is fixed, never built"
        assert len(call.args) == 1, f"{name}: {event.value} takes fields by name"
        assert event.value in EVENTS, f"{name}: `{event.value}` is not in EVENTS"
        fields = {keyword.arg for keyword in call.keywords} - {"exc_info"}
        assert fields == set(EVENTS[event.value][1]), f"{name}: fields of `{event.value}`"
        found.add(event.value)
    assert found == set(EVENTS), "documented, and logged nowhere"


def test_no_field_holds_the_text() -> None:
    assert "text" not in Utterance.__struct_fields__


def test_the_logs_page_is_up_to_date() -> None:
    assert (DOCS / "logs.md").read_text() == logs_page(), "run `make docs`"


def test_a_logger_that_nobody_configured_leaves_stdout_alone() -> None:
    """stdout is data: structlog's own default would print there."""
    code = "from ttsops.observe import logs; logs.get_logger('x').warning('careful', a=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "careful" in done.stderr
