"""Numbers that are no amounts, and how they are read: dates, times, telephone numbers, fractions, sums."""

from __future__ import annotations

import re

from ttsops.text.number_patterns import DASH, NUMBER, SPACE, NumberRule, number_pattern, word_before
from ttsops.text.number_words import cardinal, counted, decimal, digit_words, fraction, ordinal, year
from ttsops.text.units import MONTHS

_CLOCK = (
    r"(?P<h{0}>\d{{1,2}})(?::(?P<m{0}>[0-5]\d)(?::(?P<s{0}>[0-5]\d))?)?(?:{1}?(?P<half{0}>[AaPp][Mm])\b)?"
)
_OPERATORS = {
    "+": "plus",
    "-": "minus",
    "−": "minus",
    "–": "minus",
    "×": "times",
    "*": "times",
    "÷": "divided by",
    "/": "divided by",
    "=": "equals",
}
_VULGAR_FRACTIONS = {
    "½": ("1", "2"),
    "⅓": ("1", "3"),
    "⅔": ("2", "3"),
    "¼": ("1", "4"),
    "¾": ("3", "4"),
    "⅛": ("1", "8"),
}
_FRACTION_PARTS = {2, 3, 4, 5, 6, 7, 8, 9, 16, 32, 64}
_DECADE_WORDS = {"the", "early", "mid", "late", "his", "her", "their", "my", "your", "our"}


