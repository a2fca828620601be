"""The prompt: ids piece by piece, voices by number. Its text is held to recordings elsewhere."""

from __future__ import annotations

import pytest

from ttsops.engines.vibevoice.config import SpeechTokens
from ttsops.engines.vibevoice.prompt import make_prompt, prefix_pieces, script_lines, script_pieces
from ttsops.text import read_script

pytestmark = pytest.mark.unit

TOKENS = SpeechTokens()


class Letters:
    """Every character is its code; the length of a piece is told by an id of its own at the end."""

    n_ids = 200_000

    def encode(self, text: str) -> list[int]:
        return [*map(ord, text), 10_000 + len(text)]


def test_every_piece_is_tokenised_by_itself() -> None:
    prompt = make_prompt([(0, "Hi.")], [2], Letters(), TOKENS)
    pieces = [*prefix_pieces([2]), *script_pieces([(0, "Hi.")])]
    expected: list[int] = []
    for piece in pieces:
        if isinstance(piece, str):
            expected += Letters().encode(piece)
        else:
            expected += [getattr(TOKENS, piece.name)] * piece.count
    assert list(prompt.ids) == expected
    assert [piece for piece in pieces if isinstance(piece, str)][1:] == [
        " Voice input:\n",
        " Speaker 0:",
        "\n",
        " Text input:\n",
        " Speaker 0: Hi.\n",
        " Speech output:\n",
    ]


def test_speech_begins_with_the_last_id_and_voices_stand_where_they_belong() -> None:
    prompt = make_prompt([(0, "A."), (1, "B.")], [2, 3], Letters(), TOKENS)
    assert prompt.ids[-1] == TOKENS.audio_bos
    assert [one for one in prompt.ids if one in TOKENS.ids] == [
        *(TOKENS.audio_bos, TOKENS.audio, TOKENS.audio, TOKENS.audio_eos),
        *(TOKENS.audio_bos, TOKENS.audio, TOKENS.audio, TOKENS.audio, TOKENS.audio_eos),
        TOKENS.audio_bos,
    ]


def test_the_prefix_is_the_same_whatever_is_said() -> None:
    one, other = (make_prompt([(0, text)], [4], Letters(), TOKENS) for text in ("A.", "Something else."))
    assert one.n_prefix == other.n_prefix
    assert one.ids[: one.n_prefix] == other.ids[: other.n_prefix]
    assert TOKENS.audio not in one.ids[one.n_prefix :]


def test_without_voices_the_prompt_has_no_part_for_them() -> None:
    assert list(prefix_pieces([])) == [next(prefix_pieces([4]))]


@pytest.mark.parametrize(
    ("script", "numbers"),
    [
        ("Speaker 1: A.\nSpeaker 2: B.", [0, 1]),
        ("Speaker 0: A.\nSpeaker 1: B.", [0, 1]),
        ("Speaker 2: A.\nSpeaker 1: B.", [1, 0]),
        ("Speaker 2: A.\nSpeaker 4: B.\nSpeaker 2: C.", [0, 1, 0]),
        ("A plain text.", [0]),
    ],
)
def test_speakers_are_numbered_without_gaps_in_the_order_of_their_numbers(
    script: str, numbers: list[int]
) -> None:
    assert [number for number, _ in script_lines(read_script(script))] == numbers
