import pytest

from ttsops.text import TextOptions, make_speakable

pytestmark = pytest.mark.unit

ONLY = TextOptions(markdown=False, numbers=False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("I ❤️ NY", "I red heart NY"),
        ("I ❤ NY", "I red heart NY"),
        ("Great job 👍!", "Great job thumbs up!"),
        ("Hello! 😊 How are you?", "Hello! smiling face with smiling eyes. How are you?"),
        ("“Yes!” 🎉 And", "“Yes!” party popper. And"),
        ("✅ Done\n❌ Failed", "check mark button, Done\ncross mark, Failed"),
        ("done 🎉\nnext", "done party popper.\nnext"),
        ("good👍ok", "good thumbs up ok"),
        # together: each once, three at most
        ("ha 😂😂😂 ha", "ha face with tears of joy ha"),
        ("🎉 🎊 🎉", "party popper, confetti ball."),
        ("wow 🎉🎊🚀🔥⭐.", "wow party popper, confetti ball, rocket."),
        ("😀" * 500 + " ok", "grinning face, ok"),
        # sequences
        ("hi 👍🏽👍🏿", "hi thumbs up."),
        ("👨‍👩‍👧 and 👩🏽‍💻", "family man woman girl, and woman technologist."),
        ("in 🇫🇷, 🇩🇪", "in France, Germany."),
        ("1️⃣ First, 2⃣ second", "1, First, 2 second"),
        # not emoji
        ("Acme™ © ® ✓ ★ → ‼ 5 * #", "Acme™ © ® ✓ ★ → ‼ 5 * #"),
        ("日本語、中文。", "日本語、中文。"),
    ],
)
def test_emoji_are_spoken_by_name(written: str, said: str) -> None:
    assert make_speakable(written, "en-US", ONLY) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de-AT", "ja daumen hoch gut"),
        ("fr", "ja pouce vers le haut gut"),
        ("sv", "ja gut"),
        ("", "ja gut"),
    ],
)
def test_names_follow_the_language_and_are_left_out_where_there_are_none(language: str, said: str) -> None:
    assert make_speakable("ja 👍 gut", language, ONLY) == said


def test_an_emoji_left_out_does_not_join_words() -> None:
    assert make_speakable("good👍ok 👍 x", "", ONLY) == "good ok x"


def test_emoji_can_be_switched_off() -> None:
    assert make_speakable("ok 👍", "en", TextOptions(emoji=False)) == "ok 👍"
