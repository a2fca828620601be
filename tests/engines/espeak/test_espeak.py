import ast
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from ttsops.engines import EngineConfig, registry
from ttsops.engines.espeak import library
from ttsops.engines.espeak.delivery import to_delivery
from ttsops.engines.espeak.engine import MAX_STEP_CHUNKS, EspeakEngine
from ttsops.engines.espeak.utterance import MAX_PHRASE_CHARS
from ttsops.errors import ConfigError
from ttsops.speech import Samples, SpeechRequest
from ttsops.testing import check_engine, speak

pytestmark = pytest.mark.unit

TEXT = (
    'On Tuesday the baker, who had slept badly, opened late; nobody minded. "Why?" she asked. '
    "They all had keys, you see, and the bread was cold (as usual): it always is. Well, that is that."
)
CHUNK_SAMPLES = 1324


@pytest.fixture(scope="module")
def engine() -> Iterator[EspeakEngine]:
    engine = registry.create("espeak")
    assert isinstance(engine, EspeakEngine)
    yield engine
    engine.shutdown()


def test_espeak_passes_the_conformance_checks() -> None:
    report = check_engine(lambda: registry.create("espeak"))
    assert report.is_passed, str(report)
    skipped = {one.name for one in report.results if one.outcome == "not applicable"}
    assert skipped == {"repeats"}


def test_the_first_chunk_leaves_long_before_the_phrase_has_ended(engine: EspeakEngine) -> None:
    """It must not wait for the phrase of ten seconds; on a busy machine more than one chunk may be there."""
    firsts = []
    for _ in range(10):
        utterance = engine.open(SpeechRequest("a phrase of a hundred and fifty characters " * 3))
        firsts.append(len(engine.step([utterance])[0].samples))
        engine.close(utterance)
    assert min(firsts) < MAX_STEP_CHUNKS * CHUNK_SAMPLES
    assert max(firsts) <= MAX_STEP_CHUNKS * CHUNK_SAMPLES


def test_no_more_than_one_phrase_is_made_ahead(engine: EspeakEngine) -> None:
    utterance = engine.open(SpeechRequest("word " * 30_000))
    other = engine.open(SpeechRequest("Another one."))
    engine.step([utterance])
    engine.step([other])  # the lane has left the first phrase by now
    assert utterance.phrase
    seconds = sum(len(part.samples) for part in utterance.phrase.heard) / 2 / 22_050
    assert 1 < seconds < MAX_PHRASE_CHARS * 0.15
    for one in (utterance, other):
        engine.close(one)


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 4.0])
def test_speed_is_really_applied(engine: EspeakEngine, speed: float) -> None:
    text = "When the meeting was over we walked along the river. It had rained, but the path was dry."
    normal = speak(engine, SpeechRequest(text)).seconds
    assert normal / speak(engine, SpeechRequest(text, speed=speed)).seconds == pytest.approx(speed, rel=0.12)


def pitch_hz(samples: Samples) -> float:
    """Median over frames of the shortest lag at which a voiced frame is nearly as similar as at its best."""
    smooth = np.convolve(samples, np.ones(24) / 24)  # leaves little above 900 Hz: the formants
    found = []
    for start in range(0, len(smooth) - 2400, 1200):
        frame = smooth[start : start + 2400] - smooth[start : start + 2400].mean()
        if np.sqrt((frame**2).mean()) < 0.01:
            continue
        similarity = np.correlate(frame, frame, "full")[2399:] / np.arange(2400, 0, -1)
        lags = np.arange(41, 799)
        is_peak = (similarity[lags] >= similarity[lags - 1]) & (similarity[lags] >= similarity[lags + 1])
        peaks = lags[is_peak & (similarity[lags] > 0.92 * similarity[40:800].max())]
        found += [22_050 / lag for lag in peaks[:1]]
    return float(np.median(found))


@pytest.mark.parametrize("voice", ["en-us", "en-us+klatt4", "en-us+f2"])
@pytest.mark.parametrize("pitch", [0.6, 0.7, 0.85, 1.2, 1.5, 1.8])
def test_pitch_is_really_applied(engine: EspeakEngine, voice: str, pitch: float) -> None:
    text = "Many men may marry anyone in May, my mother and your eleven aunts know."
    normal, changed = (
        pitch_hz(speak(engine, SpeechRequest(text, voice=voice, pitch=factor)).samples)
        for factor in (1.0, pitch)
    )
    assert changed / normal == pytest.approx(pitch, rel=0.08)


