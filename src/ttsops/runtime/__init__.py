"""Many listeners, one device: scheduler, worker, client, admission, breaker, supervisor.

`Runtime` is the door; everything else is behind it.
"""

from ttsops.runtime.runtime import Runtime
from ttsops.runtime.segment import Segment
from ttsops.runtime.service import EngineService
from ttsops.runtime.stream import Stream, StreamStats

__all__ = ["EngineService", "Runtime", "Segment", "Stream", "StreamStats"]
