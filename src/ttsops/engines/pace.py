"""Whether an engine is fast enough for somebody who listens meanwhile: measured, and said on its card."""

from __future__ import annotations

import logging
from dataclasses import replace

from ttsops.engines.contract import EngineCard

logger = logging.getLogger(__name__)


def card_at_pace(
    card: EngineCard, rtf: float, *, is_live_anyway: bool, simulates_live: bool = False
) -> EngineCard:
    """The card of an engine that was measured to take `rtf` seconds for a second of speech.

    Where that is more than a second, `is_live_anyway` offers live streams all the same, and `simulates_live`
    offers them as an engine does that makes them whole before it sends them.
    """
    if rtf <= 1 or is_live_anyway:
        return card
    if simulates_live:
        logger.warning(
            "engine `%s` takes about %.1f s for a second of speech here: live streams are made whole first, "
            "and then sent at the pace of play",
            card.name,
            rtf,
        )
        return replace(card, simulates_live=True)
    logger.warning(
        "engine `%s` takes about %.1f s for a second of speech here: it makes files, and refuses live "
        "streams; `live = true` offers them all the same",
        card.name,
        rtf,
    )
    return replace(card, is_realtime=False)
