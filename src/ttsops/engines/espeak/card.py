"""What `espeak` can do. Imports neither the library nor its loader."""

from __future__ import annotations

from ttsops.engines.contract import EngineCard
from ttsops.engines.setup import EngineOptions

SAMPLE_RATE = 22_050


class EspeakOptions(EngineOptions, frozen=True):
    """It has no set-up options; `device` and `dtype` mean nothing to it either."""


CARD = EngineCard(
    name="espeak",
    summary="Formant synthesis by espeak-ng: robotic but clear, 140 languages and dialects, any CPU",
    licence=(
        "GPL-3.0-or-later (espeak-ng, from the espeakng-loader wheel); it runs in a process of its own. "
        "Its speech is yours; who ships the library passes the GPL's rights on with it"
    ),
    sample_rate=SAMPLE_RATE,
    default_voice="en-us+klatt4",
    max_batch=1,
    max_streams=512,
    max_text_chars=200_000,
    takes_text_in_pieces=True,
    has_pitch=True,
    gives_word_marks=True,
    deterministic=False,
    # By how many words an offline recogniser mistook in twelve sentences, of 38 voices: these three klatts
    # 7 to 9 %, the other men 14 to 25 %, f2 and f5 24 and 28 %, the other women 39 to 53 %, British 31 %.
    aliases={
        "alloy": "en-us+klatt4",
        "ash": "en-us+Reed",
        "ballad": "en-us+m5",
        "cedar": "en-us+adam",
        "coral": "en-us+f2",
        "echo": "en-us+klatt5",
        "fable": "en-gb+klatt4",
        "marin": "en-us+f5",
        "nova": "en-us+f3",
        "onyx": "en-us+klatt3",
        "sage": "en-us+f1",
        "shimmer": "en-us+anika",
        "verse": "en-us+Alex",
    },
)
