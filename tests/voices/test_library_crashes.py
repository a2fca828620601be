"""A voice is whole for every reader, whoever changes it meanwhile and however that ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from voice_folder import ALICE, BOB, CONSENT, files, override, recording

from ttsops import errors
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)


def test_every_change_is_another_generation(library: VoiceLibrary) -> None:
    seen = {library.generation(ALICE)}
    assert library.generation(ALICE) in seen, "reading changes nothing"
    library.add(BOB, recording(9), "Text.", consent=CONSENT)
    assert library.generation(ALICE) in seen, "nor does another voice"
    for seed in range(1, 6):
        override(library, seed)
        seen.add(library.generation(ALICE))
    library.reset_override(ALICE)
    seen.add(library.generation(ALICE))
    assert len(seen) == 7
    library.reset_override(ALICE)
    assert library.generation(ALICE) in seen, "nothing was there to be taken back"


SPEAK = """
import sys, time
from ttsops.voices.library import VoiceLibrary
library = VoiceLibrary(sys.argv[1])
first = library.generation("en-Alice_woman")
print("ready", flush=True)
while library.generation("en-Alice_woman") == first:
    time.sleep(0.001)
print(library.reference("en-Alice_woman").transcript, flush=True)
"""


def test_another_process_notices_an_override_at_once(library: VoiceLibrary) -> None:
    command = [sys.executable, "-c", SPEAK, str(library.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "ready\n"
        override(library)
        assert engine.stdout.readline() == "Another text. \n"


FULL_DISK = """
import resource, sys
from speech_like import babble, wav_bytes
from ttsops.errors import AudioError
from ttsops.voices.library import VoiceLibrary

data = wav_bytes(babble(3.0, rate=16_000, seed=6), 16_000)
library = VoiceLibrary(sys.argv[1])
# No file of this process may grow beyond so many bytes: writes fail as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    match sys.argv[2]:
        case "add":
            library.add("en-Bob_man", data, "Text.", consent="Bob agreed")
        case "override":
            library.set_override("en-Alice_woman", data, "New text.", consent="Alice agreed")
        case "reset":
            library.reset_override("en-Alice_woman")
except AudioError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("change", "limit"), [("add", 0), ("add", 50_000), ("override", 50_000), ("reset", 100)]
)
def test_a_full_disk_leaves_the_old_state_and_nothing_else(
    library: VoiceLibrary, change: str, limit: int
) -> None:
    override(library)
    before, generation = files(library), library.generation(ALICE)
    done = run(FULL_DISK, library.folder, change, limit)
    assert "File too large" in done.stdout, done.stderr
    assert files(library) == before
    assert library.generation(ALICE) == generation
    assert [path.name for path in library.folder.iterdir() if path.name.startswith(".draft")] == []


def test_a_manifest_that_cannot_be_written_leaves_the_old_state(
    library: VoiceLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full after the recording, just before what would make it count."""
    override(library)
    before = files(library)
    replace = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if target.name == "voice.json":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(errors.AudioError, match="No space left"):
        override(library, 2)
    with pytest.raises(errors.AudioError, match="No space left"):
        library.add(BOB, recording(3), "Text.", consent=CONSENT)
    assert files(library) == before


KILLED = """
import os, sys
from pathlib import Path
from speech_like import babble, wav_bytes
from ttsops.voices import library as module

left = int(sys.argv[3])

def die_after(function):
    def call(*arguments, **more):
        global left
        if not left:
            os.kill(os.getpid(), 9)
        left -= 1
        return function(*arguments, **more)
    return call

module.write_atomically = die_after(module.write_atomically)
Path.rename = die_after(Path.rename)
Path.unlink = die_after(Path.unlink)
library = module.VoiceLibrary(sys.argv[1])
data = wav_bytes(babble(3.0, rate=16_000, seed=5), 16_000)
match sys.argv[2]:
    case "add":
        library.add("en-Bob_man", data, "Text.", consent="Bob agreed")
    case "override":
        library.set_override("en-Alice_woman", data, "New text.", consent="Alice agreed")
    case "reset":
        library.reset_override("en-Alice_woman")
    case "remove":
        library.remove("en-Alice_woman")
"""


@pytest.mark.parametrize("change", ["add", "override", "reset", "remove"])
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new_one(library: VoiceLibrary, change: str) -> None:
    override(library)
    old = (library.ids(), library.get(ALICE).active.transcript)
    new = {
        "add": ((ALICE, BOB), "Another text. "),
        "override": ((ALICE,), "New text. "),
        "reset": ((ALICE,), "Hello there. "),
        "remove": ((), None),
    }[change]
    seen = []
    for n_steps in range(12):
        code = run(KILLED, library.folder, change, n_steps).returncode
        assert code in (0, -9)
        ids = library.ids()
        seen.append((ids, library.get(ALICE).active.transcript if ALICE in ids else None))
        for voice_id in ids:
            library.reference(voice_id)
        if code == 0 or seen[-1] == new:
            break
    assert set(seen) <= {old, new}
    assert seen[-1] == new
    assert len(seen) > 1, "it was killed before the end at least once"
    library.add("en-Carl_man", recording(8), "Text.", consent=CONSENT)
    leftovers = [path.name for path in library.folder.iterdir() if path.name.startswith((".draft", ".gone"))]
    assert leftovers == []


CHANGING = """
import sys
from speech_like import babble, wav_bytes
from ttsops.voices.library import VoiceLibrary

data = wav_bytes(babble(3.0, rate=16_000, seed=int(sys.argv[2])), 16_000)
for _ in range(15):
    VoiceLibrary(sys.argv[1]).set_override("en-Alice_woman", data, "New text.", consent="Alice agreed")
"""


def test_changes_of_two_processes_do_not_mix(library: VoiceLibrary) -> None:
    """Both give the voice another recording, many times; readers never see half of one."""
    writers = [
        subprocess.Popen([sys.executable, "-c", CHANGING, str(library.folder), str(seed)], env=ENVIRONMENT)
        for seed in (11, 12)
    ]
    hashes = set()
    while any(writer.poll() is None for writer in writers):
        hashes.add(library.reference(ALICE).sha256)
        time.sleep(0.001)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(hashes) > 1
    assert len(files(library)) == 4
