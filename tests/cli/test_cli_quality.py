"""`ttsops quality`: a sweep, its table, JSON, plot and page; scores; listening; what listeners said."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from ops.quality.test_ratings import rating
from ttsops.cli.app import app
from ttsops.ops.quality.ratings import append_rating

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]

SMALL = "neither its speed nor its speech is that of the published one"
DOCS = Path(__file__).parents[2] / "docs" / "operate" / "quality.md"


@pytest.fixture(autouse=True)
def without_dnsmos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the package, whether it has it or not: its models take half a minute to load."""
    monkeypatch.setitem(sys.modules, "speechmos", None)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("Hello there.\nIt is 5 o'clock.\n")
    return path


@pytest.fixture
def swept(ttsops: Ttsops, texts: Path) -> Any:
    words = ("--option", "frequency=300,600", "--texts", texts, "--language", "en", "--seeds", "1,2")
    return ttsops("quality", "sweep", "--engine", "tone", *words, "--no-scores", "--out", "sweep")


def test_a_sweep_leaves_takes_a_table_a_plot_and_a_page(swept: Any) -> None:
    assert swept.code == 0
    rows = [line.split()[0] for line in swept.out.splitlines() if line.startswith("frequency-")]
    assert rows == ["frequency-300", "frequency-600"]
    assert "random" not in swept.out + swept.err
    assert len(list(Path("sweep").glob("frequency-*/t0[12]-[12].wav"))) == 8
    assert Path("sweep/speed_against_quality.svg").read_text().startswith("<?xml")
    assert b"t01, seed 1" in Path("sweep/listen.html").read_bytes()
    manifest = json.loads(Path("sweep/manifest.json").read_text())
    assert manifest["texts"][1] == {
        "id": "t02",
        "text": "It is 5 o'clock.",
        "spoken": "It is five o'clock.",
    }
    assert manifest["reference"] == "frequency-600"


def test_the_same_command_again_makes_nothing_and_reports(swept: Any, ttsops: Ttsops, texts: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("sweep").rglob("*.wav")}
    words = ("--option", "frequency=300", "--texts", texts, "--language", "en", "--reference", "300")
    done = ttsops("quality", "sweep", "--engine", "tone", *words, "--no-scores", "--json", "--out", "sweep")
    assert done.code == 0
    report = json.loads(done.out)
    assert (report["reference"], len(report["takes"])) == ("frequency-300", 8)
    assert {path: path.stat().st_mtime_ns for path in Path("sweep").rglob("*.wav")} == before


def test_random_weights_are_named_in_everything_a_sweep_says(ttsops: Ttsops, texts: Path) -> None:
    settings = Path("small.toml")
    settings.write_text(
        'engine = "vibevoice-realtime"\n[engines.vibevoice-realtime]\ndevice = "cpu"\n'
        "[engines.vibevoice-realtime.options]\nmax_positions = 512\nthreads = 1\n"
    )
    words = ("quality", "sweep", "--config", settings, "--random-weights", "small", "--steps", "1,3")
    done = ttsops(*words, "--texts", texts, "--no-scores", "--out", "sweep")
    assert done.code == 0
    assert SMALL in done.out
    assert SMALL in done.err
    for name in ("manifest.json", "report.json", "speed_against_quality.svg", "listen.html"):
        assert SMALL in Path("sweep", name).read_text(), name
    scored = ttsops("quality", "score", "sweep/steps-1/t01-1.wav", "--no-mos", "--no-words", "--json")
    assert SMALL in scored.err
    assert SMALL in json.loads(scored.out)[0]["note"]
    page = ttsops("quality", "ab", "sweep")
    assert SMALL in page.err
    assert SMALL in Path("listen.html").read_text()


def test_a_take_that_fails_ends_with_1_and_is_named(ttsops: Ttsops, texts: Path) -> None:
    words = ("--option", "fail=false,true", "--texts", texts, "--no-scores", "--out", "sweep")
    done = ttsops("quality", "sweep", "--engine", "tone", *words)
    assert done.code == 1
    assert "fail-true, text t01, seed 1: engine_failed" in done.err
    assert "No listening page" in done.err
    assert "0, 2 failed" in done.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--engine", "tone"), 2, "nothing to sweep"),
        (("--engine", "tone", "--nfe", "7,32"), 2, "no option `nfe`"),
        (("--engine", "vibevoice-realtime", "--steps", "3,99"), 2, "must be 1 to 20"),
        (("--engine", "nobody", "--nfe", "7"), 2, "no engine named"),
        (("--engine", "tone", "--option", "frequency"), 2, "NAME=VALUE"),
        (("--engine", "tone", "--option", "frequency=300", "--seeds", "a"), 2, "whole numbers"),
        (("--engine", "tone", "--option", "frequency=300", "--reference", "7"), 2, "names no setting"),
        (("--engine", "tone", "--option", "frequency=300", "--texts", "nowhere.txt"), 2, "cannot read"),
        (("--engine", "vibevoice-realtime", "--steps", "3"), 3, "model"),
    ],
)
def test_what_cannot_be_swept_is_refused_and_leaves_nothing(
    ttsops: Ttsops, words: tuple[str, ...], code: int, told: str
) -> None:
    done = ttsops("quality", "sweep", *words, "--out", "sweep")
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert not Path("sweep").exists()


