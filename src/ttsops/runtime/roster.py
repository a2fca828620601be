"""Whom an engine can speak as now: what its worker said when it was ready, and the library's voices since.

An engine that speaks from a library looks a voice up when an utterance is opened. So a voice that was added a
moment ago can be spoken at once, and all that is needed here is to know of it. Asking costs one `stat`.
"""

from __future__ import annotations

from pathlib import Path

from ttsops.errors import TtsOpsError
from ttsops.observe.logs import get_logger
from ttsops.speech import Voice
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.suits import suited_voices

_log = get_logger(__name__)


class Roster:
    """The voices of one engine; `folder` is that of the recordings it speaks from, if it does."""

    def __init__(self, folder: Path | None, engine: str = "") -> None:
        """Voices that do not suit `engine` are left out; one that is not known wants a transcript."""
        self._engine = engine
        self._library = VoiceLibrary(folder) if folder is not None else None
        self._own: tuple[Voice, ...] = ()
        self._voices: tuple[Voice, ...] = ()
        self._is_ready = False
        self._mark = -1

    def tell(self, voices: tuple[Voice, ...]) -> None:
        """What the worker says when it is ready."""
        self._voices = self._own = voices
        self._is_ready = True
        self._mark = -1
        if self._library is not None:
            ids = set(self._library.ids())
            self._own = tuple(voice for voice in voices if voice.id not in ids)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """None before the worker was ready for the first time."""
        if self._library is None or not self._is_ready:
            return self._voices
        mark = self._library.mark()
        if mark != self._mark:
            try:
                self._voices = (*self._own, *suited_voices(self._library, self._engine))
            except TtsOpsError as error:  # the folder cannot be read: what was known is the best there is
                _log.warning("voices_unreadable", folder=str(self._library.folder), reason=error.message)
            self._mark = mark
        return self._voices
