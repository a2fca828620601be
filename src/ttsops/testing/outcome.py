"""How a check ends when it does not pass. Plain `assert` would vanish under `python -O`."""

from __future__ import annotations


class CheckFailed(AssertionError):
    """The engine does not keep the contract: the message says which part and how."""


class NotApplicable(Exception):
    """The engine's card says that the checked thing is not promised."""


def require(is_true: object, message: str) -> None:
    """Raises `CheckFailed` with `message` unless `is_true`."""
    if not is_true:
        raise CheckFailed(message)
