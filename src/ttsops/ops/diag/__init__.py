"""What somebody else needs to find out what is wrong, without secrets and without what was spoken.

The order of reading: `redact`, `log_tail`, `bundle`.
"""

from ttsops.ops.diag.bundle import Sources, make_bundle
from ttsops.ops.diag.log_tail import Tail, read_tail
from ttsops.ops.diag.redact import HIDDEN, hide_environment, is_secret_name, scrub, scrub_all

__all__ = [
    "HIDDEN",
    "Sources",
    "Tail",
    "hide_environment",
    "is_secret_name",
    "make_bundle",
    "read_tail",
    "scrub",
    "scrub_all",
]
