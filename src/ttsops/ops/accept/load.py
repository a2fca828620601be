"""How a server behaves when it is full, and when a listener goes: asked of it over HTTP."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from ttsops.ops.accept.client import OK, Answer, Client
from ttsops.ops.accept.gate import Failed, Finding, Skipped, refuse
from ttsops.settings import AcceptSettings

N_LISTENERS = 6
"""At once, for one place and one in line."""

ANSWER_SECONDS = 5.0
"""A server that is full says so at once."""

SETTLE_SECONDS = 0.2
"""A short utterance has ended by itself by then."""

BUSY = 429
LONG_TEXT = "The harbour wakes before the town does, and the first ferry waits with its lamps still lit. "
SHORT_TEXT = "It speaks again."


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A 429."""

    code: str
    retry_after: str


def long_text(max_chars: int) -> str:
    """As much as one utterance may have: it does not end while it is being judged."""
    return (LONG_TEXT * (max_chars // len(LONG_TEXT) + 1))[:max_chars].strip()


def check_back_pressure(client: Client, limits: AcceptSettings, *, max_chars: int) -> Finding:
    """The gate: more listeners than places and line. Who is refused is told when to come again."""
    text, is_over = long_text(max_chars), Event()
    refused: list[Answer] = []

    def ask() -> Answer:
        with client.unread(text) as answer:
            if answer.status == OK:
                is_over.wait(ANSWER_SECONDS)  # it keeps its place until the others were refused
            else:
                refused.append(answer)
                if len(refused) >= N_LISTENERS - 2:
                    is_over.set()
            return answer

    with ThreadPoolExecutor(N_LISTENERS) as pool:
        asking = [pool.submit(ask) for _ in range(N_LISTENERS)]
        answers = [one.result() for one in asking]
    statuses = Counter(answer.status for answer in answers)
    refusals = [
        _Refusal(answer.code, answer.headers.get("retry-after", ""))
        for answer in answers
        if answer.status == BUSY
    ]
    refuse(_problems_of(statuses, refusals))
    if client.wait_free(limits.max_cancel_seconds) is None:
        raise Failed(f"a place is still taken {limits.max_cancel_seconds:g} s after everybody left")
    after = sorted(int(one.retry_after) for one in refusals)
    return Finding(
        f"{len(refusals)} of {N_LISTENERS} at once got 429, Retry-After {after[0]} to {after[-1]} s",
        {"refused": len(refusals), "served": statuses[OK]},
    )


def _problems_of(statuses: Counter[int], refusals: list[_Refusal]) -> list[str]:
    problems = []
    if not statuses[OK]:
        problems.append("nobody was served")
    if not refusals:
        problems.append(f"{N_LISTENERS} at once, and nobody got 429")
    if any(status not in (OK, BUSY) for status in statuses):
        problems.append(f"statuses: {dict(statuses)}")
    without = [one for one in refusals if not one.retry_after.isdecimal() or int(one.retry_after) < 1]
    if without:
        problems.append(f"a 429 has `Retry-After: {without[0].retry_after}`, not a number of seconds")
    other = [one for one in refusals if one.code != "overloaded"]
    if other:
        problems.append(f"a 429 has the code `{other[0].code}`, not `overloaded`")
    return problems


def check_cancellation(client: Client, limits: AcceptSettings, *, max_chars: int) -> Finding:
    """The gate: a listener who hangs up gives the place back, and the next one is served."""
    if client.wait_free(limits.max_cancel_seconds) is None:
        raise Skipped("others are being served: whose place comes free cannot be told")
    with client.unread(long_text(max_chars)) as answer:
        if answer.status != OK:
            raise Failed(f"HTTP {answer.status} instead of speech")
        time.sleep(SETTLE_SECONDS)
        if not client.n_taken():
            raise Skipped("the utterance was over before it could be cut off")
    seconds = client.wait_free(limits.max_cancel_seconds)
    if seconds is None:
        raise Failed(f"the place is still taken {limits.max_cancel_seconds:g} s after its listener hung up")
    again = client.speak(SHORT_TEXT)
    if again.problem or not again.chunks:
        raise Failed(f"the next listener is not served: {again.problem or 'no audio'}")
    return Finding(
        f"the place was free {1000 * seconds:.0f} ms after the hang-up", {"cancel_seconds": seconds}
    )
