"""Amounts and how they are read: plain numbers, years, money, percent, units, ranges."""

from __future__ import annotations

import re

from ttsops.text.number_patterns import CURRENCY, DASH, NUMBER, SPACE, NumberRule, number_pattern, word_before
from ttsops.text.number_words import cardinal, counted, decimal, ordinal, year
from ttsops.text.units import CURRENCIES, MONTHS, PER, SCALES, UNITS

_ABOUT_WORDS = {
    "~": "about ",
    "≈": "about ",
    "±": "plus or minus ",
    "<": "less than ",
    ">": "more than ",
    "≤": "at most ",
    "≥": "at least ",
}
_ABOUT = rf"(?:(?P<about>[{''.join(_ABOUT_WORDS)}]) ?)?"
_SCALE = (
    r"(?:(?P<{0}>[kKmMbBtT]|[mM]n|bn)(?![A-Za-z])|"
    r"{1}(?P<{0}_word>hundred|thousand|million|billion|trillion)\b)?"
)
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
_PER = r"(?:/(?P<per>[A-Za-z]{1,12}))?"
_TAIL = (
    rf"(?:{SPACE}?(?P<percent>%)|(?:{SPACE}|-)?(?P<unit>{_SYMBOL})(?![\w²³/])|(?P<letter>[A-Zkx])(?!\w))?"
    rf"(?P<plus>\+)?{_PER}"
)
_NEXT_WORD = r"(?=(?: (?P<next>[A-Za-z]+))?)"

_YEAR_WORDS = {
    *(
        "in",
        "since",
        "by",
        "from",
        "of",
        "until",
        "till",
        "before",
        "after",
        "during",
        "between",
        "and",
        "year",
    ),
    *("early", "mid", "late", "circa", "pre", "post", "spring", "summer", "autumn", "fall", "winter"),
}
_MONTH_WORDS = {name.lower() for name in MONTHS} | {name[:3].lower() for name in MONTHS} | {"sept"}
_PLURALS = {"people", "men", "women", "children", "percent", "feet"}
_NO_PLURALS = {"was", "is", "has", "as", "its", "his", "this", "us", "does", "versus", "plus", "always"}


def _about(found: re.Match[str]) -> str:
    return _ABOUT_WORDS.get(found["about"] or "", "")


def _sign(found: re.Match[str]) -> str:
    return {"+": "plus ", "-": "minus ", "−": "minus "}.get(found["sign"] or "", "")


def _per(found: re.Match[str]) -> str:
    return f" per {PER.get(found['per'], found['per'])}" if found["per"] else ""


def _is_plural(word: str) -> bool:
    return word in _PLURALS or (len(word) > 3 and word.endswith("s") and word not in _NO_PLURALS)


def _is_year(number: str, before: str, after: str) -> bool:
    if not re.fullmatch(r"1\d{3}|20\d\d", number):
        return False
    if before in _MONTH_WORDS:
        return True
    is_counted = _is_plural(after.lower())
    return not is_counted and (before in _YEAR_WORDS or int(number) >= 1800)


def _is_day(number: str, before: str, after: str) -> bool:
    """The 5 of "May 5"."""
    return before in _MONTH_WORDS and number.isdecimal() and 1 <= int(number) <= 31 and not _is_plural(after)


def _say_amount(found: re.Match[str]) -> str:
    """A number, with what stands around it: ~5 km, -3%, 4K, 10+, 100/day."""
    number = found["number"]
    is_bare = not any(found[name] for name in ("about", "sign", "percent", "unit", "letter", "plus", "per"))
    if is_bare and _is_year(number, word_before(found), found["next"] or ""):
        return year(number)
    if is_bare and _is_day(number, word_before(found), found["next"] or ""):
        return ordinal(number)
    return _about(found) + _sign(found) + decimal(number) + _tail(found, number)


def _tail(found: re.Match[str], number: str) -> str:
    words = ""
    if found["percent"]:
        words = " percent"
    elif found["unit"]:
        one, many = UNITS[found["unit"]]
        is_one = number == "1" or found.string[found.start("unit") - 1] == "-"  # a 5-km run
        words = f" {one if is_one else many}"
    elif found["letter"]:
        words = f" {found['letter']}"
    return words + (" plus" if found["plus"] else "") + _per(found)


