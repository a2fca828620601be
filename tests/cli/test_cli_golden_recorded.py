"""`ttsops golden record`, and what `ttsops golden check` finds in what it made."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

Ttsops = Callable[..., Any]

TONE = 'engine = "tone"\n[engines.tone.options]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded once, by the command itself in a process of its own."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("made") / "golden"
    command = [sys.executable, "-m", "ttsops", "golden", "record", str(folder), "--engine", "tone"]
    subprocess.run([*command, "--engine", "espeak"], check=True, capture_output=True)
    return folder


@pytest.fixture
def recorded(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "recorded"))


def changed(done: Any) -> list[str]:
    return [line.split()[1] for line in done.out.splitlines() if line.startswith("  CHANGED")]


def edit(folder: Path, how: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    tree = json.loads(path.read_text())
    for recording in tree["recordings"]:
        for take in recording["takes"]:
            how(take)
    path.write_text(json.dumps(tree))


def test_what_was_recorded_is_said_again_to_the_last_sample(ttsops: Ttsops, recorded: Path) -> None:
    done = ttsops("golden", "check", recorded)
    assert done.code == 0
    assert "tone, 4 of 4 takes as recorded (exact)" in done.out
    assert "espeak, 4 of 4 takes as recorded (exact)" in done.out


def test_a_take_says_in_full_how_it_was_made(recorded: Path) -> None:
    manifest = json.loads((recorded / "manifest.json").read_text())
    espeak = next(one for one in manifest["recordings"] if one["engine"] == "espeak")
    take = espeak["takes"][1]
    assert take["text"] == "On 3 May 2026, **42 people** paid $7.50 each."
    assert take["control"]["seed"] == 2
    assert take["control"]["language"] == "en-US"
    assert take["control"]["text"]["rules"] >= 1
    assert take["control_hash"].startswith("1-")
    assert {"tts-ops", "numpy", "espeakng_loader"} <= set(espeak["versions"])
    assert take["facts"]["peak_dbfs"] < 0
    assert (recorded / take["file"]).is_file()


def test_a_changed_parameter_fails_and_is_named(ttsops: Ttsops, recorded: Path) -> None:
    Path("ttsops.toml").write_text(TONE + "seconds_per_char = 0.05\n")
    done = ttsops("golden", "check", recorded, "--engine", "tone")
    assert (done.code, changed(done)) == (1, ["setup.seconds_per_char:"])
    assert "setup.seconds_per_char: 0.06, now 0.05" in done.out
    assert "samples" not in done.out, "nothing was spoken"


def test_what_is_not_heard_may_change(ttsops: Ttsops, recorded: Path) -> None:
    Path("ttsops.toml").write_text(TONE + "step_seconds = 0.0001\n")
    assert ttsops("golden", "check", recorded, "--engine", "tone").code == 0


def test_an_added_and_a_lost_parameter_are_named(ttsops: Ttsops, recorded: Path) -> None:
    def without_frequency(take: dict[str, Any]) -> None:
        take["control"]["options"].pop("frequency", None)

    edit(recorded, without_frequency)
    done = ttsops("golden", "check", recorded, "--engine", "tone")
    assert (done.code, changed(done)) == (1, ["options.frequency:"])
    edit(recorded, lambda take: take["wish"]["options"].update(vibrato=1))
    done = ttsops("golden", "check", recorded, "--engine", "tone")
    assert (done.code, changed(done)) == (1, ["options.vibrato:"])


def test_a_parameter_nobody_knows_is_named(ttsops: Ttsops, recorded: Path) -> None:
    edit(recorded, lambda take: take["control"].update(breath=0.5))
    done = ttsops("golden", "check", recorded, "--engine", "espeak")
    assert (done.code, changed(done)) == (1, ["breath:"])


def test_a_newer_schema_is_not_taken_for_this_one(ttsops: Ttsops, recorded: Path) -> None:
    edit(recorded, lambda take: take["control"].update(schema=2))
    assert changed(ttsops("golden", "check", recorded, "--engine", "tone")) == ["schema:"]


def test_another_sound_is_found(ttsops: Ttsops, recorded: Path) -> None:
    edit(recorded, lambda take: take.update(samples_sha256="0" * 64))
    done = ttsops("golden", "check", recorded, "--json")
    checks = {one["engine"]: one for one in json.loads(done.out)}
    assert done.code == 1
    assert not any(take["ok"] for one in checks.values() for take in one["takes"])


def test_a_damaged_file_and_a_manifest_changed_by_hand_are_found(ttsops: Ttsops, recorded: Path) -> None:
    wav = recorded / "tone" / "t01.wav"
    wav.write_bytes(wav.read_bytes()[:-2] + b"zz")
    done = ttsops("golden", "check", recorded, "--engine", "tone")
    assert (done.code, "FAILED t01: `tone/t01.wav` is not the file that was recorded" in done.out) == (
        1,
        True,
    )
    edit(recorded, lambda take: take.update(control_hash="1-0000000000000000"))
    done = ttsops("golden", "check", recorded, "--engine", "espeak")
    assert (done.code, "changed by hand" in done.out) == (1, True)


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "a/b/c.wav"])
def test_a_manifest_that_names_other_files_is_refused(ttsops: Ttsops, recorded: Path, file: str) -> None:
    edit(recorded, lambda take: take.update(file=file))
    done = ttsops("golden", "check", recorded)
    assert (done.code, "not below its folder" in done.err) == (2, True)


def test_a_recording_is_replaced_only_when_asked(ttsops: Ttsops, recorded: Path) -> None:
    refused = ttsops("golden", "record", recorded, "--engine", "tone")
    assert (refused.code, "--replace" in refused.err) == (2, True)
    assert (recorded / "espeak" / "t01.wav").is_file()
    assert ttsops("golden", "record", recorded, "--engine", "tone", "--replace").code == 0
    assert not (recorded / "espeak").exists()
    assert [path.name for path in recorded.parent.iterdir() if path.name.startswith(".")] == []


def test_a_folder_with_something_else_is_left_alone(ttsops: Ttsops) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("Dear Sir")
    done = ttsops("golden", "record", "mine", "--engine", "tone", "--replace")
    assert (done.code, Path("mine/letter.txt").read_text()) == (2, "Dear Sir")


def test_an_engine_that_fails_leaves_nothing(ttsops: Ttsops) -> None:
    Path("ttsops.toml").write_text(TONE + "fail_after_steps = 60\n")
    done = ttsops("golden", "record", "golden", "--json")
    assert (done.code, done.out) == (3, "")
    assert [path.name for path in Path().iterdir()] == ["ttsops.toml"]


def test_own_texts_are_recorded_and_an_empty_file_is_refused(ttsops: Ttsops) -> None:
    Path("texts.txt").write_text("One.\n\nTwo.\n")
    done = ttsops("golden", "record", "golden", "--engine", "tone", "--texts", "texts.txt", "--json")
    (recording,) = json.loads(done.out)["recordings"]
    assert [take["text"] for take in recording["takes"]] == ["One.", "Two.", "One."]
    Path("texts.txt").write_text("\n")
    assert ttsops("golden", "record", "other", "--engine", "tone", "--texts", "texts.txt").code == 2


@pytest.mark.parametrize("engine", ["f5", pytest.param("vibevoice-realtime", marks=pytest.mark.slow)])
def test_random_weights_are_named_and_another_size_is_another_parameter(ttsops: Ttsops, engine: str) -> None:
    words = ("--engine", engine, "--random-weights", "small")
    Path("ttsops.toml").write_text(
        f'engine = "{engine}"\n[engines.{engine}]\ndevice = "cpu"\nmax_streams = 2\n'
        f"[engines.{engine}.options]\nthreads = 1\n"
    )
    Path("texts.txt").write_text("Good morning to all of you.\n")
    done = ttsops("golden", "record", "golden", *words, "--texts", "texts.txt")
    assert (done.code, "random weights of a small model" in done.err) == (0, True)
    done = ttsops("golden", "check", "golden", *words)
    assert (done.code, "as recorded (close)" in done.out) == (0, True)
    with Path("ttsops.toml").open("a") as settings:
        settings.write("random_seed = 1\n")
    done = ttsops("golden", "check", "golden", *words)
    assert (done.code, changed(done)) == (1, ["setup.random_seed:"])
