"""The optional native part: a few hundred lines of C++, compiled once and kept in the user's cache.

Nothing needs it. Without a compiler, or on a processor that it has no form for, `native_part` is None, and
the callers take PyTorch's own way. It is plain C at its edge: one build serves any version of PyTorch.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from ctypes import c_float, c_int, c_long, c_void_p
from dataclasses import dataclass
from pathlib import Path

from ttsops.errors import EngineUnavailable

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).parent / "cpp"
CACHE = Path(".cache") / "ttsops" / "native"
"""In the user's home."""

COMPILERS = ("g++", "c++")
COMPILE_SECONDS = 120

FLAGS = (
    "-std=c++17",
    "-O3",
    # PyTorch's own libgomp is in the process already and is the one taken: both share one team of threads.
    "-fopenmp",
    "-shared",
    "-fPIC",
    "-fno-math-errno",
    "-fno-trapping-math",
    # GCC 12's partial redundancy elimination moves the sums of innermost loops to the stack: half the speed.
    "-fno-tree-pre",
)


@dataclass(frozen=True, slots=True)
class Level:
    """One form of the code, for processors that have all of `features`."""

    name: str
    features: frozenset[str]
    """As /proc/cpuinfo names them."""

    flags: tuple[str, ...]


LEVELS = (
    Level(
        "avx512",
        frozenset({"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "fma"}),
        (
            "-mavx512f",
            "-mavx512bw",
            "-mavx512vl",
            "-mavx512dq",
            "-mavx512vnni",
            "-mfma",
            "-mprefer-vector-width=512",
        ),
    ),
    Level("avx2", frozenset({"avx2", "fma"}), ("-mavx2", "-mfma")),
)
"""The best first."""

FUNCTIONS = {
    "linear": "ppnpfipn",
    "feed_forward": "pppnpfn",
    "mix": "ppnnnpppfppn",
    "round_rows": "pnnppn",
    "rescale": "pnnpppn",
}
"""Their arguments, as in few_rows.cpp and many_rows.cpp, by the letters of `ARGUMENTS`."""

ARGUMENTS: Mapping[str, type] = {"p": c_void_p, "n": c_long, "i": c_int, "f": c_float}


class Packed(ctypes.Structure):
    """`struct Packed` of products.hpp."""

    _fields_ = (
        ("weight", c_void_p),
        ("bias", c_void_p),
        ("n_in", c_long),
        ("n_out", c_long),
        ("group", c_long),
    )


@functools.cache
def native_part() -> ctypes.CDLL | None:
    """The best form for this processor, compiled now if it never was; None, and a log line, without."""
    level = best_level(cpu_features())
    if level is None:
        logger.info("no native part for this processor: products of few rows take PyTorch's way")
        return None
    try:
        return load(level, Path.home() / CACHE)
    except EngineUnavailable as e:
        logger.warning("%s; products of few rows take PyTorch's way, up to twice as long", e)
        return None


def load(level: Level, cache: Path) -> ctypes.CDLL:
    """The library of `level`, from `cache` or compiled into it. Raises `EngineUnavailable`."""
    library = cache / f"few_rows-{level.name}-{_digest(level)}.so"
    try:
        if library.exists():
            return _opened(library)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            built = Path(folder) / library.name
            compile_level(level, built)
            built.replace(library)  # whoever compiles at the same time replaces it by the same
        return _opened(library)
    except OSError as e:
        raise EngineUnavailable(f"the native part cannot be kept or loaded at `{library}`: {e}") from e


def compile_level(level: Level, library: Path) -> None:
    """Compile to `library`, some seconds. Raises `EngineUnavailable` without a compiler that can."""
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise EngineUnavailable("there is no C++ compiler for the native part", hint="install g++")
    sources = [str(source) for source in sorted(SOURCES.glob("*.cpp"))]
    command = [compiler, *FLAGS, *level.flags, *sources, "-o", str(library)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMPILE_SECONDS)
    except subprocess.CalledProcessError as e:
        reason = next((line for line in e.stderr.splitlines() if "error" in line), "no reason given")
        raise EngineUnavailable(f"`{compiler}` cannot compile the native part: {reason}") from e
    except (OSError, subprocess.TimeoutExpired) as e:
        raise EngineUnavailable(f"`{compiler}` cannot compile the native part: {e}") from e


def best_level(features: frozenset[str]) -> Level | None:
    """The first of `LEVELS` that a processor with `features` can run."""
    return next((level for level in LEVELS if level.features <= features), None)


def cpu_features() -> frozenset[str]:
    """What this processor has; nothing where the system is not Linux on x86-64."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return frozenset()
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _opened(library: Path) -> ctypes.CDLL:
    import torch  # noqa: F401 - before the library, so that its libgomp is the one in the process

    opened = ctypes.CDLL(str(library))
    for name, letters in FUNCTIONS.items():
        function = getattr(opened, name)
        function.argtypes = [ARGUMENTS[letter] for letter in letters]
        function.restype = None
    return opened


def _digest(level: Level) -> str:
    """Of everything the library is made from."""
    digest = hashlib.sha256(" ".join((*FLAGS, *level.flags)).encode())
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
