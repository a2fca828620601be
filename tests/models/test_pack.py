"""Archives for a machine without a network: what is bad leaves nothing behind."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.conftest import COMMIT, REPO, entry_of, git_sha1, sha256, sharded_files, tensors, write_model
from ttsops.errors import AudioError, BadArchive, ConfigError, InvalidValue, ModelError
from ttsops.models.archive import DATA, MANIFEST_NAME
from ttsops.models.cache import HubCache, Snapshot
from ttsops.models.catalogue import Entry
from ttsops.models.pack import pack
from ttsops.models.unpack import unpack
from ttsops.models.verify import verify

pytestmark = pytest.mark.unit


def snapshot_of(cache: Path, entry: Entry | None = None) -> Snapshot:
    found = HubCache(cache).find(entry or entry_of(sharded_files()))
    assert found is not None
    return found


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "voices"
    (folder / "en-Alice_woman").mkdir(parents=True)
    (folder / "en-Alice_woman" / "voice.json").write_text("{}")
    (folder / "en-Bob_man.safetensors").write_bytes(tensors("k"))
    (folder / ".lock").write_text("")
    return folder


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_what_was_packed_is_unpacked(
    tmp_path: Path, cache: Path, model: Path, voices: Path, name: str
) -> None:
    archive, there = tmp_path / name, tmp_path / "there"
    pack(archive, [snapshot_of(cache)], voices)
    done = unpack(archive, HubCache(there / "hub"), there / "voices")
    assert [one.name for one in done.models] == ["small"]
    assert done.voices == ("en-Alice_woman", "en-Bob_man.safetensors")
    report = verify(snapshot_of(there / "hub"))
    assert report.is_whole
    assert report.n_compared == 4
    root = "models--acme--small-voice"
    assert files_below(there / "hub" / root / "snapshots") == files_below(cache / root / "snapshots")
    assert files_below(there / "hub" / root / "blobs") == files_below(cache / root / "blobs")
    expected = files_below(voices)
    del expected[".lock"]
    assert files_below(there / "voices") == expected
    assert {p.name for p in there.iterdir()} == {"hub", "voices"}
    assert [p.name for p in (there / "hub").iterdir()] == [root], "no draft is left"


def test_packing_twice_gives_the_same_file(tmp_path: Path, cache: Path, model: Path) -> None:
    for name in ("a.tar.gz", "b.tar.gz"):
        pack(tmp_path / name, [snapshot_of(cache)])
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_one_content_of_two_models_is_packed_once(tmp_path: Path, cache: Path, model: Path) -> None:
    write_model(cache, sharded_files(), repo="acme/twin")
    twin = Entry(name="twin", repo="acme/twin", revision="main")
    pack(tmp_path / "a.tar", [snapshot_of(cache), snapshot_of(cache, twin)])
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert len(tar.getnames()) == 1 + len(sharded_files())
    unpack(tmp_path / "a.tar", HubCache(tmp_path / "b"))
    assert verify(snapshot_of(tmp_path / "b")).is_whole
    assert verify(snapshot_of(tmp_path / "b", twin)).is_whole, "found by its branch"


def test_a_model_that_is_not_whole_is_not_packed(tmp_path: Path, cache: Path, model: Path) -> None:
    (model / "config.json").unlink()
    with pytest.raises(ModelError, match=r"`config\.json` is not here"):
        pack(tmp_path / "a.tar", [snapshot_of(cache)])
    assert not [*tmp_path.glob("*.tar*")]


def test_a_name_that_is_no_archive_is_refused(tmp_path: Path, cache: Path, model: Path) -> None:
    for name in ("a.zip", "a", "a.gz"):
        with pytest.raises(InvalidValue, match="no name of an archive"):
            pack(tmp_path / name, [snapshot_of(cache)])


def test_voices_without_a_folder_are_told_before_anything_is_written(
    tmp_path: Path, cache: Path, model: Path, voices: Path
) -> None:
    pack(tmp_path / "a.tar", [snapshot_of(cache)], voices)
    with pytest.raises(ConfigError, match="no folder"):
        unpack(tmp_path / "a.tar", HubCache(tmp_path / "there"))
    assert not (tmp_path / "there").exists()


def test_a_voice_that_is_here_stays_as_it_is(tmp_path: Path, cache: Path, model: Path, voices: Path) -> None:
    pack(tmp_path / "a.tar", [], voices)
    (voices / "en-Bob_man.safetensors").write_bytes(b"another")
    done = unpack(tmp_path / "a.tar", HubCache(tmp_path / "there"), voices)
    assert done.left == ("en-Alice_woman", "en-Bob_man.safetensors")
    assert (voices / "en-Bob_man.safetensors").read_bytes() == b"another"


# ---- bad archives ----------------------------------------------------------------------


def manifest_of(path: str = "config.json", data: bytes = b"{}", **changes: Any) -> dict[str, Any]:
    file = {"path": path, "bytes": len(data), "sha256": sha256(data), "blob": git_sha1(data)}
    model = {"name": "x", "repo": REPO, "revision": COMMIT, "files": [file | changes.pop("file", {})]}
    return {"format": "ttsops-pack/1", "made_by": "test", "models": [model | changes], "voices": []}


def archive_of(path: Path, manifest: Any, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        text = manifest if isinstance(manifest, bytes) else msgspec.json.encode(manifest)
        for info, data in (plain(MANIFEST_NAME, text), *members):
            tar.addfile(info, io.BytesIO(data))
    return path


def plain(name: str, data: bytes, **changes: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


GOOD = plain(DATA + sha256(b"{}"), b"{}")


def test_the_archive_that_the_bad_ones_are_made_from_is_good(tmp_path: Path) -> None:
    unpack(archive_of(tmp_path / "a.tar", manifest_of(), GOOD), HubCache(tmp_path / "there"))
    found = snapshot_of(tmp_path / "there", Entry(name="x", repo=REPO, revision=COMMIT))
    assert (found.folder / "config.json").read_bytes() == b"{}"


def link(kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return plain(GOOD[0].name, b"", type=kind, linkname="/etc/passwd")


@pytest.mark.parametrize(
    ("manifest", "members", "told"),
    [
        (manifest_of("../../outside"), [GOOD], "outside its folder"),
        (manifest_of("/etc/outside"), [GOOD], "outside its folder"),
        (manifest_of("a/../../outside"), [GOOD], "outside its folder"),
        (manifest_of(".hidden"), [GOOD], "hidden"),
        (manifest_of(repo="../../outside"), [GOOD], "wrong name"),
        (manifest_of(repo="/etc"), [GOOD], "wrong name"),
        (manifest_of(revision="../outside"), [GOOD], "wrong name"),
        (manifest_of(revision="main"), [GOOD], "no commit"),
        (manifest_of(ref="../../outside"), [GOOD], "wrong name"),
        (manifest_of(file={"blob": "../outside"}), [GOOD], "names a blob wrongly"),
        (manifest_of(file={"blob": "0" * 40}), [GOOD], "names the blob"),
        (manifest_of(file={"blob": "0" * 64}), [GOOD], "names a blob wrongly"),
        (manifest_of(file={"bytes": 3}), [GOOD], "has 2 bytes"),
        (manifest_of(), [], "1 files are missing"),
        (manifest_of(), [plain("../outside", b"{}")], "does not know"),
        (manifest_of(), [plain("/outside", b"{}")], "does not know"),
        (manifest_of(), [GOOD, plain(DATA + "0" * 64, b"x")], "does not know"),
        (manifest_of(), [GOOD, GOOD], "does not know"),
        (manifest_of(), [plain(GOOD[0].name, b"{x")], "is damaged"),
        (manifest_of(), [link(tarfile.SYMTYPE)], "no plain file"),
        (manifest_of(), [link(tarfile.LNKTYPE)], "no plain file"),
        (manifest_of(), [link(tarfile.CHRTYPE)], "no plain file"),
        (manifest_of(), [link(tarfile.FIFOTYPE)], "no plain file"),
        (manifest_of(), [link(tarfile.DIRTYPE)], "no plain file"),
        ({"format": "ttsops-pack/2"}, [GOOD], "cannot be read"),
        (b"\xff", [GOOD], "cannot be read"),
    ],
)
def test_a_bad_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, manifest: Any, members: list[tuple[tarfile.TarInfo, bytes]], told: str
) -> None:
    archive = archive_of(tmp_path / "a.tar", manifest, *members)
    with pytest.raises(BadArchive, match=told):
        unpack(archive, HubCache(tmp_path / "a" / "b" / "there"))
    left = {p.name for p in tmp_path.rglob("*") if p.is_file() or p.is_symlink()}
    assert left == {"a.tar"}


@pytest.mark.parametrize(
    "break_it",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"not a tar" * 100,
        lambda data: data[: len(data) // 2] + b"\x00\xff" * 20 + data[len(data) // 2 + 40 :],
    ],
)
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_damaged_archive_is_refused(
    tmp_path: Path, cache: Path, model: Path, name: str, break_it: Callable[[bytes], bytes]
) -> None:
    archive = tmp_path / name
    pack(archive, [snapshot_of(cache)])
    archive.write_bytes(break_it(archive.read_bytes()))
    with pytest.raises(ModelError):
        unpack(archive, HubCache(tmp_path / "there"))
    assert not [p for p in (tmp_path / "there").rglob("*") if p.is_file()]


# ---- a full disk -----------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """One MiB of memory as a disk."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"NOT TESTED: no small disk can be mounted here: {mount.stderr.decode()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def two_mib(cache: Path) -> Snapshot:
    data = {"model.safetensors": tensors("a", n=2**19), "config.json": b"{}"}
    write_model(cache, data)
    return snapshot_of(cache, entry_of(data))


def test_an_archive_that_does_not_fit_leaves_nothing(two_mib: Snapshot, small_disk: Path) -> None:
    (small_disk / "a.tar").write_bytes(b"the one before")
    with pytest.raises(AudioError, match="No space left"):
        pack(small_disk / "a.tar", [two_mib])
    assert files_below(small_disk) == {"a.tar": b"the one before"}


def test_a_model_that_does_not_fit_is_refused_before_it_is_written(
    tmp_path: Path, two_mib: Snapshot, small_disk: Path
) -> None:
    pack(tmp_path / "a.tar", [two_mib])
    with pytest.raises(ModelError, match="it takes 2 MiB, and 1 are free"):
        unpack(tmp_path / "a.tar", HubCache(small_disk / "hub"))
    assert [*small_disk.iterdir()] == []


def test_a_disk_that_fills_while_it_is_unpacked_is_left_as_it_was(tmp_path: Path, small_disk: Path) -> None:
    """The manifest says little and the disk has room; other files take it meanwhile."""
    data = {"model.safetensors": tensors("a", n=2**17), "more.safetensors": tensors("b", n=2**17 - 99)}
    write_model(tmp_path / "hub", data)
    pack(tmp_path / "a.tar", [snapshot_of(tmp_path / "hub", entry_of(data))])

    def take_the_rest(n_bytes: int) -> None:
        (small_disk / "other").write_bytes(b"x" * 2**18)

    with pytest.raises(ModelError, match=r"No space left on device.*nothing of it was kept"):
        unpack(tmp_path / "a.tar", HubCache(small_disk / "hub"), on_bytes=take_the_rest)
    assert [path.name for path in small_disk.iterdir()] == ["other"]
