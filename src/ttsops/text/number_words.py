"""English number words. `num2words` makes cardinals, ordinals and years; the rest is put together here."""

from __future__ import annotations

from functools import lru_cache

MAX_CARDINAL_DIGITS = 15
"""A longer number is read digit by digit: nobody knows what a quadrillion is."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@lru_cache(maxsize=4096)
def _num2words(number: int, to: str) -> str:
    from num2words import num2words  # 40 ms, paid by the first text with a number in it

    words: str = num2words(number, to=to)
    return words.replace(",", "")


def digit_words(text: str) -> str:
    """`007` → zero zero seven; whatever is no digit is skipped."""
    return " ".join(_DIGITS[int(c)] for c in text if c.isdecimal())


def cardinal(number: str) -> str:
    """`12`, `1,234`; `007` and numbers nobody can grasp digit by digit."""
    digits = number.replace(",", "")
    is_code = len(digits) >= 10 and digits == number and not digits.endswith("000")
    if is_code or len(digits) > MAX_CARDINAL_DIGITS or (len(digits) > 1 and digits.startswith("0")):
        return digit_words(digits)
    return _num2words(int(digits), "cardinal")


def decimal(number: str) -> str:
    """`3.50` → three point five zero; without a point a cardinal."""
    whole, _, fraction = number.partition(".")
    return cardinal(whole) + (f" point {digit_words(fraction)}" if fraction else "")


def ordinal(number: str) -> str:
    """`21` → twenty-first."""
    digits = number.replace(",", "")
    if len(digits) > MAX_CARDINAL_DIGITS:
        return digit_words(digits)
    return _num2words(int(digits), "ordinal")


def year(number: str) -> str:
    """`1999` → nineteen ninety-nine; four digits."""
    value = int(number)
    if value % 1000 == 0:
        return _num2words(value, "cardinal")
    return _num2words(value, "year").replace("oh-", "oh ")


def fraction(numerator: str, denominator: str) -> str:
    """`3`, `4` → three quarters. The denominator is 2 or more."""
    part = {2: "half", 4: "quarter"}.get(int(denominator)) or ordinal(denominator)
    if int(numerator) == 1:
        return f"one {part}"
    return f"{cardinal(numerator)} {'halves' if part == 'half' else part + 's'}"


def counted(number: str, one: str, many: str) -> str:
    """`1` kilometer, `2.5` kilometers."""
    return f"{decimal(number)} {one if number == '1' else many}"
