"""What a chunk is given: the reference's pace for long texts, enough for short ones, any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.engines.f5.durations import (
    FRAMES_PER_SECOND,
    HOP,
    VoicePace,
    duration_frames,
    reference_duration,
    spoken_units,
)

pytestmark = pytest.mark.unit

ENGLISH = VoicePace("Some call me nature, others call me mother nature. ", 499)
CHINESE = VoicePace("对，这就是我，万人敬仰的太乙真人。", 570)

LONG_TEXTS = {
    "english": (
        ENGLISH,
        "I don't really care what you call me. I've been a silent spectator, watching species evolve, "
        "empires rise and fall. But always remember, I am mighty and enduring.",
    ),
    "chinese": (
        CHINESE,
        "突然，身边一阵笑声。我看着他们，意气风发地挺直了胸膛，甩了甩那稍显肉感的双臂，轻笑道。",
    ),
    "russian": (
        VoicePace("Быстрая рыжая лиса прыгает через ленивую собаку.", 350),
        "Никто не слушал её длинную историю о погоде, но лису это нисколько не смущало, и она продолжала.",
    ),
}

SYLLABLES = {
    "Hi.": 1, "No.": 1, "Yes.": 1, "Okay.": 2, "Hello.": 2, "Banana.": 3, "I am here.": 3, "Good night.": 2,
    "Absolutely.": 4, "Thank you very much.": 5, "Ja.": 1, "Guten Tag.": 3, "Oui.": 1, "好。": 1, "你好。": 2,
    "谢谢你。": 3, "我知道了。": 4, "네.": 1,
}  # fmt: skip


def speech_frames(text: str, pace: VoicePace, speed: float = 1.0) -> int:
    return duration_frames(text, pace, speed) - pace.frames


@pytest.mark.parametrize("name", LONG_TEXTS)
@pytest.mark.parametrize("speed", [0.5, 1.0, 1.7])
def test_a_long_text_in_the_references_script_takes_what_the_published_rule_gives(
    name: str, speed: float
) -> None:
    pace, text = LONG_TEXTS[name]
    published = reference_duration([text], pace.transcript, pace.frames * HOP, speed=speed)[0] - pace.frames
    assert speech_frames(text, pace, speed) == pytest.approx(published, rel=0.1)


@pytest.mark.parametrize("pace", [ENGLISH, CHINESE, VoicePace("Very quick speech it was, all of it", 100)])
@pytest.mark.parametrize("text", SYLLABLES)
def test_every_syllable_of_a_short_text_has_at_least_a_fifth_of_a_second(text: str, pace: VoicePace) -> None:
    seconds = speech_frames(text, pace) / FRAMES_PER_SECOND
    assert seconds >= max(0.2 * SYLLABLES[text], 0.5)


def test_a_word_more_never_makes_it_shorter() -> None:
    """The published rule gives "Thanks." a second more than "Thank you."."""
    published = reference_duration(["Thanks.", "Thank you."], ENGLISH.transcript, ENGLISH.frames * HOP)
    assert published[0] > published[1] + 50
    assert speech_frames("Thanks.", ENGLISH) < speech_frames("Thank you.", ENGLISH)


@given(text=st.text(), more=st.text(), speed=st.floats(0.25, 4), faster=st.floats(1, 4))
def test_more_text_never_gets_less_and_more_speed_never_more(
    text: str, more: str, speed: float, faster: float
) -> None:
    frames = duration_frames(text, ENGLISH, speed)
    assert frames > ENGLISH.frames
    assert duration_frames(text + more, ENGLISH, speed) >= frames
    assert duration_frames(text, ENGLISH, speed * faster) <= frames


@pytest.mark.parametrize("text", ["Yes.", LONG_TEXTS["english"][1]])
def test_the_speed_asked_for_holds_for_short_texts_too(text: str) -> None:
    assert speech_frames(text, ENGLISH, 2.0) == pytest.approx(speech_frames(text, ENGLISH) / 2, abs=1)


SPOKEN = {
    "english": (
        "The quick brown fox jumps over the lazy dog, and then it goes on to tell a rather long story about "
        "the weather. Nobody listened, but the fox did not mind at all.",
        9.0,
    ),
    "chinese": (
        "敏捷的棕色狐狸跳过了懒狗，然后讲了一个关于天气的很长的故事。没有人在听，但是狐狸一点也不在意。"
        "今天我们一起去公园散步，看见很多人在那里唱歌跳舞。",
        17.4,
    ),
    "russian": (
        "Быстрая рыжая лиса прыгает через ленивую собаку, а потом рассказывает довольно длинную историю о "
        "погоде. Никто не слушал, но лису это не смущало.",
        7.5,
    ),
}
"""Texts, and the seconds that the embedded voice takes for them (`python -m benchmarks.f5_durations`)."""


@pytest.mark.parametrize("reference", SPOKEN)
@pytest.mark.parametrize("said", SPOKEN)
def test_a_text_in_another_script_takes_as_long_as_it_is_spoken(reference: str, said: str) -> None:
    """By bytes, Russian after an English reference gets twice the time that it needs."""
    transcript, seconds = SPOKEN[reference]
    text, needed = SPOKEN[said]
    pace = VoicePace(transcript, int(seconds * FRAMES_PER_SECOND))
    assert speech_frames(text, pace) / FRAMES_PER_SECOND == pytest.approx(needed, rel=0.25)
    both = speech_frames(text + SPOKEN["english"][0], pace) / FRAMES_PER_SECOND
    assert both == pytest.approx(needed + SPOKEN["english"][1], rel=0.25)


@pytest.mark.parametrize(
    ("composed", "decomposed"), [("é" * 20, "e\u0301" * 20), ("word", "wo\u200brd"), ("☎", "☎\ufe0f")]
)
def test_how_a_letter_is_encoded_makes_no_difference(composed: str, decomposed: str) -> None:
    assert spoken_units(composed) == spoken_units(decomposed)
