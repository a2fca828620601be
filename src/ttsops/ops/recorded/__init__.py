"""How an engine speaks today, kept, so that tomorrow's build can be held to it.

The order of reading: `manifest`, `speak`, `record`, `compare`, `check`. What the reference implementations
gave is another matter: `ttsops.ops.golden`.
"""

from ttsops.ops.recorded.check import EngineCheck, TakeCheck, check_recording
from ttsops.ops.recorded.manifest import Manifest, is_recording, read_manifest
from ttsops.ops.recorded.record import Plan, record

__all__ = [
    "EngineCheck",
    "Manifest",
    "Plan",
    "TakeCheck",
    "check_recording",
    "is_recording",
    "read_manifest",
    "record",
]
