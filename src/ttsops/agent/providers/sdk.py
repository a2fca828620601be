"""What OpenAI's and Anthropic's packages raise, in our words. One generator made both: they name alike."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable
from ttsops.errors import NotInstalled, TtsOpsError
from ttsops.settings import LlmSettings

BUSY = frozenset({408, 409, 425, 429, 503, 529})
"""Statuses that say "not now"; 529 is Anthropic's "overloaded"."""

MAX_RETRY_AFTER_SECONDS = 3600.0

_HINTS = {
    400: "is `llm.model` right, and is the conversation too long for it? see `agent.max_chars`",
    401: "is the key right? it is read from `llm.key_file` or the environment: see docs/agent.md",
    403: "the key may not use this model",
    404: "is there such a model? see `llm.model` and `llm.base_url`",
    413: "the conversation is too long for it: lower `agent.max_chars`",
}


def not_installed(package: str) -> TtsOpsError:
    """The package of a provider is missing."""
    return NotInstalled(f"`{package}` is not installed", hint="pip install 'tts-ops[agent]'")


def hush(package: str) -> None:
    """At level debug the package logs whole requests, questions included; what is below it logs addresses,
    which may hold a password.
    """
    for name in (package, "httpx2", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def checked(text: object) -> str:
    """A piece of an answer. Raises `TypeError` for what is no text, `ValueError` for what nobody can read."""
    if not isinstance(text, str):
        raise TypeError(f"a piece of an answer is {type(text).__name__}")
    text.encode()  # half of a surrogate pair is valid JSON, and nothing else
    return text


def time_limits(sdk: ModuleType, settings: LlmSettings) -> Any:
    """For the package `sdk`: those of an answer are kept by `Llm`, so here they must only not be shorter."""
    longest = max(settings.first_token_seconds, settings.token_seconds)
    return sdk.Timeout(longest, connect=settings.connect_seconds)


@contextlib.contextmanager
def translated(provider: str, sdk: ModuleType, *, has_begun: bool = False) -> Iterator[None]:
    """Inside it, what the package `sdk` raises becomes an `LlmError`; the words differ once an answer
    `has_begun`. Messages of others are not passed on: they may quote the conversation.
    """
    import httpx2  # below both packages: what breaks off inside an answer is raised as it is

    try:
        yield
    except (sdk.APITimeoutError, httpx2.TimeoutException) as error:
        raise LlmTimeout(f"{provider} did not answer in time") from error
    except (sdk.APIConnectionError, httpx2.HTTPError) as error:
        if has_begun:
            raise LlmUnavailable(f"{provider} broke off its answer") from error
        hint = "is it running? see `llm.base_url`"
        raise LlmUnavailable(f"{provider} cannot be reached", hint=hint) from error
    except sdk.APIStatusError as error:
        if has_begun:  # an event within the answer, whose own status was 200
            raise LlmError(f"{provider} broke off its answer with an error") from error
        raise _of_status(provider, error.status_code, error.response.headers) from error
    except (sdk.APIError, ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise LlmError(f"{provider} sent something that is not its protocol, or broke off") from error


def _of_status(provider: str, status: int, headers: Mapping[str, str]) -> LlmError:
    error = _told_apart(provider, status, headers)
    if headers.get("x-should-retry") == "false":  # both say so, such as of a quota that is used up
        error.may_be_tried_again = False
    return error


def _told_apart(provider: str, status: int, headers: Mapping[str, str]) -> LlmError:
    if status in BUSY:
        return LlmUnavailable(f"{provider} is busy: it answered {status}", retry_after=_retry_after(headers))
    if status == 504:
        return LlmTimeout(f"{provider} answered {status}")
    if 400 <= status < 500:
        return LlmRefused(f"{provider} refused: it answered {status}", hint=_HINTS.get(status))
    return LlmError(f"{provider} failed: it answered {status}")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, an hour at most: of OpenAI's header in milliseconds, else of HTTP's, a number or a date.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            return _bounded(float(headers[name]) * unit)
    with contextlib.suppress(KeyError, ValueError, OverflowError):
        return _bounded(parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)  # of what is no number, 0
