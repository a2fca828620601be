"""espeak-ng's C library through ctypes: voices, and one text at a time into a callback.

It is one singleton per process: two threads in it at once end in SIGFPE, so every call holds one lock. State
is carried over from call to call and nothing resets it, not even its random seed: the same text twice gives
nearly the same samples, never exactly. Names and structures: espeak-ng 1.52,
https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import espeakng_loader

from ttsops.errors import EngineError, EngineUnavailable

CHUNK_MILLISECONDS = 60
"""Audio per callback; the library makes it no smaller. About 40 us of work."""

MIN_WORDS_PER_MINUTE = 80

VOLUME = 75
"""Per cent. At the library's own 100 the klatt voices clip; at 75 nothing does, with 2 dB to spare."""

_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_POSITION_IN_CHARACTERS = 1
_UTF8 = 0x1
_END_PAUSE = 0x1000
_RATE, _VOLUME, _PITCH, _PITCH_RANGE, _WORD_GAP = 1, 2, 3, 4, 7
_EVENT_END, _EVENT_WORD = 0, 1
_OK = 0


_loading = threading.Lock()


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters, the first is 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),  # the same, in samples from the start of the call
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # (priority byte, string, 0) …, 0
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """An entry of the library's own list."""

    identifier: str
    """Its file in the data directory: `gmw/en-US`, or `!v/f3` for a variant."""

    name: str
    languages: tuple[tuple[int, str], ...]
    """Codes such as `en-us`, each with its priority: of two voices with one code the lower goes first."""

    gender: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word event."""

    text_position: int
    """Index of a character in the text given, 0 for the first."""

    sample: int
    """From the first sample of the call."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a text is spoken."""

    voice: str
    """A `VoiceFile.identifier`, or two joined by `+` with the variant second."""

    words_per_minute: int
    """80 to about 2000."""

    pitch: int
    """0 to 100, 50 is the voice's own."""

    pitch_range: int
    """How far intonation moves the pitch: 0 to 100, 50 is the voice's own."""

    word_gap: int
    """Silence between words, in units that are 32 ms at 80 words per minute."""


OnAudio = Callable[[bytes, list[Word]], bool]
"""Takes s16 samples and the words that begin in them; False stops the synthesis."""


class Library:
    """The loaded library. Every method may be called from any thread and waits for its turn."""

    def __init__(self) -> None:
        try:
            self._c = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (OSError, RuntimeError) as e:
            hint = "pip install --force-reinstall espeakng-loader"
            raise EngineUnavailable(f"espeak-ng's library cannot be loaded: {e}", hint=hint) from e
        self._declare()
        self._lock = threading.Lock()
        self._on_audio: OnAudio = lambda samples, words: False
        self._failure: BaseException | None = None
        self._spoken_as = ""
        self.sample_rate = int(
            self._c.espeak_Initialize(_SYNCHRONOUS, CHUNK_MILLISECONDS, data.encode(), _DO_NOT_EXIT)
        )
        if self.sample_rate <= 0:
            raise EngineUnavailable(f"espeak-ng cannot use its data in {data}")
        self._callback = _SynthCallback(self._hear)  # must outlive every call
        self._c.espeak_SetSynthCallback(self._callback)

    def _declare(self) -> None:
        c = self._c
        c.espeak_Initialize.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        c.espeak_ListVoices.argtypes = (ctypes.POINTER(_Voice),)
        c.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        c.espeak_SetVoiceByName.argtypes = (ctypes.c_char_p,)
        c.espeak_SetParameter.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int)
        c.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.POINTER(ctypes.c_uint),
            ctypes.c_void_p,
        )

    def voices(self) -> list[VoiceFile]:
        """One for each language and dialect."""
        with self._lock:
            return list(self._list(None))

    def variants(self) -> list[VoiceFile]:
        """Ways to change the sound of any voice."""
        wanted = ctypes.create_string_buffer(b"variant")
        spec = _Voice(languages=ctypes.addressof(wanted))
        with self._lock:
            return list(self._list(spec))

    def _list(self, spec: _Voice | None) -> Iterator[VoiceFile]:
        genders = {1: "male", 2: "female"}
        found = self._c.espeak_ListVoices(ctypes.byref(spec) if spec else None)
        i = 0
        while found[i]:
            voice = found[i].contents
            yield VoiceFile(
                voice.identifier.decode(),
                voice.name.decode().strip(),
                tuple(_read_languages(voice.languages)),
                genders.get(voice.gender, ""),
            )
            i += 1

    def speak(self, text: str, delivery: Delivery, on_audio: OnAudio, *, has_end_pause: bool) -> None:
        """Synthesise `text` (no NUL in it) on this thread, giving audio to `on_audio` as it is made.

        Plain text: neither SSML nor phonemes are read in it. Raises `EngineError`, or what `on_audio` raised.
        """
        data = text.encode()
        flags = _UTF8 | (_END_PAUSE if has_end_pause else 0)
        with self._lock:
            self._set(delivery)
            self._on_audio, self._failure = on_audio, None
            status = self._c.espeak_Synth(
                data, len(data) + 1, 0, _POSITION_IN_CHARACTERS, 0, flags, None, None
            )
            failure, self._failure = self._failure, None
        if failure:
            raise failure
        if status != _OK:
            raise EngineError(f"espeak-ng refused a text of {len(text)} characters: status {status}")

    def _set(self, delivery: Delivery) -> None:
        if delivery.voice != self._spoken_as:  # 0.1 ms: it reads the voice's file
            self._spoken_as = ""
            if self._c.espeak_SetVoiceByName(delivery.voice.encode()) != _OK:
                raise EngineError(f"espeak-ng cannot load the voice `{delivery.voice}`")
            self._spoken_as = delivery.voice
        self._c.espeak_SetParameter(_VOLUME, VOLUME, 0)
        self._c.espeak_SetParameter(_RATE, delivery.words_per_minute, 0)
        self._c.espeak_SetParameter(_PITCH, delivery.pitch, 0)
        self._c.espeak_SetParameter(_PITCH_RANGE, delivery.pitch_range, 0)
        self._c.espeak_SetParameter(_WORD_GAP, delivery.word_gap, 0)

    def _hear(self, wav: int | None, n_samples: int, events: ctypes._Pointer[_Event]) -> int:
        """The library's callback. An exception would be printed and lost here, so it is kept for `speak`."""
        try:
            samples = ctypes.string_at(wav, 2 * n_samples) if wav and n_samples > 0 else b""
            return 0 if self._on_audio(samples, list(_words(events))) else 1
        except BaseException as e:
            self._failure = e
            return 1


def _words(events: ctypes._Pointer[_Event]) -> Iterator[Word]:
    i = 0
    while (event := events[i]).type != _EVENT_END:
        if event.type == _EVENT_WORD:
            yield Word(event.text_position - 1, event.sample)
        i += 1


def _read_languages(address: int) -> Iterator[tuple[int, str]]:
    while priority := ctypes.string_at(address, 1)[0]:
        language = ctypes.string_at(address + 1)
        yield priority, language.decode()
        address += 1 + len(language) + 1


@functools.cache
def _load_once() -> Library:
    return Library()


def load() -> Library:
    """The process's one library; the first call initialises it. Raises `EngineUnavailable`."""
    with _loading:  # the cache alone would let two threads initialise it twice
        return _load_once()
