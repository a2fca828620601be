"""Every way in which weights go bad is told, and the file is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.conftest import entry_of, sha256, sharded_files, write_model
from ttsops.models.cache import HubCache
from ttsops.models.catalogue import Entry
from ttsops.models.manifest import FileFacts, Manifest, read_manifest, save_manifest
from ttsops.models.verify import Report, verify

pytestmark = pytest.mark.unit

Rewrite = Callable[[Path, Callable[[bytes], bytes]], None]
SHARD = "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"


def report(cache: Path, entry: Entry | None = None, **how: bool) -> Report:
    snapshot = HubCache(cache).find(entry or entry_of(sharded_files()))
    assert snapshot is not None
    return verify(snapshot, **how)


def problems(found: Report) -> set[tuple[str, str]]:
    return {(problem.file, problem.kind) for problem in found.problems}


def test_a_whole_model_has_no_problem_and_every_file_was_compared(cache: Path, model: Path) -> None:
    found = report(cache)
    assert found.is_whole
    assert found.n_compared == len(found.files) == 4


@pytest.mark.parametrize("is_known", [True, False], ids=["against the catalogue", "against the blob's name"])
@pytest.mark.parametrize("path", ["config.json", SHARD])
def test_one_byte_that_changed_is_found(
    cache: Path, model: Path, rewrite: Rewrite, path: str, is_known: bool
) -> None:
    """The last byte of weights, a digit of a configuration: both still have the right form."""
    rewrite(model / path, lambda data: data.replace(b"64", b"65") if path == "config.json" else flipped(data))
    assert problems(report(cache, entry_of(sharded_files(), is_known=is_known))) == {(path, "checksum")}


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("n_left", [4, 60, 300])
def test_a_file_that_is_cut_short_is_found_without_checksums(
    cache: Path, model: Path, rewrite: Rewrite, n_left: int
) -> None:
    """In the length, in the header, in the data."""
    rewrite(model / SHARD, lambda data: data[:n_left])
    assert (SHARD, "form") in problems(
        report(cache, Entry(name="x", repo="acme/small-voice"), has_checksums=False)
    )


def test_a_file_without_content_is_found(cache: Path, model: Path, rewrite: Rewrite) -> None:
    rewrite(model / "config.json", lambda data: b"")
    assert problems(report(cache)) == {("config.json", "empty")}


def test_a_link_to_nowhere_is_found_and_says_where_it_leads(cache: Path, model: Path) -> None:
    blob = (model / SHARD).resolve()
    blob.unlink()
    found = report(cache)
    assert (SHARD, "nowhere") in problems(found)
    assert blob.name in next(p.what for p in found.problems if p.kind == "nowhere")


def test_a_link_out_of_the_model_is_refused_unread(cache: Path, model: Path) -> None:
    (model / "config.json").unlink()
    (model / "config.json").symlink_to("/etc/hostname")
    assert problems(report(cache)) == {("config.json", "nowhere")}


@pytest.mark.parametrize("is_known", [True, False])
def test_a_shard_that_is_gone_is_found(cache: Path, model: Path, is_known: bool) -> None:
    """Also where the catalogue does not list it: the index does."""
    (model / SHARD).unlink()
    entry = entry_of(sharded_files()) if is_known else Entry(name="x", repo="acme/small-voice")
    found = problems(report(cache, entry))
    assert found == {(SHARD, "index")} | ({(SHARD, "missing")} if is_known else set())


def change_index(change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def how(data: bytes) -> bytes:
        tree = json.loads(data)
        change(tree)
        return json.dumps(tree).encode()

    return how


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t["weight_map"].update({"d.weight": SHARD}), "1 tensors which it has not: `d.weight`"),
        (lambda t: t["weight_map"].pop("a.weight"), "does not know 1 tensors"),
        (lambda t: t["weight_map"].update({"d.weight": "../../x.safetensors"}), "outside its folder"),
        (lambda t: t["metadata"].update(total_size=5), "says that the tensors have 5 bytes"),
        (lambda t: t.pop("weight_map"), "is no index of shards"),
        (lambda t: t.update(weight_map={}), "names no tensor"),
    ],
)
def test_an_index_that_does_not_fit_its_shards_is_found(
    cache: Path, model: Path, rewrite: Rewrite, change: Callable[[dict[str, object]], object], told: str
) -> None:
    rewrite(model / INDEX, change_index(change))
    found = report(cache, Entry(name="x", repo="acme/small-voice"), has_checksums=False)
    assert problems(found) == {(INDEX, "index")}
    assert told in found.problems[0].what


def test_an_index_that_is_no_json_is_found(cache: Path, model: Path, rewrite: Rewrite) -> None:
    rewrite(model / INDEX, lambda data: data[:-1])
    assert (INDEX, "index") in problems(report(cache))


def test_a_manifest_finds_what_changed_since(tmp_path: Path) -> None:
    """A plain folder has no names that are checksums: only a manifest tells."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for path, data in sharded_files().items():
        (folder / path).write_bytes(data)
    entry = Entry(name="mine", path=str(folder))
    before = report(tmp_path, entry)
    save_manifest(tmp_path / "m.json", Manifest((before.to_manifest(),)))
    known = read_manifest(tmp_path / "m.json").files_of("mine")
    assert len(known) == 4
    (folder / SHARD).write_bytes(flipped((folder / SHARD).read_bytes()))
    (folder / "config.json").unlink()
    snapshot = HubCache(tmp_path).find(entry)
    assert snapshot is not None
    assert problems(verify(snapshot)) == set()
    assert problems(verify(snapshot, known)) == {(SHARD, "checksum"), ("config.json", "missing")}


def test_checksums_of_the_catalogue_hold_for_its_revision_only(cache: Path) -> None:
    """Another commit has other files; what it must have is known, and what they hold is not."""
    files = sharded_files() | {"config.json": b"{}"}
    other = "ab" * 20
    write_model(cache, files, commit=other)
    entry = entry_of(sharded_files())
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert not snapshot.is_as_catalogued
    assert snapshot.source.revision == other
    assert verify(snapshot).is_whole
    facts = [FileFacts("config.json", 2, sha256(b"{ }"))]
    assert problems(verify(snapshot, facts)) == {("config.json", "checksum")}
