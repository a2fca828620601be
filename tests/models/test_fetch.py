"""Fetching over a real socket from a small server that speaks a hub's protocol."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.conftest import COMMIT, REPO, entry_of, sharded_files, tensors
from models.fake_hub import FakeHub, serving
from ttsops.errors import ModelError
from ttsops.models.cache import HubCache
from ttsops.models.catalogue import Entry, Source
from ttsops.models.fetch import INCOMPLETE, fetch
from ttsops.models.hub import Hub
from ttsops.models.verify import verify

pytestmark = pytest.mark.server

WEIGHTS = "model.safetensors"
MIB = 2**20
PIECE = 10 * MIB
"""What the library reads before any of it is written."""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving(FakeHub(REPO, sharded_files())) as fake:
        yield fake


def drafts(cache: Path) -> list[Path]:
    return [*cache.rglob(f"*{INCOMPLETE}")]


def test_what_was_fetched_is_whole_and_lies_where_the_library_looks(hub: FakeHub, cache: Path) -> None:
    from huggingface_hub import hf_hub_download

    seen: dict[str, tuple[int, int]] = {}
    entry = entry_of(hub.files)
    folder = fetch(
        Hub(hub.url, {}), HubCache(cache), entry, on_progress=lambda path, n, of: seen.update({path: (n, of)})
    )
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert snapshot.folder == folder
    report = verify(snapshot)
    assert report.is_whole
    assert report.n_compared == len(hub.files)
    assert seen == {path: (len(data), len(data)) for path, data in hub.files.items()}
    assert not drafts(cache)
    found = hf_hub_download(REPO, "config.json", revision=COMMIT, cache_dir=cache, local_files_only=True)
    assert Path(found).read_bytes() == hub.files["config.json"]


def test_without_a_list_of_files_all_are_fetched_and_the_branch_is_remembered(
    hub: FakeHub, cache: Path
) -> None:
    entry = Entry(name="x", repo=REPO)
    fetch(Hub(hub.url, {}), HubCache(cache), entry)
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert snapshot.source == Source(REPO, COMMIT)
    assert {path.name for path in snapshot.folder.iterdir()} == set(hub.files)


def test_what_is_here_is_not_fetched_again(hub: FakeHub, cache: Path) -> None:
    for _ in range(2):
        fetch(Hub(hub.url, {}), HubCache(cache), entry_of(hub.files))
    assert len(hub.ranges) == len(hub.files)


def test_a_connection_that_is_cut_off_is_taken_up_where_it_stopped(cache: Path) -> None:
    data = tensors("a", n=6 * MIB)
    with serving(FakeHub(REPO, {WEIGHTS: data})) as hub:
        hub.cut_after = 11 * MIB
        fetch(Hub(hub.url, {}), HubCache(cache), entry_of(hub.files))
        assert hub.ranges == ["", f"bytes={PIECE}-", f"bytes={2 * PIECE}-"]
    snapshot = HubCache(cache).find(entry_of({WEIGHTS: data}))
    assert snapshot is not None
    assert verify(snapshot).is_whole


PULL = """
import sys
from pathlib import Path
from ttsops.models.cache import HubCache
from ttsops.models.catalogue import Entry
from ttsops.models.fetch import fetch
from ttsops.models.hub import Hub
fetch(Hub(sys.argv[1], {}), HubCache(Path(sys.argv[2])), Entry(name="x", repo=sys.argv[3]))
"""


def test_a_fetch_that_was_killed_goes_on_in_another_process(cache: Path) -> None:
    """`kill -9` half-way: not one byte that was written is asked for again."""
    data = tensors("a", n=3 * MIB)
    with serving(FakeHub(REPO, {WEIGHTS: data})) as hub:
        hub.cut_after = 11 * MIB
        hub.stall.clear()
        pull = subprocess.Popen([sys.executable, "-c", PULL, hub.url, str(cache), REPO])
        try:
            deadline = time.monotonic() + 30
            while not (found := drafts(cache)) or found[0].stat().st_size < PIECE:
                assert time.monotonic() < deadline, "nothing came"
                time.sleep(0.02)
        finally:
            pull.kill()
            pull.wait()
        hub.stall.set()
        n_here = drafts(cache)[0].stat().st_size
        assert n_here == PIECE
        assert not [*cache.rglob(WEIGHTS)], "no engine sees a part of a file"
        hub.cut_after = None
        fetch(Hub(hub.url, {}), HubCache(cache), entry_of(hub.files))
        assert hub.ranges == ["", f"bytes={n_here}-"]
    snapshot = HubCache(cache).find(entry_of({WEIGHTS: data}))
    assert snapshot is not None
    assert verify(snapshot).is_whole


def test_a_file_that_came_damaged_is_not_kept(hub: FakeHub, cache: Path) -> None:
    hub.damage = True
    with pytest.raises(ModelError, match="came damaged"):
        fetch(Hub(hub.url, {}), HubCache(cache), entry_of(hub.files))
    assert not [*cache.rglob("*.safetensors")]
    assert not drafts(cache)


def test_a_file_that_is_not_the_catalogues_is_refused_before_it_is_fetched(hub: FakeHub, cache: Path) -> None:
    entry = entry_of(hub.files)
    hub.files = {path: tensors("z") if path.endswith(".safetensors") else b for path, b in hub.files.items()}
    with pytest.raises(ModelError, match="not the file of the catalogue"):
        fetch(Hub(hub.url, {}), HubCache(cache), entry)
    assert not [*cache.rglob("*.safetensors")]


def test_another_place_is_taken_as_it_is(hub: FakeHub, cache: Path) -> None:
    """The entry's own repository is gone; the copy's bytes are not promised to be the same."""
    entry = Entry(name="x", repo="gone/away", revision="ab" * 20, also=(Source(REPO),))
    with pytest.raises(ModelError, match="there is no `gone/away`"):
        fetch(Hub(hub.url, {}), HubCache(cache), entry)
    fetch(Hub(hub.url, {}), HubCache(cache), entry, entry.also[0])
    snapshot = HubCache(cache).find(entry)
    assert snapshot is not None
    assert not snapshot.is_as_catalogued


def test_a_file_the_hub_has_not_is_told(hub: FakeHub, cache: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        fetch(Hub(hub.url, {}), HubCache(cache), entry_of({"absent.json": b"{}"}))


def test_a_name_that_leads_out_of_the_cache_is_refused(hub: FakeHub, cache: Path) -> None:
    hub.files["../../outside.json"] = b"{}"
    with pytest.raises(ModelError, match="outside its folder"):
        fetch(Hub(hub.url, {}), HubCache(cache), Entry(name="x", repo=REPO))
    assert not [*cache.parent.rglob("outside.json")]


def test_a_hub_that_cannot_be_reached_is_told_with_what_to_do(cache: Path) -> None:
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        fetch(Hub("http://127.0.0.1:9", {}), HubCache(cache), entry_of(sharded_files()))
    assert "HF_ENDPOINT" in (caught.value.hint or "")


def test_offline_is_obeyed() -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        Hub("http://127.0.0.1:9", {"HF_HUB_OFFLINE": "1"})


def test_a_cache_that_cannot_be_written_is_told(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot write"):
        fetch(Hub(hub.url, {}), HubCache(tmp_path / "file"), entry_of(hub.files))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
