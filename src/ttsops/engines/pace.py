"""Whether an engine is fast enough for somebody who listens meanwhile: measured, and said on its card."""

from __future__ import annotations

import logging
from dataclasses import replace

from ttsops.engines.contract import EngineCard

logger = logging.getLogger(__name__)


def card_at_pace(card: EngineCard, rtf: float, *, is_live_anyway: bool) -> EngineCard:
    """The card of an engine that was measured to take `rtf` seconds for a second of speech.

    `is_live_anyway` offers live streams even where that is more than a second.
    """
    if rtf <= 1 or is_live_anyway:
        return card
    logger.warning(
        "engine `%s` takes about %.1f s for a second of speech here: it makes files, and refuses live "
        "streams; `live = true` offers them all the same",
        card.name,
        rtf,
    )
    return replace(card, is_realtime=False)