@pytest.mark.parametrize("voice", ["en-us+klatt4", "en-us+klatt5", "en-gb+klatt4", "en-us+steph2"])
def test_loud_voices_do_not_clip(engine: EspeakEngine, voice: str) -> None:
    samples = speak(engine, SpeechRequest(TEXT, voice=voice)).samples
    assert 0.3 < np.abs(samples).max() < 0.97


def test_phrase_by_phrase_takes_as_long_as_the_library_takes_for_the_whole(engine: EspeakEngine) -> None:
    heard = bytearray()
    delivery = to_delivery("gmw/en-US+klatt4", 1.0, 1.0)
    library.load().speak(TEXT, delivery, lambda samples, _: not heard.extend(samples), has_end_pause=False)
    whole_seconds = len(heard) / 2 / 22_050
    assert speak(engine, SpeechRequest(TEXT)).seconds == pytest.approx(whole_seconds, rel=0.01)


def words_of(engine: EspeakEngine, text: str) -> list[str]:
    marks = speak(engine, SpeechRequest(text)).marks
    return [text[mark.text_start : mark.text_start + mark.text_length] for mark in marks]


def test_every_word_is_marked_across_phrases(engine: EspeakEngine) -> None:
    words = words_of(engine, TEXT)
    spoken = [word.strip('"(),.;:?') for word in TEXT.split()]
    missing = [word for word in spoken if word not in words]
    assert set(words) <= set(spoken)
    assert len(missing) <= 2, f"espeak joins a few pairs such as `of the`; missing: {missing}"


def test_text_is_plain_text(engine: EspeakEngine) -> None:
    assert words_of(engine, "a <b>bold</b> word") == ["a", "b>bold</b", "word"]
    phonemes = speak(engine, SpeechRequest("[[h@l'oU]] there")).seconds
    assert phonemes > 2 * speak(engine, SpeechRequest("hello there")).seconds, "read as phonemes, not as text"


def test_a_nul_does_not_end_the_text(engine: EspeakEngine) -> None:
    assert words_of(engine, "one\0 two\ud800 three") == ["one", "two", "three"]


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "?!", "—", "。", "\0"])
def test_text_without_a_word_ends_without_a_sample(engine: EspeakEngine, text: str) -> None:
    assert len(speak(engine, SpeechRequest(text)).samples) == 0


def test_every_voice_and_every_variant_speaks(engine: EspeakEngine) -> None:
    voices = [voice.id for voice in engine.voices()]
    voices += [f"en-us+{variant}" for variant in engine.card.voice_variants]
    text = "1 2 a Чӑваш ᏣᎳᎩ"  # a few know no digits
    silent = [one for one in voices if not len(speak(engine, SpeechRequest(text, voice=one)).samples)]
    assert silent == []


def test_the_language_of_a_request_is_spoken_with_the_voices_own_sound(engine: EspeakEngine) -> None:
    text = "Ich möchte heute nach Zürich fahren."
    german = speak(engine, SpeechRequest(text, voice="de+f3")).seconds
    moved = speak(engine, SpeechRequest(text, voice="en-us+f3", language="de-DE")).seconds
    english = speak(engine, SpeechRequest(text, voice="en-us+f3")).seconds
    assert moved == pytest.approx(german, rel=0.02)
    assert moved != pytest.approx(english, rel=0.02)


def test_it_has_no_options() -> None:
    with pytest.raises(ConfigError, match="has no option `voice`"):
        registry.create("espeak", EngineConfig(options={"voice": "de"}))


@pytest.mark.server
def test_two_engines_in_one_process_keep_out_of_each_others_way() -> None:
    """Two threads inside the library at once end the process with SIGFPE."""
    script = f"""
import threading
from ttsops.engines import registry
from ttsops.speech import SpeechRequest
from ttsops.testing import speak
heard = set()
def run(voice):
    engine = registry.create("espeak")
    for _ in range(15):
        heard.add((voice, round(speak(engine, SpeechRequest({TEXT!r}, voice=voice)).seconds, 1)))
    engine.shutdown()
threads = [threading.Thread(target=run, args=(voice,)) for voice in ("en-us+klatt4", "de")]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(sorted(heard))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    heard = ast.literal_eval(result.stdout)
    for voice in ("en-us+klatt4", "de"):
        seconds = [one for name, one in heard if name == voice]
        assert 10 < max(seconds) < 16
        assert max(seconds) - min(seconds) <= 0.3, "each voice takes its own time, always"
