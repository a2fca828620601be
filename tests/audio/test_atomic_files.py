import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ttsops.audio import atomic_file, write_atomically
from ttsops.errors import AudioError

pytestmark = pytest.mark.unit


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_is_there_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    with atomic_file(path) as file:
        file.write(b"RIFF")
        assert not path.exists()
        file.write(b"more")
    assert path.read_bytes() == b"RIFFmore"
    assert names(tmp_path) == ["speech.wav"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    write_atomically(path, b"old")

    def write_half() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        write_half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["speech.wav"]


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    path.touch()
    path.chmod(0o604)
    write_atomically(path, b"new")
    assert mode(path) == 0o604


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    link = tmp_path / "link.wav"
    link.symlink_to(tmp_path / "deep" / "real.wav")
    write_atomically(link, b"data")
    assert link.is_symlink()
    assert (tmp_path / "deep" / "real.wav").read_bytes() == b"data"
    assert names(tmp_path) == ["deep", "link.wav"]


def test_a_device_is_written_to_and_never_replaced() -> None:
    """As root a rename would put a regular file where `/dev/null` was."""
    write_atomically("/dev/null", b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_name_of_full_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".wav")
    write_atomically(path, b"data")
    assert names(tmp_path) == [path.name]


def test_a_folder_in_its_place_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"cannot write `.*`: Is a directory"):
        write_atomically(tmp_path, b"data")


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="No such file or directory"):
        write_atomically(tmp_path / "nowhere" / "speech.wav", b"data")


FULL_DISK = """
import resource, sys
from pathlib import Path
from ttsops.audio import atomic_file
from ttsops.errors import AudioError

# No file of this process may grow beyond 64 kB: writes fail as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
path = Path(sys.argv[1])
try:
    with atomic_file(path) as file:
        for _ in range(int(sys.argv[2])):
            file.write(bytes(1000))
except AudioError as error:
    print(error)
"""


@pytest.mark.parametrize("n_blocks", [66, 1000])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, n_blocks: int) -> None:
    """Also when it is noticed only at the end, with the last bytes still in the buffer."""
    path = tmp_path / "speech.wav"
    write_atomically(path, b"old")
    command = [sys.executable, "-c", FULL_DISK, str(path), str(n_blocks)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert output == f"cannot write `{path}`: File too large\n"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["speech.wav"]


def test_a_failing_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(AudioError, match="No space left"):
        write_atomically(tmp_path / "speech.wav", b"data")
    assert names(tmp_path) == []
