"""What OpenAI's and Anthropic's packages raise, in our words. One generator made both: they name alike."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from ttsops.agent.failures import LlmError, LlmRefused, LlmTimeout, LlmUnavailable, broken_off
from ttsops.errors import NotInstalled, TtsOpsError

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
    """At level debug the package logs whole requests, questions included; below it addresses are logged, with
    secrets in them.
    """
    logging.getLogger(package).setLevel(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)


def checked(text: object) -> str:
    """A piece of an answer. Raises `TypeError` for what is no text, `ValueError` for what nobody can read."""
    if not isinstance(text, str):
        raise TypeError(f"a piece of an answer is {type(text).__name__}")
    text.encode()  # half of a surrogate pair is valid JSON, and nothing else
    return text


def patient_client(sdk: ModuleType, limit_seconds: float) -> Any:
    """An HTTP client for the package `sdk`, which would wait two minutes if a busy provider says so.

    A wait that the listener's patience does not cover is no use: then it is told at once that the provider is
    busy, by the header that both packages obey.
    """

    async def do_not_wait(response: Any) -> None:
        seconds = _seconds(response.headers.get("retry-after"))
        if response.status_code in BUSY and seconds is not None and seconds >= limit_seconds:
            response.headers["x-should-retry"] = "false"

    return sdk.DefaultAsyncHttpxClient(event_hooks={"response": [do_not_wait]})


@contextlib.contextmanager
def translated(provider: str, sdk: ModuleType, *, has_begun: bool = False) -> Iterator[None]:
    """Inside it, what the package `sdk` raises becomes an `LlmError`; one that is broken off, if the answer
    `has_begun`. Messages of others are not passed on: they may quote the conversation.
    """
    import httpx2  # below both packages: what breaks off inside an answer is raised as it is

    try:
        yield
    except (sdk.APITimeoutError, httpx2.TimeoutException) as error:
        raise LlmTimeout(f"{provider} did not answer in time") from error
    except (sdk.APIConnectionError, httpx2.HTTPError) as error:
        if has_begun:
            raise broken_off(LlmUnavailable(f"{provider} broke off its answer")) from error
        hint = "is it running? see `llm.base_url`"
        raise LlmUnavailable(f"{provider} cannot be reached", hint=hint) from error
    except sdk.APIStatusError as error:
        if has_begun:  # an event within the answer, whose own status was 200
            raise broken_off(LlmError(f"{provider} broke off its answer with an error")) from error
        raise _of_status(provider, error.status_code, error.response.headers.get("retry-after")) from error
    except (sdk.APIError, ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
        unreadable = LlmError(f"{provider} sent something that is not its protocol, or broke off")
        raise (broken_off(unreadable) if has_begun else unreadable) from error


def _of_status(provider: str, status: int, retry_after: str | None) -> LlmError:
    if status in BUSY:
        return LlmUnavailable(f"{provider} is busy: it answered {status}", retry_after=_seconds(retry_after))
    if status == 504:
        return LlmTimeout(f"{provider} answered {status}")
    if 400 <= status < 500:
        return LlmRefused(f"{provider} refused: it answered {status}", hint=_HINTS.get(status))
    return LlmError(f"{provider} failed: it answered {status}")


def _seconds(retry_after: str | None) -> float | None:
    """Of the header, where it is no date; an hour at most."""
    if not retry_after or not retry_after.strip().isdecimal():
        return None
    return min(float(retry_after), MAX_RETRY_AFTER_SECONDS)
