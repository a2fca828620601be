"""Does memory grow with every request? Load, the memory of the processes, a slope and how sure it is.

The order of reading: `processes`, `slope`, `judge`, `run`, `local`.
"""

from ttsops.ops.soak.judge import Growth, Verdict, judge
from ttsops.ops.soak.local import local_server
from ttsops.ops.soak.processes import Sample, find_server, sample
from ttsops.ops.soak.run import Soak, run_soak
from ttsops.ops.soak.slope import Slope, theil_sen

__all__ = [
    "Growth",
    "Sample",
    "Slope",
    "Soak",
    "Verdict",
    "find_server",
    "judge",
    "local_server",
    "run_soak",
    "sample",
    "theil_sen",
]
