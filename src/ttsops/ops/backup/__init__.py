"""Settings and voices: kept before a change, compared with what is now, and brought back.

The order of reading: `state`, `archive`, `keep`, `restore`, `differences`.
"""

from ttsops.ops.backup.archive import read_backup, write_backup
from ttsops.ops.backup.differences import Difference, differences
from ttsops.ops.backup.keep import keep
from ttsops.ops.backup.restore import restore
from ttsops.ops.backup.state import State, state_now

__all__ = [
    "Difference",
    "State",
    "differences",
    "keep",
    "read_backup",
    "restore",
    "state_now",
    "write_backup",
]
