"""How many live listeners an engine keeps up with on this machine, and what each of them waits for.

The engine runs behind the runtime in its worker process, as it is served; the listeners are in this process,
without HTTP. The order of reading: `listener`, `level`, `capacity`, `run`, `plot`.
"""

from ttsops.ops.bench.capacity import Found, climb, find_capacity
from ttsops.ops.bench.level import Level, Scene
from ttsops.ops.bench.plot import plot_svg
from ttsops.ops.bench.run import Bench, Plan, run_bench

__all__ = [
    "Bench",
    "Found",
    "Level",
    "Plan",
    "Scene",
    "climb",
    "find_capacity",
    "plot_svg",
    "run_bench",
]
