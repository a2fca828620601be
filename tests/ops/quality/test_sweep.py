"""A sweep through real engines: what lies in its folder, and what it does when it was interrupted."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from ops.quality.conftest import Sweep, small_realtime, tone
from ttsops.audio import decode_audio
from ttsops.errors import AudioError, InvalidValue, UnknownOption
from ttsops.ops.quality.manifest import FILE, read_manifest
from ttsops.ops.quality.sweep import Plan, Progress
from ttsops.ops.random_weights import NOTES
from ttsops.settings import Settings

pytestmark = pytest.mark.server

PLAN = Plan(axes={"frequency": [300, 600]}, texts=("One.", "Two."), seeds=(1, 2))


def files(folder: Path) -> dict[str, int]:
    """Every take that is there, and when it was written."""
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*.wav")}


def test_every_setting_has_every_text_with_every_seed(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(tone(), PLAN)
    folder = tmp_path / "sweep"
    wanted = {f"frequency-{hz}/t0{t}-{seed}.wav" for hz in (300, 600) for t in (1, 2) for seed in (1, 2)}
    assert set(files(folder)) == wanted == {take.file for take in manifest.takes}
    assert read_manifest(folder) == manifest
    for take in manifest.takes:
        assert hashlib.sha256((folder / take.file).read_bytes()).hexdigest() == take.sha256
        samples, rate = decode_audio(folder / take.file)
        assert take.audio_seconds == len(samples) / rate > 0
    assert manifest.reference == "frequency-600"
    assert {"tts-ops", "python", "numpy"} <= set(manifest.subject.versions)
    assert "GiB" in manifest.subject.machine
    assert [one.text for one in manifest.texts] == ["One.", "Two."]


def test_settings_take_turns_so_that_a_busy_minute_slows_all_of_them(sweep: Sweep) -> None:
    made: list[str] = []
    sweep(tone(), PLAN, lambda progress: made.append(progress.take.setting))
    assert made == ["frequency-300", "frequency-600"] * 4


def test_an_interrupted_sweep_goes_on_where_it_was(sweep: Sweep, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(tone(), PLAN, interrupt)
    before = files(tmp_path / "sweep")
    assert len(before) == 3
    assert not list((tmp_path / "sweep").rglob(".*.part"))
    made: list[Progress] = []
    manifest = sweep(tone(), PLAN, made.append)
    assert [one.total for one in made] == [5] * 5
    after = files(tmp_path / "sweep")
    assert len(after) == len(manifest.takes) == 8
    assert before.items() <= after.items()


def test_a_complete_sweep_makes_nothing_again(sweep: Sweep, tmp_path: Path) -> None:
    first = sweep(tone(), PLAN)
    before = files(tmp_path / "sweep")
    made: list[Progress] = []
    assert sweep(tone(), PLAN, made.append) == first
    assert (files(tmp_path / "sweep"), made) == (before, [])


def test_a_file_that_is_cut_off_or_gone_is_made_again(sweep: Sweep, tmp_path: Path) -> None:
    first = sweep(tone(), PLAN)
    cut, gone = (tmp_path / "sweep" / first.takes[i].file for i in (0, 5))
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-10])
    gone.unlink()
    made: list[Progress] = []
    sweep(tone(), PLAN, made.append)
    assert len(made) == 2
    assert cut.read_bytes() == whole
    assert gone.is_file()


def test_more_settings_and_seeds_widen_a_sweep(sweep: Sweep) -> None:
    sweep(tone(), PLAN)
    made: list[Progress] = []
    wider = Plan(axes={"frequency": [900]}, texts=PLAN.texts, seeds=(2, 3), reference="300")
    manifest = sweep(tone(), wider, made.append)
    assert [one.name for one in manifest.settings] == ["frequency-300", "frequency-600", "frequency-900"]
    assert (manifest.seeds, manifest.reference) == ((1, 2, 3), "frequency-300")
    assert len(manifest.takes) == 3 * 2 * 3
    assert len(made) == 18 - 8


@pytest.mark.parametrize(
    ("settings", "plan", "named"),
    [
        (tone(rtf=0.1), PLAN, "another setup"),
        (tone(), Plan(axes=PLAN.axes, texts=("Three.",)), "other texts"),
        (small_realtime(), Plan(axes={"steps": [2]}, texts=PLAN.texts, random_weights="small"), "engine"),
    ],
    ids=["setup", "texts", "engine"],
)
def test_takes_of_two_sweeps_are_never_mixed(
    sweep: Sweep, tmp_path: Path, settings: Settings, plan: Plan, named: str
) -> None:
    sweep(tone(), PLAN)
    before = (tmp_path / "sweep" / FILE).read_bytes()
    with pytest.raises(InvalidValue, match=named):
        sweep(settings, plan)
    assert (tmp_path / "sweep" / FILE).read_bytes() == before


def test_an_option_the_engine_does_not_take_is_refused_before_anything_is_written(
    sweep: Sweep, tmp_path: Path
) -> None:
    with pytest.raises(UnknownOption, match="nfe"):
        sweep(tone(), Plan(axes={"nfe": [7]}))
    with pytest.raises(InvalidValue, match="frequency"):
        sweep(tone(), Plan(axes={"frequency": [300, 99_999]}))
    assert not (tmp_path / "sweep").exists()


def test_a_take_that_fails_is_told_and_tried_again(sweep: Sweep, tmp_path: Path) -> None:
    plan = Plan(axes={"fail": [False, True]}, texts=("One.", "Two."))
    for _ in range(2):
        made: list[Progress] = []
        manifest = sweep(tone(), plan, made.append)
        failed = [take for take in manifest.takes if take.error]
        assert [take.setting for take in failed] == ["fail-true"] * 2
        assert all("engine_failed" in take.error and not take.file for take in failed)
        assert len(manifest.takes) == 4
    assert len(made) == 2
    assert not (tmp_path / "sweep" / "fail-true").exists()


def test_a_folder_that_cannot_be_written_is_an_error_and_what_was_made_stays(
    sweep: Sweep, tmp_path: Path
) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "frequency-600").write_text("in the way")
    with pytest.raises(AudioError, match="frequency-600"):
        sweep(tone(), PLAN)
    manifest = read_manifest(tmp_path / "sweep")
    assert manifest is not None
    assert [take.file for take in manifest.takes] == ["frequency-300/t01-1.wav"]


def test_the_real_time_factor_is_that_of_the_engine(sweep: Sweep) -> None:
    manifest = sweep(tone(rtf=0.5), Plan(axes={"frequency": [300]}, texts=("One two three four.",)))
    take = manifest.takes[0]
    assert 0.5 <= take.synthesis_seconds / take.audio_seconds < 1.0


def test_random_weights_are_named_in_the_manifest_and_in_every_file(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(
        small_realtime(), Plan(axes={"steps": [1, 2]}, texts=("Hello there.",), random_weights="small")
    )
    assert manifest.subject.note == NOTES["small"]
    assert manifest.subject.setup["random_weights"] == "small"
    for take in manifest.takes:
        assert NOTES["small"].encode() in (tmp_path / "sweep" / take.file).read_bytes()


def test_a_manifest_that_leads_out_of_its_folder_is_refused(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(tone(), Plan(axes={"frequency": [300]}, texts=("One.",)))
    for file in ("../secret.wav", "/etc/passwd", "a/../../b.wav", "a/b/c.wav", "..\\b\\c.wav"):
        take = msgspec.structs.replace(manifest.takes[0], file=file)
        bad = msgspec.structs.replace(manifest, takes=(take,))
        (tmp_path / "sweep" / FILE).write_bytes(msgspec.json.encode(bad))
        with pytest.raises(InvalidValue, match="not below its folder"):
            read_manifest(tmp_path / "sweep")


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "other"}', "[1]"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidValue, match="no manifest"):
        read_manifest(tmp_path)
    assert read_manifest(tmp_path / "nowhere") is None
