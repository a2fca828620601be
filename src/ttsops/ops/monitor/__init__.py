"""The same small suite every night, one line in a history, and whether today is worse than before.

The order of reading: `subject`, `suite`, `pace`, `measure`, `record`, `history`, `judge`, `run`, `plot`.
"""

from ttsops.ops.monitor.history import History, append_run, comparable, read_history
from ttsops.ops.monitor.judge import judge
from ttsops.ops.monitor.plot import plot_png, plot_svg
from ttsops.ops.monitor.record import Figures, Run, Subject, Verdict
from ttsops.ops.monitor.run import Plan, run_monitor

__all__ = [
    "Figures",
    "History",
    "Plan",
    "Run",
    "Subject",
    "Verdict",
    "append_run",
    "comparable",
    "judge",
    "plot_png",
    "plot_svg",
    "read_history",
    "run_monitor",
]
