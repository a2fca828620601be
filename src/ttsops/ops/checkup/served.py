"""What is served: engines and the voices made from recordings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ttsops.engines import registry
from ttsops.errors import AudioError, RequestError, TtsOpsError
from ttsops.ops.checkup.check import Check, Word
from ttsops.runtime.references import library_folder
from ttsops.settings import Settings
from ttsops.voices.library import VoiceLibrary


def check_engines(settings: Settings) -> Iterator[Check]:
    """One for each engine that is served, and one for each plugin that is broken. Loads none."""
    for name in settings.served_engines:
        is_default = name == settings.engine
        role = "the default engine" if is_default else "served beside it"
        setup = settings.engine_settings(name)
        facts = {"device": setup.device, "dtype": setup.dtype, "is_default": is_default}
        reason = _missing(name)
        if reason is None:
            yield Check(f"engine {name}", "ok", f"installed, {role}; device {setup.device}", facts=facts)
        else:
            word: Word = "bad" if is_default else "warning"
            yield Check(f"engine {name}", word, reason.message, reason.hint or "", facts)
    for problem in registry.problems():
        yield Check("plugin", "warning", problem, "repair or uninstall the distribution")


def _missing(engine: str) -> TtsOpsError | None:
    try:
        return registry.missing(engine)
    except TtsOpsError as error:
        return error


def check_voices(settings: Settings) -> Check:
    """The folder of recordings: that every voice in it can be read."""
    try:
        folder = library_folder(settings)
    except TtsOpsError as error:
        return Check("voices", "unknown", f"which folder is meant is not known: {error.message}")
    if folder is None:
        return Check("voices", "ok", "no folder of recordings is set; the engines' own voices speak")
    library = VoiceLibrary(folder)
    facts: dict[str, object] = {"folder": str(folder)}
    if not folder.is_dir():
        return Check("voices", "warning", f"there is no folder `{folder}` yet", _IMPORT, facts)
    broken = []
    try:
        ids = library.ids()
    except TtsOpsError as error:
        return Check("voices", "bad", error.message, "look at the folder's permissions", facts)
    for voice in ids:
        try:
            with suppress(RequestError):  # whole, and no reference for an engine that wants a transcript
                library.reference(voice)
        except AudioError as error:
            broken.append(f"{voice}: {error.message}")
    facts |= {"voices": len(ids), "broken": broken}
    if broken:
        told = f"{len(broken)} of {len(ids)} voices cannot be used; the first: {broken[0]}"
        return Check("voices", "warning", told, "`ttsops config restore` brings a backup of them back", facts)
    return Check(
        "voices", "ok", f"{len(ids)} voices in `{folder}`, every recording as it was kept", facts=facts
    )


_IMPORT = "`ttsops voices import` makes it"
