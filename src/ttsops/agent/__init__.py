"""From an LLM: answers that are spoken while they are written, and what a conversation remembers of them.

`Agent` is the door. It knows nothing of HTTP or WebSockets: those are in `ttsops.server`.
"""

from ttsops.agent.agent import Agent
from ttsops.agent.events import AudioDelta, Event, TextDelta, Word
from ttsops.agent.speaking import Manner
from ttsops.agent.turn import Turn

__all__ = ["Agent", "AudioDelta", "Event", "Manner", "TextDelta", "Turn", "Word"]
