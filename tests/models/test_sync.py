"""Models from another machine: a real rsync over a real sshd on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.conftest import COMMIT, REPO, entry_of, sharded_files, tensors, write_model
from models.ssh_server import MISSING, SshServer, ssh_server
from ttsops.errors import InvalidValue, ModelError, NotInstalled
from ttsops.models.cache import HubCache
from ttsops.models.sync import DEFAULT_CACHE, Place, Rsync, parse_place
from ttsops.models.verify import verify

pytestmark = pytest.mark.server

needs_ssh = pytest.mark.skipif(
    bool(MISSING), reason=f"NOT TESTED: {', '.join(MISSING)} missing; apt install openssh-server rsync"
)
LARGE = "model.safetensors"
MIB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh") / "d") as running:
        yield running


def listing(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Everything below `folder`: what it is, when it was changed, what it holds."""
    return {
        str(path.relative_to(folder)): (
            str(path.readlink()) if path.is_symlink() else "",
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


@needs_ssh
def test_a_model_comes_over_whole_with_its_structure_and_the_other_side_is_as_it_was(
    server: SshServer, tmp_path: Path
) -> None:
    far, here = tmp_path / "far's cache", HubCache(tmp_path / "here")
    write_model(far, sharded_files())
    write_model(far, {"config.json": b"{}"}, repo="other/model")
    (far / "models--acme--small-voice" / "blobs" / "half.incomplete").write_bytes(b"x")
    before = listing(far)
    rsync, place = Rsync(server.ssh), parse_place(f"{server.place}:{far}")
    assert rsync.repos(place) == (REPO, "other/model")
    assert rsync.copy(place, REPO, here) > 0
    assert here.repos() == (REPO,)
    snapshot = here.find(entry_of(sharded_files()))
    assert snapshot is not None
    report = verify(snapshot)
    assert report.is_whole
    assert report.n_compared == 4
    root = "models--acme--small-voice"
    came, sent = listing(here.folder / root), listing(far / root)
    del sent["blobs/half.incomplete"]
    assert {k: (link, data) for k, (link, _, data) in came.items()} == {
        k: (link, data) for k, (link, _, data) in sent.items()
    }
    assert listing(far) == before
    assert rsync.copy(place, REPO, here) == 0, "what is here is not sent again"


@needs_ssh
def test_a_copy_that_was_cut_off_goes_on_where_it_stopped(server: SshServer, tmp_path: Path) -> None:
    far, here = tmp_path / "far", HubCache(tmp_path / "here")
    data = tensors("a", n=8 * MIB)
    write_model(far, {LARGE: data})
    place = parse_place(f"{server.place}:{far}")

    class Enough(Exception):
        pass

    def stop(repo: str, n_bytes: int) -> None:
        if n_bytes > MIB:
            raise Enough

    slow = Rsync(f"{server.ssh} -o Compression=no")
    with pytest.raises(Enough):
        slow.copy(place, REPO, here, stop, limit_kib=4096)
    assert here.find(entry_of({LARGE: data})) is None, "no link before what it leads to"
    n_sent = Rsync(server.ssh).copy(place, REPO, here)
    assert n_sent < len(data) - MIB // 2
    snapshot = here.find(entry_of({LARGE: data}))
    assert snapshot is not None
    assert verify(snapshot).is_whole
    assert not [*here.folder.rglob(".rsync-partial")]


@needs_ssh
def test_a_link_out_of_the_other_cache_does_not_come(server: SshServer, tmp_path: Path) -> None:
    far, here = tmp_path / "far", HubCache(tmp_path / "here")
    snapshot = write_model(far, {"config.json": b"{}"})
    (snapshot / "bad").symlink_to("/etc/passwd")
    (snapshot / "worse").symlink_to("../../../../other")
    Rsync(server.ssh).copy(parse_place(f"{server.place}:{far}"), REPO, here)
    names = {path.name for path in (here.repo_folder(REPO) / "snapshots" / COMMIT).iterdir()}
    assert names == {"config.json"}


@needs_ssh
def test_who_is_not_let_in_is_told_what_ssh_says(server: SshServer, tmp_path: Path) -> None:
    stranger = server.ssh.replace("user_key", "no_key") + " -o IdentityAgent=none -o IdentitiesOnly=yes"
    with pytest.raises(ModelError, match="Permission denied"):
        Rsync(stranger).repos(parse_place(f"{server.place}:{tmp_path}"))


@needs_ssh
def test_a_cache_that_is_not_there_is_told(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        Rsync(server.ssh).repos(parse_place(f"{server.place}:{tmp_path}/absent"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("box", Place("box", DEFAULT_CACHE)),
        ("me@box", Place("me@box", DEFAULT_CACHE)),
        ("me@box:", Place("me@box", DEFAULT_CACHE)),
        ("me@box:/srv/my hub", Place("me@box", "/srv/my hub")),
        ("me@box:~/hub", Place("me@box", "hub")),
        ("me@[::1]:hub", Place("me@[::1]", "hub")),
    ],
)
def test_a_place_is_read(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "-oProxyCommand=x", "me@-x", "a b", "box::mod", "rsync://box/x", "a;b"])
def test_what_is_no_place_is_refused(text: str) -> None:
    """Least of all what ssh or rsync would take for an option."""
    with pytest.raises(InvalidValue):
        parse_place(text)


def test_a_program_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="rsync"):
        Rsync()