def test_without_the_extra_a_score_says_how_to_install_it(ttsops: Ttsops, swept: Any) -> None:
    done = ttsops("quality", "score", "sweep/frequency-300/t01-1.wav")
    assert (done.code, done.out) == (3, "")
    assert "needs the package `speechmos`" in done.err
    assert "pip install 'tts-ops[quality]'" in done.err


def test_words_are_scored_against_the_text_given_or_that_of_the_sweep(ttsops: Ttsops, swept: Any) -> None:
    assert ttsops("say", "The next train leaves from platform nine.", "--out", "train.wav").code == 0
    words = ("quality", "score", "train.wav", "--no-mos", "--json", "--text")
    right = json.loads(ttsops(*words, "The next train leaves from platform 9.").out)[0]
    wrong = json.loads(ttsops(*words, "Bread needs flour and water.").out)[0]
    assert right["text"] == "The next train leaves from platform nine."
    assert right["score"]["words"]["wer"] < 0.5 < wrong["score"]["words"]["wer"]
    take = json.loads(ttsops("quality", "score", "sweep/frequency-300/t02-1.wav", "--no-mos", "--json").out)[
        0
    ]
    assert take["text"] == "It is five o'clock."
    assert take["score"]["words"]["said"] == 4
    alone = json.loads(ttsops("quality", "score", "train.wav", "--no-mos", "--json").out)[0]
    assert alone["score"]["words"] is None


def test_a_score_of_a_sweep_s_folder_is_that_of_its_takes(ttsops: Ttsops, swept: Any) -> None:
    done = ttsops("quality", "score", "sweep", "--no-mos", "--no-words")
    assert sum("frequency-" in line for line in done.out.splitlines()) == 8


def test_a_broken_recording_ends_with_1(ttsops: Ttsops) -> None:
    import numpy as np

    from ttsops.audio import Format, create_encoder

    encoder = create_encoder(Format.WAV)
    samples = np.clip(2 * np.sin(np.arange(24_000) / 20), -1, 1).astype(np.float32)
    samples[5_000:6_000] = 0
    Path("broken.wav").write_bytes(encoder.encode(samples) + encoder.finish())
    done = ttsops("quality", "score", "broken.wav", "--no-mos")
    assert done.code == 1
    assert "1 dropouts, 42 ms in all, the first at 0.21 s" in done.out
    assert "clipped" in done.out
    assert ttsops("quality", "score", "nowhere.wav", "--no-mos").code == 1


def test_two_folders_become_a_page(ttsops: Ttsops, swept: Any) -> None:
    words = ("quality", "ab", "sweep/frequency-300", "sweep/frequency-600")
    done = ttsops(*words, "--pairs", "3")
    assert done.code == 0
    assert "`listen.html`: 3 pairs" in done.err
    assert ttsops(*words, "--out", "nowhere").code == 2
    assert ttsops("quality", "ab", "sweep/frequency-300").code == 2
    assert ttsops("quality", "ab", "a", "b", "c").code == 2


def test_ratings_are_summed_up(ttsops: Ttsops) -> None:
    for number in range(6):
        append_rating(Path("r.jsonl"), rating(pair=f"p{number}", note="random weights: noise"))
    done = ttsops("quality", "ratings", "r.jsonl")
    assert done.code == 0
    assert "6 pairs rated by 1 listeners" in done.out
    assert "random weights: noise" in done.out
    assert re.search(r"nfe-32 +6 +5\.00 +5\.00 to 5\.00", done.out)
    assert re.search(r"nfe-32 +6 +0 +0 +nfe-7 +0\.031", done.out)
    facts = json.loads(ttsops("quality", "ratings", "r.jsonl", "--json").out)
    assert facts["duels"][0]["p"] == 2 / 64
    Path("empty.jsonl").write_text("")
    assert ttsops("quality", "ratings", "empty.jsonl").code == 2


def test_every_command_of_the_guide_parses() -> None:
    commands = [
        line
        for block in re.findall(r"```bash\n(.*?)```", DOCS.read_text(), re.DOTALL)
        for line in block.splitlines()
    ]
    typed = [shlex.split(line, comments=True) for line in commands if line.startswith("ttsops quality ")]
    assert {words[2] for words in typed} == {"sweep", "score", "ab", "ratings"}
    quality = app.get_command(click.Context(app), "quality")
    assert isinstance(quality, click.Group)
    for words in typed:
        quality.commands[words[2]].make_context(words[2], words[3:])
