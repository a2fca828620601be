"""Every error tts-ops raises on purpose.

* TtsOpsError              carries `.code` (stable, for clients) and `.hint` (what to do next)
  * RequestError           the caller can fix it: `.param` names the field
    + InvalidValue         a field has a value that is not accepted
    + EmptyText            nothing to say
    + TextTooLong          more text than one utterance may have
    + UnknownEngine        no engine of that name
    + UnknownVoice         the engine has no such voice
    + UnknownOption        the engine takes no such option
    + UnknownModel         no weights of that name in the catalogue
    + NotLive              the engine is too slow for a live stream here; it makes files
    + UnsupportedFormat    no such audio format
    + BadMessage           a message that does not follow the protocol
    + Unauthorized         no valid API key
    + NotFound             no such thing here
    + TooLarge             the body is larger than accepted
    + NoReferences         nothing here is spoken in the voice of a recording
    + VoiceNotFound        no such voice in the folder of voices
    + NoOverride           the voice speaks from its own recording
    + DuplicateVoice       that voice, or that recording, is there already
    + NoConsent            nobody said that the speaker agreed
    + ConsentNotFound      no such recording of a consent
    + JobChanged           half of a job is there already, and it is another one
    + JobDamaged           what was kept of a job cannot be read
    + BadReference         no voice can be made from a recording or its transcript
      - UnreadableReference  it is no audio
      - BrokenReference      samples that are not finite
      - SilentReference      nothing is heard in it
      - ShortReference       too little is said in it
      - NoTranscript         it is not written what is said
  * CapacityError          healthy but full: try again after `.retry_after` seconds, or elsewhere
    + Overloaded           the queue is full
    + RateLimited          this key has used its share
    + Draining             the server is stopping
  * EngineError            the engine failed
    + EngineUnavailable    not installed, still loading, or its breaker is open
    + WorkerDied           the engine's process ended while it spoke
    + EngineHung           a step took longer than allowed
    + NoAudio              finished without a sample
    + BadAudio             samples that must not leave: not finite
    + NoEos                hit the length cap instead of an end
    + NoSpeech             only silence or noise was made
  * StreamEnded            the utterance was ended before its end
    + Cancelled            by the listener, a barge-in or a hang-up
    + DeadlineExceeded     by its deadline
    + SlowReader           nobody read its audio for too long
  + ConfigError            a setting is wrong: the message names the file and line
  + AudioError             audio that cannot be encoded, decoded or written
  + ModelError             weights that cannot be fetched, read, packed or unpacked
    - BadArchive           an archive of weights that is damaged, or not one of ours
  + NotInstalled           a package that an extra brings is missing: the hint is the line that installs it

Those of a language model are in `agent/failures.py`, of services in `ops/service/failures.py`.
The worker sends errors as code and text; `from_code` makes the class again on the other side.
How a code becomes an HTTP status is the server's business, how it becomes an exit code the CLI's.
"""

from __future__ import annotations


