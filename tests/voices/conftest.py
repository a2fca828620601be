from pathlib import Path

import pytest
from voice_folder import ALICE, CONSENT, recording

from ttsops.voices.library import VoiceLibrary


@pytest.fixture
def library(tmp_path: Path) -> VoiceLibrary:
    made = VoiceLibrary(tmp_path / "voices")
    made.add(ALICE, recording(), "Hello there", consent=CONSENT, source_name="alice.wav", licence="CC0")
    return made
