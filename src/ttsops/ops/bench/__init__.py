"""How many live listeners an engine keeps up with on this machine, and what each of them waits for.

The engine runs behind the runtime in its worker process, as it is served; the listeners are in this process,
without HTTP. The order of reading: `listener`, `level`, `capacity`, `run`, `plot`; `iterations` for one
listener at a time.
"""

from ttsops.ops.bench.capacity import Found, climb, find_capacity
from ttsops.ops.bench.iterations import Deviation, Iteration, Iterations, run_iterations
from ttsops.ops.bench.level import Level, Scene
from ttsops.ops.bench.plot import plot_svg
from ttsops.ops.bench.run import Bench, Plan, run_bench

__all__ = [
    "Bench",
    "Deviation",
    "Found",
    "Iteration",
    "Iterations",
    "Level",
    "Plan",
    "Scene",
    "climb",
    "find_capacity",
    "plot_svg",
    "run_bench",
    "run_iterations",
]
