"""`ttsops accept`: a line for each gate, an exit code, JSON and JUnit for those who read no lines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from ttsops.ops.accept import GATES, EngineResult, GateResult, junit_xml

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]


def outcomes(out: str) -> dict[str, str]:
    return {one["gate"]: one["outcome"] for one in json.loads(out)["engines"][0]["gates"]}


def test_a_bare_machine_accepts_espeak(ttsops: Ttsops) -> None:
    Path("texts.txt").write_text("Good morning to all of you.\n")
    assert ttsops("golden", "record", "golden", "--engine", "espeak", "--texts", "texts.txt").code == 0
    done = ttsops("accept", "--golden", "golden")
    assert (done.code, done.out.splitlines()[-1]) == (0, "acceptance: ok")
    lines = [line.split(maxsplit=3) for line in done.out.splitlines()[:-1]]
    assert [line[1] for line in lines] == list(GATES)
    assert {line[1]: line[2] for line in lines} == {
        **dict.fromkeys(GATES, "ok"),
        "models": "skipped",
    }
    assert lines[0][3] == "`espeak` has no weights"


def test_the_first_gate_that_fails_ends_it(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text('engine = "tone"\n[engines.tone.options]\nseconds_per_char = 0.02\n')
    done = ttsops("accept", "--json", "--junit", "accept.xml")
    found = outcomes(done.out)
    assert done.code == 1
    assert "acceptance: failed (tone synthesis)" in done.err
    assert (found["ready"], found["synthesis"]) == ("passed", "failed")
    assert {found[gate] for gate in GATES[GATES.index("synthesis") + 1 :]} == {"not_run"}
    suite = Xml.parse("accept.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("tone", "9", "1")
    assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == [
        "synthesis"
    ]


def test_a_changed_parameter_fails_the_golden_gate_by_name(ttsops: Ttsops) -> None:
    assert ttsops("golden", "record", "golden", "--engine", "tone").code == 0
    Path("ttsops.toml").write_text(
        'engine = "tone"\n[accept]\ngolden = "golden"\n[engines.tone.options]\nseconds_per_char = 0.07\n'
    )
    done = ttsops("accept")
    assert done.code == 1
    assert "golden         FAILED   setup.seconds_per_char: 0.06, now 0.07" in done.out
    assert "not run" in done.out


def test_an_engine_that_does_not_load_fails_the_ready_gate(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text('engine = "tone"\n[engines.tone.options]\nfail_to_load = true\n')
    done = ttsops("accept", "--keep-going", "--json")
    found = outcomes(done.out)
    assert (done.code, found["ready"], found["disk_full"]) == (1, "failed", "passed")
    assert found["synthesis"] == found["cancellation"] == "skipped"


@pytest.mark.parametrize("engine", [pytest.param("f5", marks=pytest.mark.slow), "vibevoice-realtime"])
def test_random_weights_are_judged_by_all_but_their_words(ttsops: Ttsops, engine: str) -> None:
    Path("ttsops.toml").write_text(
        f'[accept.engines."{engine}@cpu"]\nmax_first_chunk_seconds = 20\nmax_rtf = 20\n'
        "max_cancel_seconds = 9\n"
        f'[engines.{engine}]\ndevice = "cpu"\n[engines.{engine}.options]\nthreads = 1\n'
    )
    done = ttsops("accept", "--engine", engine, "--random-weights", "small", "--json")
    found = outcomes(done.out)
    assert done.code == 0, done.out
    assert (found["models"], found["golden"], found["words"]) == ("skipped",) * 3
    assert found["synthesis"] == found["back_pressure"] == found["cancellation"] == "passed"
    assert "neither its speed nor its speech" in done.err


def test_a_running_server_is_asked_what_does_it_no_harm(ttsops: Ttsops, start_tone: str) -> None:
    done = ttsops("accept", "--engine", "tone", "--url", start_tone, "--json")
    found = outcomes(done.out)
    assert done.code == 0, done.out
    assert {gate for gate, outcome in found.items() if outcome == "passed"} == {
        "ready",
        "synthesis",
        "audio",
        "cancellation",
    }
    done = ttsops("accept", "--engine", "espeak", "--url", start_tone)
    assert (done.code, "does not serve `espeak`" in done.out) == (1, True)


@pytest.fixture
def start_tone() -> Any:
    from server.server_site import serving, tone_settings

    with serving(tone_settings()) as site:
        yield site.url


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--engine", "nobody"), 2), (("--url", "nonsense"), 1), (("--url", "http://127.0.0.1:9"), 1)],
)
def test_what_cannot_be_asked_is_never_ok(ttsops: Ttsops, words: tuple[str, ...], code: int) -> None:
    done = ttsops("accept", *words)
    assert (done.code, "acceptance: ok" in done.out) == (code, False)


def test_nothing_but_skipped_gates_is_not_ok_and_junit_takes_any_text() -> None:
    odd = GateResult("words", "skipped", 'no "ear" <&> \x00\x1b', 0.5)
    result = EngineResult("tone", "cpu", "", (odd,))
    assert not result.is_ok
    case = Xml.fromstring(junit_xml([result])).find("testsuite/testcase/skipped")
    assert case is not None
    assert case.get("message") == 'no "ear" <&> ??'
