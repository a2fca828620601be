"""Thousands of texts into as many files: resumable, each line exactly once, what fails is kept and goes on.

Reading order: `manifest` (what is asked), `order` (with its defaults), `journal` (what is done), `speaker`
(who speaks it here), `job` (all of it).
"""

from ttsops.batch.job import Done, Patience, Progress, run_batch
from ttsops.batch.order import Defaults, LineSpeaker, Order, Speech
from ttsops.batch.speaker import RuntimeSpeaker, runtime_speaker, speak_order

__all__ = [
    "Defaults",
    "Done",
    "LineSpeaker",
    "Order",
    "Patience",
    "Progress",
    "RuntimeSpeaker",
    "Speech",
    "run_batch",
    "runtime_speaker",
    "speak_order",
]
