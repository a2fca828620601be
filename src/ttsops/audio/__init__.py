"""What is heard: PCM arithmetic, encoders, resampling, checks, cross-fades, atomic files.

A response is encoded by one `Encoder`: samples in, bytes out, `finish` at the end. Audio inside tts-ops is
float32 mono; everything else happens here.
"""

from ttsops.audio.checks import AudioReport, check_audio, normalise_peak, require_finite
from ttsops.audio.decode import decode_audio
from ttsops.audio.encode import Encoder, create_encoder
from ttsops.audio.files import FileWriter, atomic_file, claimed_folder, write_atomically
from ttsops.audio.formats import (
    BIT_RATES,
    CONTENT_TYPES,
    SUFFIXES,
    BitRate,
    Format,
    format_of_suffix,
    parse_format,
)
from ttsops.audio.pcm import float_to_s16, s16_to_float
from ttsops.audio.resample import StreamResampler, resample
from ttsops.audio.seams import crossfade
from ttsops.audio.speech_files import encode_speech, save_speech
from ttsops.audio.tags import NO_TAGS, Tags, synthetic_speech

__all__ = [
    "BIT_RATES",
    "CONTENT_TYPES",
    "NO_TAGS",
    "SUFFIXES",
    "AudioReport",
    "BitRate",
    "Encoder",
    "FileWriter",
    "Format",
    "StreamResampler",
    "Tags",
    "atomic_file",
    "check_audio",
    "claimed_folder",
    "create_encoder",
    "crossfade",
    "decode_audio",
    "encode_speech",
    "float_to_s16",
    "format_of_suffix",
    "normalise_peak",
    "parse_format",
    "require_finite",
    "resample",
    "s16_to_float",
    "save_speech",
    "synthetic_speech",
    "write_atomically",
]
