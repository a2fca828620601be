"""A disk without room: the import is refused, says so, and leaves nothing. On a real, small file system."""

from pathlib import Path

import pytest
from speech_like import babble, wav_bytes
from voice_folder import CONSENT, files

from ttsops.errors import AudioError
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit

KIB = 1024


def test_a_full_disk_leaves_the_voices_that_were_there(small_disk: Path) -> None:
    library = VoiceLibrary(small_disk / "voices")
    small = wav_bytes(babble(2.2, seed=1))
    library.add("en-Alice_woman", small, "Some words.", consent=CONSENT)
    before = files(library)
    large = wav_bytes(babble(12.0, seed=2))
    for _ in range(3):
        with pytest.raises(AudioError, match="No space left on device"):
            library.add("en-Bob_man", large, "Some words.", consent=CONSENT)
        with pytest.raises(AudioError, match="No space left on device"):
            library.set_override("en-Alice_woman", large, "Some words.", consent=CONSENT)
    assert files(library) == before
    assert sum(len(data) for data in before.values()) < 512 * KIB
    assert library.ids() == ("en-Alice_woman",)
    library.recording("en-Alice_woman")
