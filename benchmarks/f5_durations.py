"""How long short and long texts take: `python -m benchmarks.f5_durations`, a few seconds.

The embedded voice says texts of several scripts, and words alone. The first table is what the weights in
`ttsops.engines.f5.durations` are taken from: a unit is a character of the English text, blanks included. The
last line is four years in digits. The second table compares the time that a short text needs with what it is
given, by the published rule and by ours, both at the pace of the embedded voice in that language: less than
what is needed cuts its end off, and the exit code is 1 if ours ever does.

espeak-ng is no person, and its pace differs between languages by some 20 %; the weights are rounded.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from ttsops.engines import registry
from ttsops.engines.contract import Engine, EngineConfig
from ttsops.engines.f5.durations import (
    FRAMES_PER_SECOND,
    HOP,
    VoicePace,
    duration_frames,
    reference_duration,
    spoken_units,
)
from ttsops.speech import SpeechRequest
from ttsops.testing.speaking import speak

AUDIBLE = 0.01
"""Amplitude from which on something is heard: silence around a text is not counted."""

ENGLISH = (
    "The quick brown fox jumps over the lazy dog, and then it goes on to tell a rather long story about the "
    "weather. Nobody listened, but the fox did not mind at all."
)

LONG_TEXTS = {
    "en-us": ENGLISH,
    "de": "Der schnelle braune Fuchs springt über den faulen Hund, und dann erzählt er eine ziemlich lange "
    "Geschichte über das Wetter. Niemand hörte zu, doch das störte ihn nicht.",
    "es": "El rápido zorro marrón salta sobre el perro perezoso, y luego cuenta una historia bastante larga "
    "sobre el tiempo. Nadie escuchaba, pero al zorro no le importaba.",
    "fr-fr": "Le renard brun et rapide saute par-dessus le chien paresseux, puis il raconte une assez longue "
    "histoire sur le temps. Personne n'écoutait, mais cela lui était égal.",
    "ru": "Быстрая рыжая лиса прыгает через ленивую собаку, а потом рассказывает довольно длинную историю о "
    "погоде. Никто не слушал, но лису это не смущало.",
    "el": "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί και μετά λέει μια αρκετά μεγάλη ιστορία "
    "για τον καιρό.",
    "cmn": "敏捷的棕色狐狸跳过了懒狗，然后讲了一个关于天气的很长的故事。没有人在听，但是狐狸一点也不在意。"
    "今天我们一起去公园散步，看见很多人在那里唱歌跳舞。",
    "ja": "すばやいちゃいろのきつねがなまけものいぬをとびこえて、それからてんきについて"
    "ながいはなしをしました。だれもきいていませんでした。",
    "ko": "빠른 갈색 여우가 게으른 개를 뛰어넘고 나서 날씨에 대한 꽤 긴 이야기를 했습니다. "
    "아무도 듣지 않았지만 여우는 신경 쓰지 않았습니다.",
    "ar": "يقفز الثعلب البني السريع فوق الكلب الكسول ثم يحكي قصة طويلة عن الطقس ولم يستمع إليه أحد.",
    "he": "השועל החום המהיר קופץ מעל הכלב העצלן ואז מספר סיפור ארוך על מזג האוויר ואף אחד לא הקשיב.",
    "hi": "तेज भूरी लोमड़ी आलसी कुत्ते के ऊपर से कूदती है और फिर मौसम के बारे में एक लंबी कहानी सुनाती है।",
    "th": "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจแล้วเล่าเรื่องยาวเกี่ยวกับสภาพอากาศ",
}

DIGITS = "1999 2000 2001 2024"

SHORT_TEXTS = {
    "en-us": (
        "Hi.", "No.", "Yes.", "Stop!", "Okay.", "Hello.", "Go on.", "Thanks.", "Banana.", "I am here.",
        "Thank you.", "Good night.", "Absolutely.", "Hello there.", "Thank you very much.",
        "Three thousand and five.", "No, thank you, I am fine.",
    ),
    "de": ("Ja.", "Nein.", "Bitte.", "Guten Tag.", "Selbstverständlich."),
    "cmn": ("好。", "是的。", "你好。", "再见。", "谢谢你。", "我知道了。", "请等一下。"),
}  # fmt: skip


@dataclass(frozen=True)
class Short:
    """One short text and the seconds for it."""

    text: str
    needed: float
    published: float
    ours: float


def seconds(engine: Engine, text: str, language: str) -> float:
    """From the first sound of `text` to the last."""
    voice = next(one.id for one in engine.voices() if one.id.startswith(language))
    spoken = speak(engine, SpeechRequest(text=text, voice=voice))
    heard = np.flatnonzero(np.abs(spoken.samples) > AUDIBLE)
    return float(heard[-1] - heard[0]) / spoken.sample_rate


def short_rows(engine: Engine) -> list[Short]:
    """Both rules at the embedded voice's own pace in each language."""
    rows = []
    for language, texts in SHORT_TEXTS.items():
        reference = LONG_TEXTS[language]
        frames = int(seconds(engine, reference, language) * FRAMES_PER_SECOND)
        pace = VoicePace(reference, frames)
        for text in texts:
            published = reference_duration([text], reference, frames * HOP)[0] - frames
            ours = duration_frames(text, pace) - frames
            needed = seconds(engine, text, language)
            rows.append(Short(text, needed, published / FRAMES_PER_SECOND, ours / FRAMES_PER_SECOND))
    return rows


def main() -> int:
    """Print both tables; 1 if a short text gets less than it needs."""
    engine = registry.create("espeak", EngineConfig())
    try:
        english = seconds(engine, ENGLISH, "en-us") / len(ENGLISH)
        print(f"English: {english * 1000:.1f} ms per character, blanks included\n")
        print("voice  ms/byte  ms/character  units measured  units counted")
        for language, text in {**LONG_TEXTS, "en-us ": DIGITS}.items():
            taken = seconds(engine, text, language.strip())
            ms_per_byte, ms_per_character = (taken * 1000 / n for n in (len(text.encode()), len(text)))
            print(
                f"{language.strip():<5}  {ms_per_byte:7.1f}  {ms_per_character:12.1f}"
                f"  {taken / english:14.0f}  {spoken_units(text):13.0f}"
            )
        print("\nneeded  published  ours  text")
        rows = short_rows(engine)
        for row in rows:
            print(f"{row.needed:6.2f}  {row.published:9.2f}  {row.ours:4.2f}  {row.text}")
    finally:
        engine.shutdown()
    return int(any(row.ours < row.needed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