def _say_date(found: re.Match[str]) -> str | None:
    month, day = int(found["month"]), int(found["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{MONTHS[month - 1]} {ordinal(found['day'])}, {year(found['year'])}"


def _say_month(found: re.Match[str]) -> str:
    return f"{MONTHS[int(found['month']) - 1]} {year(found['year'])}"


def _say_phone(found: re.Match[str]) -> str | None:
    """Digit by digit, with a pause between its groups. Not one: 200-1000, which is a range."""
    groups = re.findall(r"\d+", found[0])
    n_digits = sum(map(len, groups))
    is_range = len(groups) == 2 and n_digits == 7 and groups[1].endswith("0")
    if is_range or not 7 <= n_digits <= 16:
        return None
    plus = "plus " if found[0].startswith("+") else ""
    return plus + ", ".join(digit_words(group) for group in groups)


def _say_version(found: re.Match[str]) -> str:
    parts = found["version"].split(".")
    joint = " dot " if len(parts) == 4 else " point "
    return ("version " if found["v"] else "") + joint.join(cardinal(part) for part in parts)


def _say_clock(found: re.Match[str], suffix: str = "") -> str | None:
    hour, minute, half = found[f"h{suffix}"], found[f"m{suffix}"], found[f"half{suffix}"]
    if int(hour) > 24 or (half and int(hour) > 12):
        return None
    if minute == "00" and int(hour) in (0, 24):
        return "midnight"
    words = cardinal(str(int(hour)))
    second = found[f"s{suffix}"]
    if minute and minute != "00":
        words += f" oh {cardinal(minute[1])}" if minute[0] == "0" else f" {cardinal(minute)}"
    elif minute and not half and not second:
        words += " o'clock" if 1 <= int(hour) <= 12 else " hundred"
    if second:
        words += f" and {counted(str(int(second)), 'second', 'seconds')}"
    return words + (f" {half[0].upper()} M" if half else "")


def _say_time(found: re.Match[str]) -> str | None:
    return _say_clock(found) if found["m"] or found["half"] else None


def _say_times(found: re.Match[str]) -> str | None:
    if not any(found[name] for name in ("m", "half", "m2", "half2")):
        return None
    first, last = _say_clock(found), _say_clock(found, "2")
    return f"{first} to {last}" if first and last else None


def _say_ratio(found: re.Match[str]) -> str:
    return " to ".join(cardinal(part) for part in found[0].split(":"))


def _say_fraction(found: re.Match[str]) -> str | None:
    """3/4, 1 1/2; 8/10 is a rating, 24/7 two numbers."""
    top, bottom, whole = found["top"], found["bottom"], found["whole"]
    is_fraction = int(bottom) in _FRACTION_PARTS and 0 < int(top) < int(bottom)
    if is_fraction:
        return _with_whole(whole, top, bottom)
    if whole:
        return None
    if int(bottom) in (10, 100, 1000) and int(top) <= int(bottom):
        return f"{cardinal(top)} out of {cardinal(bottom)}"
    is_phrase = found[0] in ("24/7", "9/11", "50/50")
    return f"{cardinal(top)} {'' if is_phrase else 'slash '}{cardinal(bottom)}"


def _say_vulgar_fraction(found: re.Match[str]) -> str:
    return _with_whole(found["whole"], *_VULGAR_FRACTIONS[found["vulgar"]])


def _with_whole(whole: str | None, top: str, bottom: str) -> str:
    words = fraction(top, bottom)
    if not whole:
        return words
    return f"{cardinal(whole)} and {words.replace('one half', 'a half').replace('one quarter', 'a quarter')}"


def _say_sum(found: re.Match[str]) -> str | None:
    """2 + 2 = 4. A lone dash is left to the ranges."""
    words = found[0].split(" ")
    if not any(word in "+×÷*/=" for word in words):
        return None
    return " ".join(_OPERATORS.get(word) or _signed(word) for word in words)


def _signed(number: str) -> str:
    return ("minus " if number[0] in "-−" else "") + decimal(number.lstrip("-−"))


def _before(found: re.Match[str]) -> str:
    return found.string[found.start() - 1 : found.start()]


def _say_decade(found: re.Match[str]) -> str | None:
    """1990s, the 90s; 30s alone is a time."""
    century, ten = found["century"], found["ten"]
    if century:
        words = year(f"{century}{ten}0")
    elif ten != "0" and (word_before(found) in _DECADE_WORDS or _before(found) in ("'", "’")):
        words = cardinal(f"{ten}0")
    else:
        return None
    return words.removesuffix("y") + "ies" if words.endswith("y") else words + "s"


PHONE = (
    r"\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}|\+?(?:1[ .-]?)?\(\d{2,5}\) ?\d{3,4}[ .-]\d{3,4}|"
    r"(?:1[ .-])?\d{3}[.-]\d{3}[.-]\d{4}|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}|\d{3}-\d{4}|"
    r"\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}|\d{3}-\d\d-\d{4}"
)

FORM_RULES: tuple[NumberRule, ...] = (
    (number_pattern(r"(?P<year>[12]\d{3})-(?P<month>\d\d)-(?P<day>\d\d)"), _say_date),
    (number_pattern(r"(?P<year>[12]\d{3})-(?P<month>0[1-9])"), _say_month),
    (number_pattern(PHONE), _say_phone),
    (number_pattern(r"(?P<v>v)?(?P<version>\d+(?:\.\d+){2,5})"), _say_version),
    (number_pattern(r"(?P<v>v)(?P<version>\d+(?:\.\d+)?)"), _say_version),
    (number_pattern(_CLOCK.format("", SPACE) + rf" ?{DASH} ?" + _CLOCK.format("2", SPACE)), _say_times),
    (number_pattern(_CLOCK.format("", SPACE)), _say_time),
    (number_pattern(r"\d{1,4}:\d{1,4}"), _say_ratio),
    (number_pattern(r"(?:(?P<whole>\d{1,3}) )?(?P<top>\d{1,3})/(?P<bottom>\d{1,4})"), _say_fraction),
    (number_pattern(rf"(?P<whole>\d{{1,3}})?{SPACE}?(?P<vulgar>[½⅓⅔¼¾⅛])"), _say_vulgar_fraction),
    (number_pattern(rf"{NUMBER}(?: [-–−+×÷*/=] [-−]?{NUMBER})+"), _say_sum),
    (number_pattern(r"(?P<century>1[0-9]|20)?(?P<ten>\d)0['’]?s"), _say_decade),
    (
        number_pattern(r"(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th|ST|ND|RD|TH)"),
        lambda found: ordinal(found["number"]),
    ),
    (number_pattern(r"#(?P<number>\d+)"), lambda found: f"number {cardinal(found['number'])}"),
)
"""In the order in which they are tried."""
