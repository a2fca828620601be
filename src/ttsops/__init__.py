"""tts-ops: open-weights speech models in production.

Importing this package is cheap: engines, servers and their libraries are imported when they are used.
"""

from ttsops.errors import TtsOpsError
from ttsops.speech import SAMPLE_RATE, AudioChunk, Mark, SpeechRequest, Voice

__version__ = "0.1.0"

__all__ = ["SAMPLE_RATE", "AudioChunk", "Mark", "SpeechRequest", "TtsOpsError", "Voice", "__version__"]
