"""The checks: one promise of the contract each, as a plain function of a loaded engine.

A check returns if the promise is kept, raises `CheckFailed` if it is not, and `NotApplicable` if the card
does not make it. Each leaves the engine as it found it, without an open utterance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ttsops.engines.contract import Engine, OptionSpec
from ttsops.errors import TtsOpsError, UnknownVoice
from ttsops.speech import SpeechRequest
from ttsops.testing.outcome import NotApplicable, require
from ttsops.testing.speaking import Spoken, finish, speak, speak_together

TEXT = "The first bus leaves at seven. If it rains, take a coat and wait inside."
OTHER_TEXTS = (
    "Bread is best on the day it is made.",
    "She counted the boats, one by one, until the light was gone.",
    "No.",
)
PIECES = ("The fir", "st bus leaves ", "at seven. If", " it rains, take a coat and wait ins", "ide.")
ODD_TEXTS = (
    "",
    " \n ",
    "...",
    "?!",
    "\N{GRINNING FACE}",
    "a\0b",
    "<b>&[[x]]",
    "\ud800",
    "漢字と仮名",
    "x" * 400,
)
"""Texts a caller may send by accident: each must end, with or without audio, and harm nobody."""

SEED = 7
CHARS_PER_SECOND = (3.0, 60.0)
"""No speech is slower or faster; a wrong sample rate is likely to be."""

LOOSE = 0.15
"""By how much durations may differ where the card promises no equal samples."""


def check_card(engine: Engine) -> None:
    """What the card declares is there and fits together."""
    card = engine.card
    for name in ("name", "summary", "licence", "default_voice"):
        require(getattr(card, name), f"the card has no `{name}`")
    for number in ("sample_rate", "max_batch", "max_streams", "max_text_chars"):
        require(getattr(card, number) >= 1, f"the card's `{number}` is {getattr(card, number)}")
    ids = [voice.id for voice in engine.voices()]
    require(len(ids) == len(set(ids)), "two voices have the same id")
    require(card.default_voice in ids, f"the default voice `{card.default_voice}` is not among its voices")
    for alias, voice in card.aliases.items():
        require(voice in ids, f"the alias `{alias}` means `{voice}`, which is not among its voices")
    for option in card.options:
        _check_option(option)


def _check_option(option: OptionSpec) -> None:
    require(option.help, f"option `{option.name}` does not say what it is")
    kinds: dict[str, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": (int, float), "str": str}
    default = option.default
    require(
        isinstance(default, kinds[option.kind]), f"option `{option.name}`: {default!r} is no {option.kind}"
    )
    if isinstance(default, int | float):
        is_inside = (option.minimum is None or default >= option.minimum) and (
            option.maximum is None or default <= option.maximum
        )
        require(is_inside, f"option `{option.name}`: its default {default!r} is out of its own range")
    if option.choices:
        require(default in option.choices, f"option `{option.name}`: {default!r} is none of its choices")


def check_speaks(engine: Engine) -> None:
    """A sentence becomes finite mono float32 audio of a believable length, whatever came before."""
    spoken = speak(engine, SpeechRequest(TEXT, seed=SEED))
    require(len(spoken.samples), "finished without a sample")
    require(float(np.abs(spoken.samples).max()) > 1e-3, "the audio is silent")
    pace = len(TEXT) / spoken.seconds
    slowest, fastest = CHARS_PER_SECOND
    require(
        slowest <= pace <= fastest,
        f"speaks {pace:.1f} characters a second at the card's {engine.card.sample_rate} Hz",
    )


def check_unknown_voice(engine: Engine) -> None:
    """A voice it does not have is refused with `UnknownVoice`, before any work."""
    for voice in ("no such voice", "../../etc/passwd", f"{engine.card.default_voice}+no such variant"):
        try:
            engine.close(engine.open(SpeechRequest(TEXT, voice=voice)))
        except UnknownVoice as e:
            require(e.param == "voice", "UnknownVoice does not name its parameter `voice`")
        else:
            require(False, f"opened an utterance with the voice `{voice}`")


def check_abandoned(engine: Engine) -> None:
    """Closing an utterance at any moment leaves the engine usable, for those beside it in the batch too."""
    engine.close(engine.open(SpeechRequest(TEXT)))
    leaver, stayer = engine.open(SpeechRequest(TEXT)), engine.open(SpeechRequest(TEXT))
    both = [leaver, stayer]
    for batch in [both] if engine.card.max_batch > 1 else [[leaver], [stayer]]:
        engine.step(batch)
    engine.close(leaver)
    engine.step([stayer])
    engine.close(stayer)
    check_speaks(engine)


def check_close(engine: Engine) -> None:
    """Close never raises: fresh, half-way, finished, or a second time."""
    fresh, half_way, finished = (engine.open(SpeechRequest(text)) for text in OTHER_TEXTS)
    engine.step([half_way])
    finish(engine, finished)
    for name, utterance in (("fresh", fresh), ("half-way", half_way), ("finished", finished)):
        for time in ("", " a second time"):
            try:
                engine.close(utterance)
            except Exception as e:
                require(False, f"close of a {name} utterance{time} raised {type(e).__name__}: {e}")


def check_done_is_final(engine: Engine) -> None:
    """After `is_done` no sample follows, whether a further step is refused or answered."""
    utterance = engine.open(SpeechRequest(OTHER_TEXTS[0]))
    finish(engine, utterance)
    try:
        after = engine.step([utterance])[0]
        require(not len(after.samples) and not after.marks, "a step after `is_done` gave more audio")
        require(after.is_done or after.error, "a step after `is_done` says that it is not done")
    except TtsOpsError:
        pass  # refused: as good
    finally:
        engine.close(utterance)


def check_odd_texts(engine: Engine) -> None:
    """Texts without a word, with markup, control characters or other scripts end, and the engine goes on."""
    for text in ODD_TEXTS:
        try:
            speak(engine, SpeechRequest(text))
        except TtsOpsError:
            pass  # a clear refusal of this one utterance
        except Exception as e:
            require(False, f"the text {text!r} ends in {type(e).__name__}: {e}")
    check_speaks(engine)


def check_repeats(engine: Engine) -> None:
    """The same request with the same seed gives the same samples, whatever was said in between."""
    if not engine.card.deterministic:
        raise NotApplicable("the card says `deterministic=False`")
    request = SpeechRequest(TEXT, seed=SEED)
    first = speak(engine, request)
    speak(engine, SpeechRequest(OTHER_TEXTS[0], seed=SEED + 1))
    _require_equal(engine, first, speak(engine, request), "said again", atol=0.0)


def check_batched_equals_single(engine: Engine, atol: float = 1e-4) -> None:
    """What a listener hears does not depend on who else is listening."""
    requests = [SpeechRequest(text, seed=SEED + i) for i, text in enumerate((TEXT, *OTHER_TEXTS))]
    alone = [speak(engine, request) for request in requests]
    together = speak_together(engine, requests)
    for request, one, other in zip(requests, alone, together, strict=True):
        _require_equal(engine, one, other, f"{request.text!r} among others", atol=atol)


def check_pieces_equal_whole(engine: Engine, atol: float = 1e-4) -> None:
    """Text fed in pieces, cut anywhere, gives the same speech and the same marks as text given whole."""
    _require_pieces(engine)
    request = SpeechRequest(TEXT, seed=SEED)
    whole = speak(engine, request)
    in_pieces = speak(engine, request, pieces=PIECES)
    _require_equal(engine, whole, in_pieces, "text in pieces", atol=atol)
    places = [[(mark.text_start, mark.text_length) for mark in one.marks] for one in (whole, in_pieces)]
    require(places[0] == places[1], f"text in pieces has other marks: {places[1]}, not {places[0]}")


def check_waits_for_text(engine: Engine) -> None:
    """Without text it says `needs_text` instead of ending; told that none will come, it ends."""
    _require_pieces(engine)
    utterance = engine.open(SpeechRequest("", is_text_complete=False))
    try:
        starved = engine.step([utterance])[0]
        require(starved.needs_text and not starved.is_done, "without text it does not say `needs_text`")
        engine.end(utterance)
        ended = engine.step([utterance])[0]
        require(ended.is_done and not len(ended.samples), "told that no text will come, it does not end")
    finally:
        engine.close(utterance)


def check_marks(engine: Engine) -> None:
    """Word marks are in order, lie in the text and in the audio, and come no later than their audio."""
    if not engine.card.gives_word_marks:
        raise NotApplicable("the card says `gives_word_marks=False`")
    text = f"Où est le café \N{GRINNING FACE}? {TEXT}"
    spoken = speak(engine, SpeechRequest(text, seed=SEED))
    times = [0.0, *(mark.start_seconds for mark in spoken.marks)]
    words = [text[mark.text_start : mark.text_start + mark.text_length] for mark in spoken.marks]
    require(times == sorted(times), f"marks are not in order: {times}")
    last = f"the last word is marked at {times[-1]:.2f} s of {spoken.seconds:.2f} s"
    require(0.7 * spoken.seconds <= times[-1] <= spoken.seconds, last)
    stripped = [word.strip(" .,?!") for word in words]
    for word in ("café", "first", "bus", "seven", "inside"):
        require(word in stripped, f"no mark for the word {word!r}; marked: {stripped}")


def check_speed(engine: Engine) -> None:
    """Twice the speed takes about half the time."""
    if not engine.card.has_speed:
        raise NotApplicable("the card says `has_speed=False`")
    slow, fast = (speak(engine, SpeechRequest(TEXT, speed=speed, seed=SEED)) for speed in (1.0, 2.0))
    ratio = fast.seconds / slow.seconds
    require(0.35 <= ratio <= 0.7, f"at speed 2 the text takes {ratio:.2f} of its time at speed 1")


def check_speaks_as_each_alias(engine: Engine) -> None:
    """Every alias, and a named variant of the default voice, can be opened and heard."""
    if not engine.card.aliases and not engine.card.voice_variants:
        raise NotApplicable("the card has no aliases and no variants")
    named = set(engine.card.aliases.values())
    base = engine.card.default_voice.partition("+")[0]
    named |= {f"{base}+{variant}" for variant in engine.card.voice_variants[:3]}
    for voice in sorted(named):
        spoken = speak(engine, replace(SpeechRequest(OTHER_TEXTS[0]), voice=voice, seed=SEED))
        require(len(spoken.samples), f"the voice `{voice}` gave no sample")


def _require_pieces(engine: Engine) -> None:
    if not engine.card.takes_text_in_pieces:
        raise NotApplicable("the card says `takes_text_in_pieces=False`")


def _require_equal(engine: Engine, expected: Spoken, actual: Spoken, what: str, *, atol: float) -> None:
    """The same samples; or, where the card promises none, about the same duration."""
    if not engine.card.deterministic:
        difference = abs(actual.seconds - expected.seconds) / max(expected.seconds, 1e-9)
        require(
            difference <= LOOSE, f"{what}: {actual.seconds:.2f} s of audio, alone {expected.seconds:.2f} s"
        )
        return
    n_expected, n_actual = len(expected.samples), len(actual.samples)
    require(n_expected == n_actual, f"{what}: {n_actual} samples instead of {n_expected}")
    difference = float(np.abs(expected.samples - actual.samples).max(initial=0.0))
    require(difference <= atol, f"{what}: samples differ by up to {difference:g}, allowed {atol:g}")