def _say_range(found: re.Match[str]) -> str | None:
    """3-5, 3–5 km, 5 - 10%, 2019-2020; 5 - 3 is a subtraction."""
    first, last = found["first"], found["number"]
    is_rising = float(first.replace(",", "")) < float(last.replace(",", ""))
    if found["dash"].startswith(" ") and not is_rising:
        return f"{_sign(found)}{decimal(first)} minus {decimal(last)}{_tail(found, last)}"
    is_bare = not any(found[name] for name in ("percent", "unit", "letter", "per"))
    if (
        is_bare
        and re.fullmatch(r"(?:1[1-9]|20)\d\d", first)
        and re.fullmatch(r"(?:1[1-9]|20)\d\d|\d\d", last)
    ):
        return f"{year(first)} to {year(last) if len(last) == 4 else cardinal(last)}"
    if last.startswith("0") and last.isdigit() and len(last) > 1:
        return None  # a code, such as 12-04
    return f"{_about(found)}{_sign(found)}{decimal(first)} to {decimal(last)}{_tail(found, last)}"


def _say_by(found: re.Match[str]) -> str:
    numbers = re.split(r" ?[x×] ?", found["numbers"])
    return " by ".join(decimal(number) for number in numbers) + _tail(found, numbers[-1])


def _money(number: str, scale: str, sign: str) -> str:
    """Dollars and cents, or so many million dollars."""
    one, many, one_cent, many_cents = CURRENCIES[sign]
    if scale:
        return f"{decimal(number)} {scale} {many}"
    whole, _, rest = number.partition(".")
    if len(rest) != 2 or not one_cent:
        return counted(number, one, many)
    cents = counted(str(int(rest)), one_cent, many_cents) if int(rest) else ""
    if int(whole.replace(",", "")) == 0 and cents:
        return cents
    return counted(whole, one, many) + (f" and {cents}" if cents else "")


def _scale(found: re.Match[str], name: str) -> str:
    letter: str | None = found[name]
    word: str | None = found[f"{name}_word"]
    return word or (SCALES[letter.lower()] if letter else "")


def _say_money(found: re.Match[str]) -> str:
    lead = " " if found.start() and found.string[found.start() - 1].isalpha() else ""  # US$5
    words = _money(found["number"], _scale(found, "scale"), found["currency"])
    return lead + _about(found) + _sign(found) + words + (" or more" if found["plus"] else "") + _per(found)


def _say_money_after(found: re.Match[str]) -> str:
    return _about(found) + _sign(found) + _money(found["number"], "", found["currency"]) + _per(found)


def _say_money_range(found: re.Match[str]) -> str:
    first_scale, scale, sign = _scale(found, "first_scale"), _scale(found, "scale"), found["currency"]
    is_short = "." not in found["first"] and first_scale in ("", scale)
    first = decimal(found["first"]) if is_short else _money(found["first"], first_scale, sign)
    return f"{_about(found)}{first} to {_money(found['number'], scale, sign)}{_per(found)}"


_ANY_SIGN = r"(?P<sign>[-−+])?"
AMOUNT_RULES: tuple[NumberRule, ...] = (
    (
        number_pattern(
            rf"{_ABOUT}(?P<currency>{CURRENCY})(?P<first>{NUMBER}){_SCALE.format('first_scale', SPACE)}"
            rf" ?{DASH} ?(?P=currency)?(?P<number>{NUMBER}){_SCALE.format('scale', SPACE)}{_PER}"
        ),
        _say_money_range,
    ),
    (
        number_pattern(
            rf"{_ABOUT}{_ANY_SIGN}(?P<currency>{CURRENCY}){SPACE}?(?P<number>{NUMBER})"
            rf"{_SCALE.format('scale', SPACE)}(?P<plus>\+)?{_PER}"
        ),
        _say_money,
    ),
    (
        number_pattern(
            rf"{_ABOUT}{_ANY_SIGN}(?P<number>{NUMBER}){SPACE}?(?P<currency>{CURRENCY})(?!\d){_PER}"
        ),
        _say_money_after,
    ),
    (
        number_pattern(
            rf"{_ABOUT}(?P<sign>[-−])?(?P<first>{NUMBER})[%°]?(?P<dash>{DASH}| {DASH} )"
            rf"(?P<number>{NUMBER}){_TAIL}"
        ),
        _say_range,
    ),
    (number_pattern(rf"(?!0x)(?P<numbers>{NUMBER}(?:(?:[x×]| [x×] ){NUMBER})+){_TAIL}"), _say_by),
    (number_pattern(rf"{_ABOUT}{_ANY_SIGN}(?P<number>{NUMBER}){_TAIL}{_NEXT_WORD}"), _say_amount),
)
"""In the order in which they are tried, after the forms."""
