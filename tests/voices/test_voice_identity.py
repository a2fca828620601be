"""A voice that speaks from another recording is another voice to whoever compares."""

import pytest
from voice_folder import ALICE, override

from ttsops.engines import registry
from ttsops.runtime.identity import voice_identity
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit


def test_the_identity_follows_the_recording_in_force(library: VoiceLibrary) -> None:
    def identity() -> str:
        return voice_identity(registry.card("f5"), {"voices": str(library.folder)}, ALICE)

    own = identity()
    assert own == library.get(ALICE).baseline.sha256[:16]
    override(library)
    assert identity() not in (own, "")
    library.reset_override(ALICE)
    assert identity() == own
