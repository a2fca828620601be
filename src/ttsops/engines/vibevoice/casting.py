"""Who says what in a text, and in which voice. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ttsops.engines.vibevoice.card import MAX_SPEAKERS
from ttsops.engines.vibevoice.prompt import Line, script_lines
from ttsops.errors import EmptyText, InvalidValue
from ttsops.text import Script, read_script

EXTRA_PARAM = "options.speakers"


def read_lines(text: str) -> Script:
    """The turns of a script, or of a plain text.

    Raises `EmptyText`, and `InvalidValue` for lines of nobody.
    """
    text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair is no character
    script = read_script(text)
    if script.unread:
        shown = ", ".join(map(str, script.unread[:8])) + (", …" if len(script.unread) > 8 else "")
        raise InvalidValue(
            f"lines {shown} of the script do not say who speaks",
            hint="begin each line with `Speaker 1:`, or none",
            param="text",
        )
    if not script.turns:
        raise EmptyText("there is nothing to say", param="text")
    return script


def cast(script: Script, voice: str, speakers: str) -> tuple[list[Line], list[str]]:
    """The lines with speakers counted from 0, and the voice of each of those.

    `voice` is the script's speaker 1 (or 0, if it counts from 0), `speakers` are the following ones, with
    commas between them. Raises `InvalidValue` for a speaker without a voice, and for too many.
    """
    voices = [voice, *_listed(speakers)]
    if len(voices) > MAX_SPEAKERS:
        raise InvalidValue(
            f"`speakers` names {len(voices) - 1} voices, must be at most {MAX_SPEAKERS - 1}",
            hint="the request's own voice is the first speaker",
            param=EXTRA_PARAM,
        )
    first = min(1, script.speakers[0])
    for speaker in script.speakers:
        if speaker - first >= len(voices):
            raise InvalidValue(
                f"`Speaker {speaker}` of the script has no voice",
                hint=f"name the voices after the first in the option `speakers`, at most {MAX_SPEAKERS - 1}",
                param=EXTRA_PARAM,
            )
    return script_lines(script), [voices[speaker - first] for speaker in script.speakers]


def _listed(speakers: str) -> Sequence[str]:
    return [name.strip() for name in speakers.split(",")] if speakers.strip() else []
