"""How a speech server holds up under listeners: arrivals, one listener, figures, verdict.

Against any server with OpenAI's `POST /v1/audio/speech`. The order of reading: `corpus`, `arrivals`,
`pcm_stream`, `listener`, `client`, `drive`, `report`, `measure`.
"""

from ttsops.ops.loadtest.arrivals import Plan
from ttsops.ops.loadtest.client import Target
from ttsops.ops.loadtest.corpus import TEXTS, read_corpus
from ttsops.ops.loadtest.drive import run_load
from ttsops.ops.loadtest.listener import Listening
from ttsops.ops.loadtest.measure import measure, new_event_loop
from ttsops.ops.loadtest.report import Limits, Report, Second, Spread, broken_limits, summarise

__all__ = [
    "TEXTS",
    "Limits",
    "Listening",
    "Plan",
    "Report",
    "Second",
    "Spread",
    "Target",
    "broken_limits",
    "measure",
    "new_event_loop",
    "read_corpus",
    "run_load",
    "summarise",
]
