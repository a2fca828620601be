"""Recordings of consents: kept as they came, looked up by id, and copied into the voices made with them."""

from pathlib import Path

import pytest
from speech_like import babble, wav_bytes
from voice_folder import recording

from ttsops import errors
from ttsops.voices.consents import ConsentBook
from ttsops.voices.library import VoiceLibrary

pytestmark = pytest.mark.unit


@pytest.fixture
def book(tmp_path: Path) -> ConsentBook:
    return ConsentBook(tmp_path / "voices")


def test_a_consent_is_kept_as_it_came(book: ConsentBook) -> None:
    given = book.add("John  Doe", "en-US", recording(), source_name="yes.wav")
    assert (given.name, given.language, given.source_name) == ("John Doe", "en-US", "yes.wav")
    assert book.get(given.id) == given
    assert book.recording(given.id) == recording()
    assert book.list() == [given]


def test_they_are_no_voices(book: ConsentBook) -> None:
    book.add("John Doe", "en", recording())
    assert VoiceLibrary(book.folder.parent).ids() == ()


def test_a_consent_can_be_renamed_and_removed(book: ConsentBook) -> None:
    given = book.add("Jon", "en", recording())
    assert book.rename(given.id, "John").name == "John"
    assert book.get(given.id).name == "John"
    book.remove(given.id)
    assert book.list() == []
    assert [path.name for path in book.folder.iterdir()] == [".lock"]
    for refused in (book.get, book.recording, book.remove):
        with pytest.raises(errors.ConsentNotFound):
            refused(given.id)


def test_a_voice_keeps_its_copy_of_a_consent_that_is_deleted(book: ConsentBook) -> None:
    library = VoiceLibrary(book.folder.parent)
    given = book.add("Bob", "en", recording(1))
    library.add(
        "en-Bob_man", recording(2), consent=given.for_voice(), consent_recording=book.recording(given.id)
    )
    book.remove(given.id)
    assert library.file("en-Bob_man", "consent.audio") == recording(1)
    assert library.get("en-Bob_man").consent.who == "Bob"
    assert given.id in library.get("en-Bob_man").consent.id


@pytest.mark.parametrize("consent_id", ["", "..", "../voices", "cons_", "cons_" + "x" * 24, ".lock", "a\0b"])
def test_a_name_that_could_be_a_path_is_not_found(book: ConsentBook, consent_id: str) -> None:
    book.add("John", "en", recording())
    for look_up in (book.get, book.recording, book.remove):
        with pytest.raises(errors.ConsentNotFound):
            look_up(consent_id)
    assert len(book.list()) == 1


@pytest.mark.parametrize(
    ("name", "language", "data", "code"),
    [
        ("", "en", recording(), "invalid_value"),
        ("John", "", recording(), "invalid_value"),
        ("John", "../en", recording(), "invalid_value"),
        ("John", "en", b"no audio", "unreadable_reference"),
        ("John", "en", wav_bytes(babble(2, level=0)), "silent_reference"),
    ],
)
def test_what_is_no_consent_is_refused_and_not_kept(
    book: ConsentBook, name: str, language: str, data: bytes, code: str
) -> None:
    with pytest.raises(errors.RequestError) as caught:
        book.add(name, language, data)
    assert caught.value.code == code
    assert book.list() == []


def test_a_recording_that_was_exchanged_is_noticed(book: ConsentBook) -> None:
    given = book.add("John", "en", recording())
    (book.folder / given.id / "consent.audio").write_bytes(recording(5))
    with pytest.raises(errors.AudioError, match="changed or damaged"):
        book.recording(given.id)
