"""Words heard, and scores that are kept."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ops.quality.conftest import SENTENCES
from ttsops.audio import Format, create_encoder
from ttsops.errors import InvalidValue, NotInstalled
from ttsops.ops.quality.mos import Predictor
from ttsops.ops.quality.scores import KEPT_FILE, KeptScores, Scorer, what_is_missing
from ttsops.ops.quality.words import Recogniser, is_english, n_errors, words
from ttsops.speech import SAMPLE_RATE, Samples

pytestmark = pytest.mark.server

Speech = tuple[Samples, ...]


@pytest.mark.parametrize(
    ("said", "heard", "n"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "", 3),
        ("", "a b", 2),
        ("a b c", "a x c", 1),
        ("a b c", "b c d", 2),
        ("a b c d", "d c b a", 4),
        ("kitten sitting on", "sitting on a mat", 3),
    ],
)
def test_errors_are_the_fewest_changes_of_words(said: str, heard: str, n: int) -> None:
    assert n_errors(said.split(), heard.split()) == n
    assert n_errors(heard.split(), said.split()) == n


def test_words_are_compared_without_case_marks_and_hyphens() -> None:
    assert words("It\u2019s half-past THREE, isn't it?") == ["it's", "half", "past", "three", "isn't", "it"]
    assert words("… — !") == []


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def test_a_recogniser_hears_its_own_sentence_better_than_another(
    recogniser: Recogniser, speech: Speech
) -> None:
    own = [recogniser.hear(one, SAMPLE_RATE, text) for one, text in zip(speech, SENTENCES, strict=True)]
    other = recogniser.hear(speech[0], SAMPLE_RATE, SENTENCES[1])
    assert sum(one.errors for one in own) / sum(one.said for one in own) < 0.4
    assert other.wer > 0.8
    with_digit = recogniser.hear(speech[0], SAMPLE_RATE, SENTENCES[0].replace("nine", "9"))
    assert with_digit == own[0] == recogniser.hear(speech[0], SAMPLE_RATE, SENTENCES[0]), (
        "the same file, the same score"
    )


def test_silence_is_heard_as_no_words(recogniser: Recogniser) -> None:
    found = recogniser.hear(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE, "one two")
    assert found.errors >= 2
    assert len(found.text.split()) <= 1
    with pytest.raises(InvalidValue):
        recogniser.hear(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE, "!")


def test_words_are_heard_in_english_only() -> None:
    assert [is_english(one) for one in ("en", "en-GB", "", "de", "eng")] == [True, True, True, False, False]
    scorer = Scorer(with_mos=False, with_words=True)
    assert scorer.score(wav(sounding()), "eins zwei", "de").words is None
    assert scorer.score(wav(sounding())).words is None


def sounding(seconds: float = 0.5) -> Samples:
    return np.random.default_rng(0).normal(0, 0.05, round(seconds * SAMPLE_RATE)).astype(np.float32)


def wav(samples: Samples) -> bytes:
    encoder = create_encoder(Format.WAV, total_samples=len(samples))
    return encoder.encode(samples) + encoder.finish()


def test_a_kept_score_is_made_once_for_each_content_and_text(tmp_path: Path) -> None:
    loaded: list[str] = []
    path = tmp_path / "one.wav"
    path.write_bytes(wav(sounding()))

    def scores() -> KeptScores:
        scorer = Scorer(with_mos=False, with_words=True, on_load=loaded.append)
        return KeptScores(tmp_path, scorer, with_mos=False, with_words=True)

    first = scores().score(path, "one two", "en")
    assert (scores().score(path, "one two", "en"), loaded) == (first, ["PocketSphinx"])
    scores().score(path, "three", "en")
    path.write_bytes(wav(sounding(0.6)))
    assert scores().score(path, "one two", "en") != first
    assert len(loaded) == 3
    (tmp_path / KEPT_FILE).write_text("cut o")
    assert scores().score(path, "one two", "en").sound.seconds == 0.6


def test_without_the_extra_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("speechmos", "pocketsphinx"):
        monkeypatch.setitem(sys.modules, module, None)
    for make in (Predictor, Recogniser):
        with pytest.raises(NotInstalled) as told:
            make()
        assert told.value.hint == "pip install 'tts-ops[quality]'"
    assert set(what_is_missing()) == {"mos", "words"}
    assert all("tts-ops[quality]" in sentence for sentence in what_is_missing().values())
