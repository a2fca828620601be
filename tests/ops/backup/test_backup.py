"""Backups: whole and verified, and back again."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ttsops.errors import AudioError, ConfigError, InvalidValue
from ttsops.ops.backup import State, keep, read_backup, restore, state_now, write_backup
from ttsops.ops.backup.archive import MANIFEST

pytestmark = pytest.mark.unit

ALICE, BOB = "en-Alice_woman", "de-Bob_man"
SETTINGS = b"# by hand\nengine = 'tone'\n[voices]\nfolder = 'voices'\n"
VOICES = {
    ALICE: {"voice.json": b"{1}", "baseline.wav": b"RIFF" * 1000, "override-0123456789abcdef.wav": b"other"},
    BOB: {"voice.json": b"{2}", "baseline.wav": b"RIFF"},
}
WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings file and two voices."""
    monkeypatch.chdir(tmp_path)
    Path("ttsops.toml").write_bytes(SETTINGS)
    for voice, content in VOICES.items():
        for name, data in content.items():
            path = Path("voices", voice, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def voices_now() -> dict[str, dict[str, bytes]]:
    folders = [path for path in Path("voices").iterdir() if path.is_dir()]
    return {one.name: {path.name: path.read_bytes() for path in one.iterdir()} for one in folders}


def kept() -> Path:
    return keep(state_now(None, {}), Path("backups"))


def test_a_backup_holds_settings_and_voices_byte_for_byte() -> None:
    path = kept()
    manifest, state = read_backup(path)
    assert state == State(SETTINGS, VOICES)
    assert len(manifest.files) == 6
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_two_backups_of_one_second_have_two_names() -> None:
    paths = {kept() for _ in range(4)}
    assert len(paths) == 4
    assert all(read_backup(path)[1].settings == SETTINGS for path in paths)


def test_drafts_and_strange_files_of_the_folder_are_in_no_backup() -> None:
    Path("voices/.draft-1").mkdir()
    Path("voices/notes.txt").write_text("x")
    Path("voices", ALICE, ".baseline.wav.1.part").write_text("x")
    assert read_backup(kept())[1].voices == VOICES


def test_what_is_not_there_is_not_kept() -> None:
    Path("ttsops.toml").unlink()
    assert read_backup(kept())[1] == State(None, None)


def test_everything_comes_back_and_what_was_there_is_kept() -> None:
    path = kept()
    Path("ttsops.toml").write_text("engine = 'espeak'\n")
    Path("voices", ALICE, "baseline.wav").write_bytes(b"broken")
    Path("voices", BOB, "voice.json").unlink()
    Path("voices/en-New_person").mkdir()
    Path("voices/en-New_person/voice.json").write_text("{3}")
    safety = restore(path, None, {}, Path("backups"))
    assert Path("ttsops.toml").read_bytes() == SETTINGS
    assert voices_now() == VOICES
    before = read_backup(safety)[1]
    assert before.settings == b"engine = 'espeak'\n"
    assert before.voices is not None
    assert before.voices["en-New_person"] == {"voice.json": b"{3}"}
    restore(safety, None, {"TTSOPS_VOICES__FOLDER": "voices"}, Path("backups"))
    assert voices_now() == before.voices


def test_broken_settings_are_no_obstacle_to_bringing_good_ones_back() -> None:
    path = kept()
    Path("ttsops.toml").write_text("engine = [broken")
    safety = restore(path, None, {}, Path("backups"))
    assert Path("ttsops.toml").read_bytes() == SETTINGS
    assert read_backup(safety)[1].settings == b"engine = [broken"


def test_of_a_time_without_settings_none_come_back() -> None:
    Path("ttsops.toml").rename("away.toml")
    path = kept()
    Path("away.toml").rename("ttsops.toml")
    restore(path, None, {}, Path("backups"))
    assert not Path("ttsops.toml").exists()
    assert voices_now() == VOICES, "no folder was set then: it is not touched"


def test_settings_that_this_version_does_not_take_change_nothing() -> None:
    write_backup(Path("old.tar.gz"), State(b"of_the_future = 1\n", {}), WHEN)
    with pytest.raises(ConfigError):
        restore(Path("old.tar.gz"), None, {}, Path("backups"))
    assert (Path("ttsops.toml").read_bytes(), voices_now()) == (SETTINGS, VOICES)
    assert not Path("backups").exists()


def test_voices_without_a_folder_to_put_them_into_are_refused() -> None:
    write_backup(Path("old.tar.gz"), State(None, VOICES), WHEN)
    with pytest.raises(InvalidValue, match="name no folder"):
        restore(Path("old.tar.gz"), None, {}, Path("backups"))


def test_a_disk_that_fills_up_while_voices_come_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept()
    Path("voices", ALICE, "baseline.wav").write_bytes(b"now")
    Path("voices", BOB, "baseline.wav").write_bytes(b"now")
    now = voices_now()
    n_left = 2

    real_open = Path.open

    def open_until_full(self: Path, mode: str = "r", *words: object, **named: object) -> object:
        nonlocal n_left
        file = real_open(self, mode, *words, **named)  # type: ignore[call-overload]
        if ".draft-" in str(self) and "x" in mode:
            n_left -= 1
            if n_left < 0:
                file.close()
                raise OSError(28, "No space left on device")
        return file

    monkeypatch.setattr(Path, "open", open_until_full)
    with pytest.raises(AudioError, match="No space left"):
        restore(path, None, {}, Path("backups"))
    monkeypatch.setattr(Path, "open", real_open)
    assert voices_now() == now
    assert not list(Path("voices").glob(".draft-*"))


def repacked(change: Callable[[dict[str, bytes]], None], path: Path) -> Path:
    """The backup with other members; the manifest is left as it was unless `change` changes it."""
    with tarfile.open(path) as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    change(members)
    with tarfile.open("changed.tar.gz", "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Path("changed.tar.gz")


def flip(members: dict[str, bytes]) -> None:
    members["settings.toml"] = members["settings.toml"].replace(b"tone", b"tome")


def lose(members: dict[str, bytes]) -> None:
    del members[f"voices/{BOB}/baseline.wav"]


def add(members: dict[str, bytes]) -> None:
    members["voices/en-Eve_woman/voice.json"] = b"{}"


def escape(name: str) -> Callable[[dict[str, bytes]], None]:
    """A manifest that lists a name outside, with the right checksum."""

    def change(members: dict[str, bytes]) -> None:
        manifest = msgspec.json.decode(members[MANIFEST])
        content = members["settings.toml"]
        manifest["files"][name] = manifest["files"]["settings.toml"]
        members[name] = content
        members[MANIFEST] = msgspec.json.encode(manifest)

    return change


def of_the_future(members: dict[str, bytes]) -> None:
    members[MANIFEST] = members[MANIFEST].replace(b'"format": 1', b'"format": 2')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (flip, "`settings.toml` is not what was kept"),
        (lose, "is not in the archive"),
        (add, "is not in its manifest"),
        (escape("../../etc/cron.d/x"), "damaged"),
        (escape("/etc/passwd"), "damaged"),
        (escape("voices/../x/voice.json"), "damaged"),
        (escape("voices/en-Eve_woman/.hidden"), "damaged"),
        (escape("voices/not_an_id/voice.json"), "damaged"),
        (escape("other.toml"), "has no place in a backup"),
        (of_the_future, "format 2"),
        (lambda members: members.pop(MANIFEST), "no backup that can be read"),
    ],
)
def test_a_backup_that_was_tampered_with_changes_nothing(
    change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    path = repacked(change, kept())
    with pytest.raises(InvalidValue, match=told):
        restore(path, None, {}, Path("safety"))
    assert (Path("ttsops.toml").read_bytes(), voices_now()) == (SETTINGS, VOICES)
    assert not Path("safety").exists()


@pytest.mark.parametrize("n_bytes", [0, 10, 200, -200])
def test_a_file_that_was_cut_short_is_no_backup(n_bytes: int) -> None:
    Path("cut.tar.gz").write_bytes(kept().read_bytes()[:n_bytes])
    with pytest.raises(InvalidValue):
        read_backup(Path("cut.tar.gz"))


def test_a_link_in_an_archive_is_refused() -> None:
    with tarfile.open("link.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("settings.toml")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(InvalidValue, match="no file of a backup"):
        read_backup(Path("link.tar.gz"))
