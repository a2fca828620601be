"""What may go wrong with a language model, told apart as a gateway tells it: 502, 503, 504.

* LlmError                it answered wrongly: an error of its own, a broken or an empty answer
  + LlmRefused            it does not take the key, the model or the request: no other try helps
  + LlmUnavailable        not now: busy, out of reach, or left alone after failures
  + LlmTimeout            no answer in time

They never quote a question, an answer or a key.
"""

from __future__ import annotations

from ttsops.errors import TtsOpsError


class LlmError(TtsOpsError):
    """The language model answered wrongly."""

    code = "llm_failed"
    may_be_tried_again = True
    """Another try may end well; not if the provider says that it will not."""


class LlmRefused(LlmError):
    """It does not take the key, the model or the request."""

    code = "llm_refused"
    may_be_tried_again = False


class LlmUnavailable(LlmError):
    """Busy, out of reach, or left alone after failures."""

    code = "llm_unavailable"


class LlmTimeout(LlmError):
    """No answer in time."""

    code = "llm_timeout"
