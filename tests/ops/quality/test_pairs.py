"""Which recordings meet each other."""

from collections import Counter
from pathlib import Path

import pytest

from ops.quality.conftest import Sweep, sine, tone
from ttsops.audio import Format, create_encoder, write_atomically
from ttsops.errors import InvalidValue
from ttsops.ops.quality.pairs import pairs_of_folders, pairs_of_sweep
from ttsops.ops.quality.sweep import Plan

pytestmark = pytest.mark.server

PLAN = Plan(axes={"frequency": [300, 400, 600]}, texts=("One.", "Two.", "Three."), seeds=(1, 2))


def write(path: Path, hertz: float = 300, fmt: Format = Format.WAV, seconds: float = 0.2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder = create_encoder(fmt)
    write_atomically(path, encoder.encode(sine(hertz, seconds)) + encoder.finish())


def test_every_setting_meets_the_reference_text_by_text(sweep: Sweep, tmp_path: Path) -> None:
    session = pairs_of_sweep(tmp_path / "sweep", sweep(tone(), PLAN))
    assert len(session.pairs) == 2 * 3
    for pair in session.pairs:
        one, other = pair.clips
        assert other.setting == "frequency-600"
        assert (one.path.name, one.path.parent.name) == (other.path.name, one.setting)
        assert pair.text in PLAN.texts
    assert len({pair.id for pair in session.pairs}) == 6


def test_a_limit_leaves_every_setting_as_many(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(tone(), PLAN)
    session = pairs_of_sweep(tmp_path / "sweep", manifest, limit=4)
    assert Counter(pair.clips[0].setting for pair in session.pairs) == {
        "frequency-300": 2,
        "frequency-400": 2,
    }
    again = pairs_of_sweep(tmp_path / "sweep", manifest, limit=4)
    assert again == session
    others = {
        str(pairs_of_sweep(tmp_path / "sweep", manifest, limit=4, seed=seed).pairs) for seed in range(8)
    }
    assert len(others) > 1


def test_a_take_that_failed_meets_nobody(sweep: Sweep, tmp_path: Path) -> None:
    manifest = sweep(tone(), Plan(axes={"fail": [False, True]}, texts=("One.",), reference="false"))
    with pytest.raises(InvalidValue, match="no pair"):
        pairs_of_sweep(tmp_path / "sweep", manifest)


def test_files_of_the_same_name_meet_whatever_their_type(tmp_path: Path) -> None:
    for name in ("x.wav", "y.wav", "alone.wav"):
        write(tmp_path / "old" / name)
    for name in ("x.flac", "y.mp3"):
        write(tmp_path / "new" / name, 400, Format(name[2:]))
    (tmp_path / "new" / "notes.txt").write_text("nothing to hear")
    session = pairs_of_folders(tmp_path / "old", tmp_path / "new")
    assert [pair.label for pair in session.pairs] == ["x", "y"]
    assert [clip.setting for clip in session.pairs[0].clips] == ["old", "new"]


def test_folders_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "monday" / "out" / "x.wav")
    write(tmp_path / "friday" / "out" / "x.wav")
    (pair,) = pairs_of_folders(tmp_path / "monday" / "out", tmp_path / "friday" / "out").pairs
    assert [clip.setting for clip in pair.clips] == ["monday/out", "friday/out"]


def test_two_settings_of_a_sweep_bring_their_texts(sweep: Sweep, tmp_path: Path) -> None:
    sweep(tone(), PLAN)
    session = pairs_of_folders(tmp_path / "sweep" / "frequency-300", tmp_path / "sweep" / "frequency-400")
    assert len(session.pairs) == 6
    assert {pair.text for pair in session.pairs} == set(PLAN.texts)


def test_nothing_in_common_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "old" / "x.wav")
    write(tmp_path / "new" / "y.wav")
    with pytest.raises(InvalidValue, match="no pair"):
        pairs_of_folders(tmp_path / "old", tmp_path / "new")
    with pytest.raises(InvalidValue, match="no folder"):
        pairs_of_folders(tmp_path / "old", tmp_path / "nowhere")
    with pytest.raises(InvalidValue, match="itself"):
        pairs_of_folders(tmp_path / "old", tmp_path / "old")