class TtsOpsError(Exception):
    """The root. `code` never changes once released: clients branch on it."""

    code = "internal"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to do next, as a sentence."""
        self.param = param
        """The request field at fault, where there is one."""
        self.retry_after = retry_after
        """Seconds after which another try makes sense; measured, never guessed."""


class RequestError(TtsOpsError):
    """The caller can fix it."""

    code = "bad_request"


class InvalidValue(RequestError):
    """A field has a value that is not accepted."""

    code = "invalid_value"


class EmptyText(RequestError):
    """Nothing to say."""

    code = "empty_text"


class TextTooLong(RequestError):
    """More text than one utterance may have."""

    code = "text_too_long"


class UnknownEngine(RequestError):
    """No engine of that name."""

    code = "unknown_engine"


class UnknownVoice(RequestError):
    """The engine has no such voice."""

    code = "unknown_voice"


class UnknownOption(RequestError):
    """The engine takes no such option."""

    code = "unknown_option"


class UnknownModel(RequestError):
    """No weights of that name in the catalogue."""

    code = "unknown_model"


class NotLive(RequestError):
    """The engine is too slow for a live stream here; it makes files."""

    code = "not_live"


class UnsupportedFormat(RequestError):
    """No such audio format."""

    code = "unsupported_format"


class BadMessage(RequestError):
    """A message that does not follow the protocol."""

    code = "bad_message"


class Unauthorized(RequestError):
    """No valid API key."""

    code = "unauthorized"


class NotFound(RequestError):
    """No such thing here."""

    code = "not_found"


class TooLarge(RequestError):
    """The body is larger than accepted."""

    code = "too_large"


class NoReferences(RequestError):
    """Nothing here is spoken in the voice of a recording."""

    code = "no_references"


class VoiceNotFound(RequestError):
    """No such voice in the folder of voices."""

    code = "voice_not_found"


class NoOverride(RequestError):
    """The voice speaks from its own recording."""

    code = "no_override"


class DuplicateVoice(RequestError):
    """That voice, or that recording, is there already."""

    code = "duplicate_voice"


class NoConsent(RequestError):
    """Nobody said that the speaker agreed."""

    code = "no_consent"


class ConsentNotFound(RequestError):
    """No such recording of a consent."""

    code = "consent_not_found"


class BadReference(RequestError):
    """No voice can be made from a recording or its transcript."""

    code = "bad_reference"


class UnreadableReference(BadReference):
    """It is no audio."""

    code = "unreadable_reference"


class BrokenReference(BadReference):
    """Samples that are not finite."""

    code = "broken_reference"


class SilentReference(BadReference):
    """Nothing is heard in it."""

    code = "silent_reference"


class ShortReference(BadReference):
    """Too little is said in it."""

    code = "short_reference"


class NoTranscript(BadReference):
    """It is not written what is said."""

    code = "no_transcript"


class CapacityError(TtsOpsError):
    """Healthy but full."""

    code = "at_capacity"


class Overloaded(CapacityError):
    """The queue is full."""

    code = "overloaded"


class RateLimited(CapacityError):
    """This key has used its share."""

    code = "rate_limited"


class Draining(CapacityError):
    """The server is stopping."""

    code = "draining"


class EngineError(TtsOpsError):
    """The engine failed."""

    code = "engine_failed"


class EngineUnavailable(EngineError):
    """Not installed, still loading, or its breaker is open."""

    code = "engine_unavailable"


class WorkerDied(EngineError):
    """The engine's process ended while it spoke."""

    code = "worker_died"


class EngineHung(EngineError):
    """A step took longer than allowed."""

    code = "engine_hung"


class NoAudio(EngineError):
    """Finished without a sample."""

    code = "no_audio"


class BadAudio(EngineError):
    """Samples that must not leave: not finite."""

    code = "bad_audio"


class NoEos(EngineError):
    """Hit the length cap instead of an end."""

    code = "no_eos"


class NoSpeech(EngineError):
    """Only silence or noise was made."""

    code = "no_speech"


class StreamEnded(TtsOpsError):
    """The utterance was ended before its end."""

    code = "stream_ended"


class Cancelled(StreamEnded):
    """By the listener, a barge-in or a hang-up."""

    code = "cancelled"


class DeadlineExceeded(StreamEnded):
    """By its deadline."""

    code = "deadline_exceeded"


class SlowReader(StreamEnded):
    """Nobody read its audio for too long."""

    code = "slow_reader"


class ConfigError(TtsOpsError):
    """A setting is wrong."""

    code = "bad_config"


class AudioError(TtsOpsError):
    """Audio that cannot be encoded, decoded or written."""

    code = "bad_audio_data"


class ModelError(TtsOpsError):
    """Weights that cannot be fetched, read, packed or unpacked."""

    code = "model_error"


class BadArchive(ModelError):
    """An archive of weights that is damaged, or not one of ours."""

    code = "bad_archive"


class JobChanged(RequestError):
    """Half of a job is there already, and it is another one."""

    code = "job_changed"


class JobDamaged(RequestError):
    """What was kept of a job cannot be read."""

    code = "job_damaged"


class NotInstalled(TtsOpsError):
    """A package that an extra brings is missing."""

    code = "not_installed"


def _all_errors() -> dict[str, type[TtsOpsError]]:
    return {v.code: v for v in globals().values() if isinstance(v, type) and issubclass(v, TtsOpsError)}


def from_code(
    code: str,
    message: str,
    *,
    hint: str | None = None,
    param: str | None = None,
    retry_after: float | None = None,
) -> TtsOpsError:
    """The error that `code` names; an unknown code (a newer worker) is an `EngineError`."""
    cls = _all_errors().get(code, EngineError)
    return cls(message, hint=hint, param=param, retry_after=retry_after)
