"""The books of one turn: its share of the metrics, and one log line. What was said is in neither."""

from __future__ import annotations

from ttsops.agent.providers import Provider
from ttsops.agent.turn import Turn
from ttsops.errors import Cancelled, TtsOpsError
from ttsops.observe import metrics
from ttsops.observe.logs import get_logger
from ttsops.observe.outcomes import outcome_of

log = get_logger(__name__)


def close_books(turn: Turn, provider: Provider, *, request_id: str) -> None:
    """It has ended, well or not."""
    times, name = turn.times, provider.name
    outcome = outcome_of(_ending(turn))
    metrics.AGENT_TURNS.labels(provider=name, outcome=outcome).inc()
    if times.end is not None:
        metrics.AGENT_TURN_DURATION.labels(provider=name).observe(times.end)
    if times.first_token is not None:
        metrics.AGENT_LLM_FIRST_TOKEN.labels(provider=name).observe(times.first_token)
    if times.first_audio is not None:
        metrics.AGENT_FIRST_AUDIO.labels(provider=name).observe(times.first_audio)
    if times.first_token is not None and times.first_audio is not None:
        metrics.AGENT_SPEECH_DELAY.labels(provider=name).observe(times.first_audio - times.first_token)
    if turn.trace.trace_id:
        _draw_spans(turn, provider, outcome)
    log.info(
        "turn",
        request_id=request_id,
        provider=name,
        model=provider.model,
        engine=turn.speaking.engine,
        outcome=outcome,
        error_code=turn.error.code if turn.error else None,
        interrupted=turn.interrupted or None,
        answer_chars=len(turn.text),
        audio_seconds=round(turn.ledger.seconds, 3),
        first_token_ms=_ms(times.first_token),
        first_audio_ms=_ms(times.first_audio),
        total_ms=_ms(times.end),
    )


def _draw_spans(turn: Turn, provider: Provider, outcome: str) -> None:
    """The model until it begins and as long as it writes, and the speech from its first token on."""
    times, began = turn.times, turn.traced_at
    end = began + (times.end or turn.trace.seconds)
    events = {} if times.first_token is None else {"first token": began + times.first_token}
    turn.trace.child("llm", began, end, events, provider=provider.name, model=provider.model, outcome=outcome)
    if times.first_token is not None and times.first_audio is not None:
        turn.trace.child("first audio", began + times.first_token, began + times.first_audio)


def _ending(turn: Turn) -> TtsOpsError | None:
    return turn.error or (Cancelled(f"cancelled ({turn.interrupted})") if turn.interrupted else None)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
