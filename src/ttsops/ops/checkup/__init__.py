"""How this machine is, without a server: one `Check` for each thing that speech needs.

The order of reading: `check`, `served`, `weights`, `resources`, `nvidia`, `jetson`, `devices`, `results`,
`gather`.
"""

from ttsops.ops.checkup.check import Check, Word, worst
from ttsops.ops.checkup.gather import check_all

__all__ = ["Check", "Word", "check_all", "worst"]
